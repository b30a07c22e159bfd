"""The slow, simple counterpart of plateaus: one sensor, plain numbers and lists."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

DAY_S = 86_400.0


@dataclass
class Plateau:
    """The plateaus that began in one step of the range."""

    count: int = 0
    middle: float = 0.0
    spread: float = 0.0
    longest: float = 0.0
    rival: float = 0.0


def single(number: float) -> float:
    """A number rounded to single precision."""
    return float(np.float32(number))


class Plateaus:
    """How long a sensor stays where it usually doesn't."""

    def __init__(self) -> None:
        self.grid: tuple[float, float] | None = None
        self.first, self.last, self.anchor, self.since, self.worst = math.nan, 0.0, 0.0, 0.0, 0.0
        self.until = 0.0

    def step(self, value: float, time: float, grid: tuple[float, float]) -> float:
        near = abs(value - self.anchor) <= grid[1]
        before, self.last = self.last, time
        if self.grid is not None and near and self.since <= time < self.until:
            return 0.0
        if grid != self.grid:
            self.grid = grid
            self.first = time
            self.passes = [0] * 32
            self.tallies = [Plateau() for _ in range(32)]
            self.begin(value, time)
        elif near and time >= self.since:
            return self.surprise(time, max(time - before, 0.0))
        else:
            self.end(value, time, before)
            self.begin(value, time)
        return 0.0

    def begin(self, value: float, time: float) -> None:
        self.anchor, self.since, self.worst, self.until = value, time, 0.0, time + 1800

    def place(self, value: float) -> int:
        assert self.grid is not None
        low, width = self.grid
        return min(max(math.floor((value - low) / (2 * width)), 0), 31) if width else 0

    def end(self, value: float, time: float, before: float) -> None:
        here, there, length = self.place(self.anchor), self.place(value), max(time - self.since, 0.0)
        for step in range(here, max(there, here + 1)) if there >= here else range(there + 1, here + 1):
            self.passes[step] += 1
        tally = self.tallies[here]
        if before <= self.since:
            if length > max(180.0, tally.longest):
                tally.longest = single(max(tally.longest * 0.999, min(length, tally.rival)))
                tally.rival = single(max(tally.rival * 0.999, length))
            return
        logarithm, rate = math.log(max(length, 180.0)), 1 / min(tally.count + 1, 100)
        aside = min(max(logarithm - tally.middle, -4.0), 4.0) if tally.count else 0.0
        tally.middle = single(tally.middle + rate * aside if tally.count else logarithm)
        tally.spread = single(tally.spread + rate * (aside**2 * (1 - rate) - tally.spread))
        tally.count += 1
        believed = length if self.worst <= 1.5 else min(length, tally.rival)
        tally.longest = single(max(tally.longest * 0.999, believed))
        tally.rival = single(max(tally.rival * 0.999, length))

    def surprise(self, time: float, passed: float) -> float:
        here, length = self.place(self.anchor), time - self.since
        around = self.tallies[max(here - 1, 0) : here + 2]
        record = max(180.0, *(each.longest for each in around))
        seen = sum(each.count for each in around)
        spread = math.sqrt((1 + sum(each.count * each.spread for each in around)) / (4 + seen))
        visits = self.passes[here]
        known = visits >= 8 and time - self.first >= 7 * DAY_S
        score = 0.0
        if known and length > record and length >= max(1800.0, 4 * passed):
            score = math.log10(min(visits, 1000) + 1) - 1 + math.log10(length / record) / max(spread, 0.5)
            score = max(score, 0.0)
        self.worst = max(self.worst, score)
        self.until = time if score > 1.5 else self.since + max(1.05 * length, record, 1800.0)
        return score if score >= 2.5 else 0.0
