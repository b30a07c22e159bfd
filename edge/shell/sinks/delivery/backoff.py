"""Exponential backoff after failures, with a cap and with jitter."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 1.0
LONGEST_S = 60.0


class Backoff:
    """Doubles from `FIRST_S` up to `LONGEST_S`, and waits for a random share of it between one half and all.

    Args:
        chance: Returns a random number from 0 to below 1.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0

    def succeeded(self) -> None:
        """Start over with the shortest wait."""
        self._failures = 0

    def failed(self) -> float:
        """Record a failure; returns the seconds to wait."""
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return longest * (0.5 + 0.5 * self._chance())
