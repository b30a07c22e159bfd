"""The trend detector's counterpart: lists of days, and medians from the standard library."""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass

import numpy as np

from detectors.daily import slopes, trend, weeks
from detectors.numeric.surprise import student_tail

NAN = math.nan


@dataclass
class Told:
    """What is known of a trend."""

    score: float = NAN
    about: tuple[int, int] = (0, weeks.LAGS[0])
    rises: bool = False
    until: float = 0.0


class NaiveSlopes:
    def __init__(self) -> None:
        self.means: list[float] = []
        self.clean, self.spoilt, self.hours = 0, False, 0
        self.score, self.about = 0.0, (0, 0.0)
        self.today: dict[tuple[int, float], float] = {}
        self.days: list[dict[tuple[int, float], float]] = []

    def end_hour(self, mean: float, floor: float) -> None:
        self.means = [float(np.float32(mean)), *self.means][: slopes.HOURS + 1]
        self.clean = 0 if self.spoilt else min(self.clean, slopes.HOURS) + 1
        if len(self.means) <= slopes.HOURS:
            return
        found: tuple[float, tuple[int, float]] = (0.0, (0, 0.0))
        for side in slopes.SIDES:
            verdicts = {span: self.judged(span, side) for span in slopes.SPANS}
            was_told = self.score >= floor and self.about[1] == side
            goes_on = was_told and self.is_far(side)
            is_new = self.clean > slopes.HOURS and None not in verdicts.values()
            if verdicts[slopes.HOURS] is None or not (is_new or goes_on):
                continue
            for span, score in verdicts.items():
                latched = max(score or 0.0, self.score if was_told and span == slopes.HOURS else 0.0)
                if latched > found[0]:
                    found = latched, (span, side)
        self.score, self.about = float(np.float32(found[0])), found[1]
        self.hours = min(self.hours, slopes.NEWS) + 1 if self.score >= floor else 0
        for span, side in slopes.PLACES:
            if not 0 < self.hours <= slopes.NEWS and self.clean > span:
                change = float(np.float32(side * (self.means[0] - self.means[span])))
                self.today[span, side] = max(self.today.get((span, side), change), change)
        if 0 < self.hours <= slopes.NEWS:
            self.today = {}

    def end_day(self) -> None:
        if self.today:
            self.days, self.today = [self.today, *self.days][: slopes.KEPT], {}

    def is_far(self, side: float) -> bool:
        known = [day[slopes.HOURS, side] for day in self.days if (slopes.HOURS, side) in day]
        return bool(known) and side * (self.means[0] - self.means[slopes.HOURS]) >= slopes.GOES_ON * max(known)

    def judged(self, span: int, side: float) -> float | None:
        """Decades; None if the change isn't beyond those of all days."""
        kept = [day.get((span, side)) for day in self.days]
        known = [each for each in kept if each is not None]
        change = side * (self.means[0] - self.means[span])
        if len(known) < slopes.FEWEST or not change > max(known) > 0:
            return None
        largest = max(side * (now - then) for now, then in itertools.pairwise(self.means[: span + 1]))
        if change < slopes.MARGIN * max(known) or largest > slopes.GRADUAL * change:
            return 0.0
        steps = [(one - other) ** 2 for one, other in itertools.pairwise(kept) if one is not None and other is not None]
        spread = math.sqrt(min(statistics.variance(known), sum(steps) / (len(known) - 1) / 2))
        distance = (change - max(known)) / max(spread, slopes.LEAST * max(known))
        tail = float(student_tail(np.array([distance]), np.array([len(known) - 1.0]))[0])
        return max(math.log10(len(known) + 1) - slopes.OCCASIONS + tail, 0.0)


