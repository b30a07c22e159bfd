"""Random numbers: one generator for each name, independent of what else is simulated.

A sensor's random numbers depend only on the seed and its own name, so adding a sensor, or requesting readings in other
portions, doesn't change any other readings. The same seed gives the same bytes with the same version of numpy; numpy
usually keeps its distributions stable between releases, but doesn't guarantee it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np


class Randomness(NamedTuple):
    """A seed and a name.

    Attributes:
        seed: Any integer from 0.
        name: Name of the generator; equal names draw equal numbers.
    """

    seed: int
    name: str

    def child(self, word: str | int) -> Randomness:
        """The randomness of a named part."""
        return Randomness(self.seed, f"{self.name}\n{word}")

    def of(self, name: str) -> Randomness:
        """A generator with another name and the same seed."""
        return Randomness(self.seed, name)

    def generator(self) -> np.random.Generator:
        """A new generator at its initial state."""
        digest = hashlib.sha256(self.name.encode()).digest()
        return np.random.Generator(np.random.PCG64([self.seed, int.from_bytes(digest[:16], "big")]))
