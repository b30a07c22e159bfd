"""The swing detector's counterpart: a dictionary of blocks, and lists of days."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import numpy as np
from naive_noise import NAN, NO_OPINION, Judgement, limited, student_decades

from detectors.daily import swing


def single(number: float) -> float:
    """In single precision, as it is kept."""
    return float(np.float32(number))


def toward(usual: float, last: float, pace: float) -> float:
    """An end of the usual day, nearer to that of the last one."""
    most = max(pace, swing.PACE / 2 * abs(last - usual))
    return single(usual + limited(last - usual, -most, most))


class NaiveSwing:
    def __init__(self, detector: swing.Swing) -> None:
        self.set = detector
        self.begun = self.block = NAN
        self.values: list[float] = []
        self.blocks: dict[float, tuple[float, float]] = {}
        self.days: dict[int, list[float]] = {span: [] for span in swing.SPANS}
        self.today: dict[int, list[float]] = {span: [] for span in swing.SPANS}
        self.day: tuple[float, float] | None = None
        self.usual, self.finest = 0.0, math.inf
        self.score, self.span, self.least = NAN, 0, NAN

    def step(self, value: float, time: float) -> Judgement:
        block = time // swing.BLOCK_S
        if math.isnan(self.block):
            self.begun = self.block = block
        elif block > self.block:
            self.end()
            self.turn(block)
            self.block = block
        self.values.append(value)
        if self.score > 0 and self.moves_again():
            self.score = 0.0
        return (self.score, *NO_OPINION[1:])

    def moves_again(self) -> bool:
        before = [self.blocks.get(self.block - back) for back in range(1, self.span)]
        ends = [*self.values, *(end for each in before if each is not None for end in each)]
        return max(ends) - min(ends) > swing.SHRUNK * self.least

    def end(self) -> None:
        count = len(self.values)
        enough = count >= max(swing.FEWEST, swing.ENOUGH * self.usual)
        if enough:
            self.blocks[self.block] = min(self.values), max(self.values)
            self.note_steps()
        told, self.score = self.score, NAN
        verdicts = {span: self.judged(span) for span in swing.SPANS}
        for span, (score, least) in verdicts.items():
            if score > (0.0 if math.isnan(self.score) else self.score):
                self.span, self.least = span, single(least)
            self.score = max(score, self.score) if self.score >= 0 else score
        for span, today in self.today.items():
            if not self.score >= self.set.floor and not math.isnan(reach := self.reach(span)):
                today.append(single(reach))
        if not self.score >= self.set.floor and not math.isnan(self.reach(swing.A_DAY)):
            last = self.ends(swing.A_DAY)
            usual = self.day or last
            pace = swing.PACE * (usual[1] - usual[0])
            self.day = (toward(usual[0], last[0], pace), toward(usual[1], last[1], pace))
        if math.isnan(self.score) and not enough and told > 0:
            self.score = told
        self.usual = single(self.usual + swing.NEWEST * (count - self.usual) if self.usual > 0 else count)
        self.values = []

    def note_steps(self) -> None:
        low, high = self.blocks[self.block]
        gaps = [high - low]
        if self.block - 1 in self.blocks:
            before = self.blocks[self.block - 1]
            gaps += [abs(low - before[0]), abs(high - before[1])]
        least = swing.ROUNDING * max(abs(low), abs(high))
        self.finest = min([self.finest, *(single(each) for each in gaps if each > least)])

    def turn(self, block: float) -> None:
        if (block - self.begun) // swing.A_DAY > (self.block - self.begun) // swing.A_DAY:
            for span, today in self.today.items():
                if today:
                    self.days[span] = [*self.days[span], min(today)][-swing.KEPT :]
                self.today[span] = []

    def ends(self, span: int) -> tuple[float, float]:
        """The lowest and the highest value of the last blocks; NaN if one of them is unknown."""
        known = [self.blocks.get(self.block - back, (NAN, NAN)) for back in range(span)]
        ends = [end for each in known for end in each]
        return (NAN, NAN) if any(map(math.isnan, ends)) else (min(ends), max(ends))

    def reach(self, span: int) -> float:
        low, high = self.ends(span)
        return min(high - low, swing.WIDEST)

    def judged(self, span: int) -> tuple[float, float]:
        """The surprise at the range of a span, NaN if nothing is known, and the smallest range before."""
        kept, reach = self.days[span], self.reach(span)
        if len(kept) < self.set.fewest_days or math.isnan(reach):
            return NAN, NAN
        least, of_days = min(kept), self.days[swing.A_DAY]
        middle = statistics.median(of_days) if of_days else NAN
        if not (0 < reach <= swing.SHRUNK * least and least >= swing.MATTERS * middle):
            return 0.0, least
        if self.day is None or abs(sum(self.ends(span)) - sum(self.day)) > 2 * swing.CENTRAL * (
            self.day[1] - self.day[0]
        ):
            return 0.0, least
        logs = [math.log(each) for each in kept]
        steps = math.fsum((one - other) ** 2 for one, other in pairwise(logs)) / (len(logs) - 1) / 2
        spread = max(math.sqrt(min(statistics.variance(logs), steps)), swing.LEAST, self.finest / least)
        decades = student_decades(math.log(least / reach) / spread, len(kept) - 1)
        return limited(math.log10(len(kept) + 1) - swing.OCCASIONS + decades, 0.0, 300.0), least
