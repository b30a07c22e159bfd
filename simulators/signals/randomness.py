"""Random numbers: one generator for each name, independent of what else is simulated.

What a sensor draws follows from the seed and its own name only, so that adding a sensor, or asking for its
readings in other portions, doesn't change any other readings. The same seed gives the same bytes with the same
version of numpy; numpy keeps its distributions stable between releases wherever it can, but doesn't promise
to.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np


class Randomness(NamedTuple):
    """A seed and the name of what draws from it.

    Attributes:
        seed: Any integer from 0.
        name: Name of the generator; equal names draw equal numbers.
    """

    seed: int
    name: str

    def child(self, word: str | int) -> Randomness:
        """The randomness of a part of this."""
        return Randomness(self.seed, f"{self.name}\n{word}")

    def of(self, name: str) -> Randomness:
        """A generator with another name, under the same seed."""
        return Randomness(self.seed, name)

    def generator(self) -> np.random.Generator:
        """A new generator, at its beginning."""
        digest = hashlib.sha256(self.name.encode()).digest()
        return np.random.Generator(np.random.PCG64([self.seed, int.from_bytes(digest[:16], "big")]))
