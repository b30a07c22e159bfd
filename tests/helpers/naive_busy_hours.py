"""The slow, simple counterpart of busy hours: one sensor, plain numbers."""

from __future__ import annotations

import math

HOUR_S = 3600.0


class BusyHours:
    """How much of something happens within an hour."""

    def __init__(self, fewest: float) -> None:
        self.fewest = fewest
        self.busy, self.counted, self.busiest, self.rival, self.crest = 0.0, 0.0, 0.0, 0.0, 0.0

    def count(self, amount: float, time: float, hours: float, *, known: bool, fewest: float = 0.0) -> float:
        passed = min(max(time - self.counted, 0.0), 360_000.0)
        self.busy, self.counted = self.busy * math.exp(-passed / HOUR_S) + amount, time
        most = max(self.busiest, self.fewest, fewest)
        bursts, ended = known and self.busy > most, self.crest
        fading = 0.999 if amount else 1.0
        self.rival *= fading
        if bursts:
            self.crest = max(self.crest, self.busy)
            return beyond(hours, self.crest / most, 1 / 3)
        self.busiest, self.crest = self.busiest * fading, 0.0
        crest = max(ended, self.busy)
        if ended and beyond(hours, crest / most, 1 / 3) > 1.5:
            self.busiest = max(self.busiest, min(crest, self.rival / fading))
        else:
            self.busiest = max(self.busiest, crest)
        self.rival = max(self.rival, crest if ended else 0.0)
        return 0.0


def beyond(chances: float, ratio: float, spread: float) -> float:
    """Decades of surprise at a value so many times the record of so many chances."""
    if ratio <= 1:
        return 0.0
    return max(math.log10(min(chances, 1000.0) + 1) - math.log10(8) + math.log10(ratio) / spread, 0.0)
