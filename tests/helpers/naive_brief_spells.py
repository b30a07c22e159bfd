"""The slow, simple counterpart of brief spells: one sensor, plain numbers and lists."""

from __future__ import annotations

import math

import numpy as np
from naive_busy_hours import beyond

DAY_S = 86_400.0
BETWEEN = 4


class BriefSpells:
    """The last three spells of each state, and the shortest that the longest of three ever was."""

    def __init__(self) -> None:
        self.recent = [[0.0] * 3 for _ in range(5)]
        self.briefest = [0.0] * 5
        self.score, self.state = 0.0, -1

    def end(self, state: int, length: float, count: int, spread: float, *, known: bool, watched: float) -> None:
        self.recent[state] = [*self.recent[state][1:], single(length)]
        longest, briefest, score = max(*self.recent[state], 1.0), self.briefest[state], 0.0
        others = [each for each in range(BETWEEN) if each != state]
        hurried = 1.5 * sum(self.recent[each][-1] for each in others) < sum(self.briefest[each] for each in others)
        short = watched >= 8 * DAY_S and count >= 24 and briefest >= 1.5 * longest
        if short and known and not hurried and state != BETWEEN:
            width = max(math.sqrt((1 + count * spread) / (4 + count)), 0.2)
            score = beyond(min(count, 1000) / 3, briefest / longest, width)
        if score > 0 or not (self.score > 0 and self.state != state):
            self.score, self.state = score, state
        if count >= 2:
            usual = min(briefest * 1.001, longest) if briefest else longest
            self.briefest[state] = single(briefest * 0.995 if short else usual)

    def now(self, state: int, length: float, longest: float) -> float:
        if self.score > 0 and length > (self.briefest[state] if state == self.state else 3 * longest):
            self.score = 0.0
        return self.score


def single(number: float) -> float:
    """A number rounded to single precision."""
    return float(np.float32(number))
