"""The context of a fault: its own folder, a random generator, and the number of repetitions."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from verdict import Outcome


class Bench(NamedTuple):
    """Where and how a fault is run.

    Attributes:
        folder: An empty folder.
        chance: Randomness of its own.
        tries: How often.
    """

    folder: Path
    chance: random.Random
    tries: int


class Fault(NamedTuple):
    """A fault that the service must survive.

    Attributes:
        name: Its name in the table and for `--only`.
        run: Tries it.
        tries: Repetitions in the long form, given the number of kills.
        short: Repetitions in the short form; 0 to skip it.
    """

    name: str
    run: Callable[[Bench], Outcome]
    tries: Callable[[int], int]
    short: int

    def tries_of(self, kills: int, share: float) -> int:
        """Repetitions in between: a share of those of the long form, and at least as many as in the short one."""
        tries = self.tries(kills)
        goes_by_kills = self.tries(10 * kills) > tries
        return tries if goes_by_kills else max(1, self.short, round(share * tries))


def times(number: int) -> Callable[[int], int]:
    """A fixed number of repetitions, whatever the number of kills."""
    return lambda _: number


def share(part: int, least: int = 1) -> Callable[[int], int]:
    """One repetition for the given number of kills."""
    return lambda kills: max(least, kills // part)
