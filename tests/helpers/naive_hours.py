"""The hours detector's counterpart: a dictionary of half hours, and plain loops over days."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from naive_noise import Judgement, limited, student_decades

from detectors.hours import detector, expected, ring

NAN = math.nan


@dataclass
class Usual:
    """What is usual at a half hour."""

    days: int
    low: float
    high: float
    spread: float


class NaiveHours:
    def __init__(self, hours: detector.Hours) -> None:
        self.set = hours
        self.half = self.begun = NAN
        self.values: list[float] = []
        self.kept: dict[float, float] = {}
        self.base, self.step_size = 0.0, 1.0
        self.score = -1.0
        self.low = self.high = 0.0

    def step(self, value: float, time: float) -> Judgement:
        half = time // detector.HALF_S
        if math.isnan(self.begun):
            self.half = self.begun = half
        elif half > self.half:
            self.end()
            self.half = half
        self.values.append(value)
        if self.score > 0:
            inside = self.low <= value <= self.high
            return 0.0 if inside else self.score, NAN, self.low, self.high
        return (self.score if self.score == 0 else NAN), NAN, NAN, NAN

    def end(self) -> None:
        mean = math.fsum(self.values) / len(self.values)
        self.values = []
        self.kept = {each: level for each, level in self.kept.items() if each >= self.half - ring.LENGTH}
        before, self.score = self.score, -1.0
        if self.half - self.begun >= self.set.fewest_days * ring.HALVES:
            self.score = self.judged(mean, before)
        self.keep(mean)

    def before(self, day: int, aside: int = 0) -> float | None:
        """The level of this half hour, or one beside it, so many days ago."""
        return self.kept.get(self.half - ring.HALVES * day + aside)

    def around(self, day: int, beside: int) -> list[float]:
        levels = [self.before(day, aside) for aside in range(-beside, beside + 1)]
        return [each for each in levels if each is not None]

    def judged(self, mean: float, before: float) -> float:
        reach = max(self.kept.values()) - min(self.kept.values()) if self.kept else 0.0
        if self.before(expected.WEEK) is not None:
            week = self.around(expected.WEEK, expected.BESIDE)
            if max(min(week) - mean, mean - max(week), 0.0) <= detector.CLEARLY * reach:
                return 0.0
        usual = self.usual(mean, reach, before)
        if usual is None:
            return before if before > 0 and not self.low <= mean <= self.high else 0.0
        self.low, self.high = usual.low, usual.high
        off = max(usual.low - mean, mean - usual.high)
        if off <= 0:
            return 0.0
        decades = student_decades(off / usual.spread, usual.days - 1)
        return limited(math.log10(usual.days + 1) - detector.OCCASIONS + decades, 0.0, 300.0)

    def usual(self, mean: float, reach: float, before: float) -> Usual | None:
        known = [day for day in range(1, ring.DAYS) if self.before(day) is not None]
        levels = sorted(self.kept.values())
        aside = int(expected.COMMON * (len(levels) - 1))
        slack = expected.ORDINARY * (levels[-1 - aside] - levels[aside])
        if before < detector.STRAYED and not levels[aside] - slack <= mean <= levels[-1 - aside] + slack:
            return None
        weeks = (1, 2) if self.half - self.begun >= 2 * expected.WEEK * ring.HALVES else (1,)
        if not all(each * expected.WEEK in known for each in weeks):
            return None
        usual = self.usual_on(known, mean, reach) if len(known) >= self.set.fewest_days else None
        if usual is not None:
            return usual
        pairs = [self.apart(day, day + expected.WEEK) for day in known if day + expected.WEEK in known]
        pairs = [each for each in pairs if each < math.inf]
        was_odd = expected.ALIKE * reach < self.apart(expected.WEEK, 2 * expected.WEEK) < math.inf
        if was_odd or len(pairs) < expected.FEWEST_WEEKDAYS or sorted(pairs)[-2] > expected.ALIKE * reach:
            return None
        like = [day for day in known if self.apart(day, expected.WEEK) <= expected.ALIKE * reach]
        usual = self.usual_on(like, mean, reach) if len(like) >= expected.FEWEST_ALIKE else None
        if usual is None:
            return None
        least = expected.LEAST_SHARE * reach
        today = [self.before(0, -back) for back in range(1, expected.AROUND + 1)]
        was = [each for each in today if each is not None and usual.low - least <= each <= usual.high + least]
        return usual if was else None

    def usual_on(self, chosen: Sequence[int], mean: float, reach: float) -> Usual | None:
        lows = [min(self.around(day, expected.BESIDE)) for day in chosen]
        highs = [max(self.around(day, expected.BESIDE)) for day in chosen]
        if max(highs) - min(lows) > expected.NARROW * reach:
            return None
        spread = statistics.stdev(lows if mean < min(lows) else highs)
        return Usual(len(chosen), min(lows), max(highs), max(spread, expected.LEAST_SHARE * reach))

    def apart(self, one: int, other: int) -> float:
        around = range(-expected.AROUND, expected.AROUND + 1)
        pairs = [(self.before(one, aside), self.before(other, aside)) for aside in around]
        off = [abs(this - that) for this, that in pairs if this is not None and that is not None]
        return statistics.fmean(off) if len(off) >= expected.ENOUGH * len(around) else math.inf

    def keep(self, mean: float) -> None:
        levels = list(self.kept.values())
        steps = (mean - self.base) / self.step_size
        fits = -0.5 <= steps <= ring.HIGHEST - 1
        if fits and (self.half - self.begun) % ring.HALVES == 0:
            fits = bool(levels) and (max(levels) - min(levels)) / self.step_size >= ring.FEWEST
        if not fits:
            self.lay_out([*levels, mean])
        self.kept[self.half] = self.rounded(mean)

    def lay_out(self, levels: Sequence[float]) -> None:
        low, high = min(levels), max(levels)
        least = max(ring.ROUNDING * max(abs(low), abs(high)), ring.TINY)
        self.step_size = 2.0 ** math.ceil(math.log2(max((high - low) / ring.STEPS, least)))
        self.base = (round((low + high) / 2 / self.step_size) - ring.HIGHEST // 2) * self.step_size
        self.kept = {half: self.rounded(level) for half, level in self.kept.items()}

    def rounded(self, level: float) -> float:
        steps = limited(round((level - self.base) / self.step_size), 0, ring.HIGHEST - 1)
        return self.base + steps * self.step_size
