"""What a fault is given: a folder of its own, chance, and how often it is to be tried."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from verdict import Outcome


class Bench(NamedTuple):
    """Where and how a fault is tried.

    Attributes:
        folder: An empty folder.
        chance: Randomness of its own.
        tries: How often.
    """

    folder: Path
    chance: random.Random
    tries: int


class Fault(NamedTuple):
    """A fault that the service has to live with.

    Attributes:
        name: In the table, and for `--only`.
        run: Tries it.
        tries: How often in the long form, by the number of kills.
        short: How often in the short form; 0 for not at all.
    """

    name: str
    run: Callable[[Bench], Outcome]
    tries: Callable[[int], int]
    short: int

    def tries_of(self, kills: int, share: float) -> int:
        """How often in a form between the two: a share of the long one, and no less than in the short one."""
        tries = self.tries(kills)
        goes_by_kills = self.tries(10 * kills) > tries
        return tries if goes_by_kills else max(1, self.short, round(share * tries))


def times(number: int) -> Callable[[int], int]:
    """So often, however many kills there are."""
    return lambda _: number


def share(part: int, least: int = 1) -> Callable[[int], int]:
    """One try for so many kills."""
    return lambda kills: max(least, kills // part)
