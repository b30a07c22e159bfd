"""The extremes detector's counterpart: lists of days, plain numbers, one reading at a time."""

from __future__ import annotations

import math
from itertools import pairwise

from detectors.daily import extremes

NAN = math.nan


class NaiveExtremes:
    def __init__(self, detector: extremes.Extremes) -> None:
        self.set = detector
        self.readings: list[float] = []
        self.finest = math.inf
        self.days = 0
        self.began = NAN
        self.today: list[float] = []
        self.kept: dict[float, list[float]] = {-1.0: [], 1.0: []}
        self.record: dict[float, float] = {}

    def step(self, value: float, time: float) -> tuple[float, float, float, float]:
        if not self.readings:
            self.readings, self.began = [value, value], time
        last = [*self.readings[-2:], value]
        if value != last[-2]:
            self.finest = min(self.finest, abs(value - last[-2]))
        if time - self.began >= extremes.DAY_S:
            self.began += (time - self.began) // extremes.DAY_S * extremes.DAY_S
            self.end_day()
        held = {-1.0: max(last), 1.0: min(last)}
        self.today += held.values()
        self.readings = last
        if self.days < self.set.fewest_days:
            return NAN, NAN, NAN, NAN
        score = max(self.surprise(sign, sign * held[sign]) for sign in held)
        return score, NAN, self.record[-1.0], self.record[1.0]

    def end_day(self) -> None:
        today = {sign: self.farthest_today(sign) for sign in self.kept}
        known = self.days >= self.set.fewest_days
        reach = {
            sign: sign * self.record[sign] + extremes.FARTHER * self.scale(sign) if known else math.inf
            for sign in today
        }
        for sign, farthest in today.items():
            record = self.record.get(sign, farthest)
            record += extremes.FADING * (farthest - record)
            believed = sign * min(sign * farthest, reach[sign])
            is_beyond = sign * farthest > sign * record
            self.record[sign] = believed if is_beyond else record
            self.kept[sign].append(farthest)
        self.days += 1
        self.today = []

    def farthest_today(self, sign: float) -> float:
        """The lowest of the highest of three, or the highest of the lowest."""
        held = self.today[0 if sign < 0 else 1 :: 2]
        return max(held, key=lambda each: sign * each)

    def farthest_days(self, sign: float) -> list[float]:
        return sorted((sign * each for each in self.kept[sign][-extremes.KEPT :]), reverse=True)

    def scale(self, sign: float) -> float:
        farthest = self.farthest_days(sign)
        half, width = len(farthest) // 2, self.record[1.0] - self.record[-1.0]
        # The mean of what lies beyond the middle is that of the gaps, each as often as it is crossed.
        gaps = [place * (one - other) for place, (one, other) in enumerate(pairwise(farthest[: half + 1]), 1)]
        gap = extremes.OF_GAP * (sign * self.record[sign] - farthest[1])
        return max(math.fsum(gaps) / half, gap, extremes.LEAST * width, self.finest)

    def surprise(self, sign: float, held: float) -> float:
        farthest = self.farthest_days(sign)
        half, width = len(farthest) // 2, self.record[1.0] - self.record[-1.0]
        record, middle = sign * self.record[sign], farthest[half]
        beyond = held - record
        if beyond <= 0 or width <= 0 or beyond < extremes.CLEARLY * width or record - middle > extremes.REACHES * width:
            return 0.0
        known = max(half, extremes.ASSUMED)
        decades = math.log10(len(farthest) + 1) - extremes.SIDES_SEEN
        return max(decades + known * math.log10(1 + beyond / (known * self.scale(sign))), 0.0)