class NaiveTrend:
    def __init__(self, detector: trend.Trend) -> None:
        self.set = detector
        self.hour: list[float] = []
        self.hour_number = self.day_number = -math.inf
        self.day: list[float] = []
        self.days: list[tuple[float, float, float]] = []
        self.is_first_day = True
        self.told = Told()
        self.slopes = NaiveSlopes()

    def step(self, value: float, time: float) -> tuple[float, float, float, float]:
        hour = time // trend.HOUR_S
        if hour > self.hour_number:
            if self.hour:
                mean = math.fsum(self.hour) / len(self.hour)
                self.end_hour(mean)
                for _ in range(int(min(hour - self.hour_number, slopes.HOURS + 1))):
                    self.slopes.end_hour(mean, self.set.floor)
                self.slopes.spoilt = False
            self.hour, self.hour_number = [], hour
            day = time // trend.DAY_S
            if day > self.day_number:
                if self.day_number > -math.inf and self.day:
                    self.slopes.end_day()
                    self.end_days(int(day - self.day_number))
                self.day_number, self.day = day, []
        self.hour.append(value)
        steep = self.slopes.score
        return (steep if steep > 0 and not self.told.score >= steep else self.told.score), NAN, NAN, NAN

    def end_hour(self, mean: float) -> None:
        self.day.append(mean)
        if self.told.score > 0 and (mean < self.told.until if self.told.rises else mean > self.told.until):
            self.told.score = 0.0

    def end_days(self, passed: int) -> None:
        of_day = [float(np.float32(each)) for each in (min(self.day), statistics.fmean(self.day), max(self.day))]
        for _ in range(min(passed, trend.KEPT)):
            self.days = [(of_day[0], of_day[1], of_day[2]), *self.days][: trend.KEPT]
        known, before = len(self.days), self.told
        self.told = Told(0.0 if known >= trend.SPEAKS else NAN, before.about)
        if known < self.set.fewest_days:
            return
        for side in range(len(trend.SIDES)):
            told = max(before.score, 0.0) if before.about[0] == side else 0.0
            for lag in weeks.LAGS:
                score, rises, size = self.movement([each[side] for each in self.days], lag, told)
                if score > self.told.score:
                    week = self.days[: weeks.WEEK]
                    until = min(each[0] for each in week) if rises else max(each[2] for each in week)
                    until -= trend.SETBACK * size * (1 if rises else -1)
                    self.told = Told(score, (side, lag), rises, until)

    def movement(self, days: list[float], lag: int, told: float) -> tuple[float, bool, float]:
        change = [now - then for now, then in zip(days, days[lag:], strict=False)]
        earlier = change[lag + weeks.RECENT :]
        if len(days) < lag + weeks.WEEK or len(earlier) < weeks.FEWEST:
            return 0.0, False, 0.0
        moved, usual = statistics.median(change[: weeks.WEEK]), statistics.median(earlier)
        way, size = (1 if moved > 0 else -1), abs(moved)
        spread = roots([each - usual for each in earlier])
        steps = roots([one - other for one, other in itertools.pairwise(earlier)])
        alike = 1 - steps**2 / 2 / spread**2 if spread else -math.inf
        alike = min(1.0, max(weeks.LEAST_ALIKE, alike + weeks.MARGIN / math.sqrt(len(earlier))))
        spread *= math.sqrt(weeks.AVERAGED + (1 - weeks.AVERAGED) * alike**2)
        widest = max(days) - min(days)
        distance = max(way * (moved - usual), 0.0) / max(spread, weeks.LEAST_SHARE * widest, 1e-300)
        tail = student_tail(np.array([distance]), np.array([max(len(earlier) / (1 + (weeks.WEEK - 1) * alike), 1.0)]))
        score = max(float(tail[0]), told)
        eased = size * (weeks.ONCE_TOLD if told else 1.0)
        holds = (
            widest > 0
            and (told > 0 or self.steepest(change[: lag + weeks.WEEK], way) <= weeks.STEEPEST * size)
            and way * statistics.median(change[: weeks.LATELY]) >= weeks.GOES_ON * eased
            and self.new_ground(days, way) >= weeks.NEW_GROUND * eased
            and way * change[0] >= -weeks.SETBACK * size
            and max(way * each for each in change[: weeks.NEWEST]) >= weeks.SETBACK * size
        )
        typical = min(range(weeks.WEEK), key=lambda each: abs(change[each] - moved))
        return (score if holds else 0.0), way > 0, abs(days[typical] - days[typical + lag])

    @staticmethod
    def steepest(change: list[float], way: int) -> float:
        reach = weeks.SMOOTHING
        smooth = [statistics.median(change[max(0, each - reach) : each + reach + 1]) for each in range(len(change))]
        return max(way * (one - other) for one, other in itertools.pairwise(smooth))

    @staticmethod
    def new_ground(days: list[float], way: int) -> float:
        ahead = [way * each for each in days]
        return statistics.median(
            ahead[each] - max(ahead[each + weeks.WEEK :: weeks.WEEK]) for each in range(weeks.WEEK)
        )


def roots(numbers: list[float]) -> float:
    return weeks.OF_ROOTS * statistics.fmean(math.sqrt(abs(each)) for each in numbers) ** 2 if numbers else 0.0
