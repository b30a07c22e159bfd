"""The slow, simple counterpart of the drift detector: one sensor, plain numbers, one reading at a time."""

from __future__ import annotations

import math

from naive_noise import NAN, NO_OPINION, Judgement, student_decades

from detectors.daily import day_records, drift


class NaiveDriftSide:
    """The extremes of days on one side, at one scale."""

    def __init__(self, sign: float) -> None:
        self.sign = sign
        self.extreme = self.middle = self.root = self.record = 0.0
        self.inner = -sign * day_records.UNKNOWN
        self.missed = self.nearest = 0.0

    def off(self, level: float) -> float:
        return self.sign * (level - self.record)

    def see(self, level: float, *, is_new_day: bool) -> None:
        if is_new_day or self.sign * level > self.sign * self.extreme:
            self.extreme = level

    def end_day(self, days: int, fewest: float) -> None:
        if days == 0:
            self.middle = self.record = self.inner = self.extreme
            self.root = 0.0
            return
        nearer = self.sign * (self.inner - self.extreme)
        if nearer <= 0:
            nearer *= day_records.FADING
        elif days >= fewest:
            nearer = min(nearer, self.root**2)
        self.inner -= self.sign * nearer
        off, further = self.extreme - self.middle, self.off(self.extreme)
        if further <= 0:
            further *= day_records.FADING
        elif days >= fewest:
            further = min(further, self.root**2)
        self.record += self.sign * further
        self.middle += off / min(days + 1, day_records.MEMORY_DAYS)
        self.root += (math.sqrt(abs(off)) - self.root) / min(days, day_records.MEMORY_DAYS)

    def deviation(self, least: float) -> float:
        return max(day_records.OF_ROOTS * self.root**2, least)

    def miss(self, level: float, passed: float) -> None:
        """Follow for how long the level hasn't been where it is on each day, and how near it was."""
        off = self.sign * (self.inner - level)
        if not off > 0:
            self.missed = self.nearest = 0.0
            return
        self.missed += min(passed, drift.LONGEST_PASSED_S)
        self.nearest = min(self.nearest, off) if self.missed > drift.LEAVING_S else off


class NaiveDrift:
    def __init__(self, detector: drift.LevelDrift) -> None:
        self.fewest = detector.fewest_days
        self.sides = {scale: (NaiveDriftSide(-1.0), NaiveDriftSide(1.0)) for scale in day_records.SCALES_S}
        self.means = dict.fromkeys(day_records.SCALES_S, 0.0)
        self.first: float | None = None
        self.last = self.day = self.beyond = self.crest = 0.0
        self.days, self.stage, self.floor = 0, "", detector.floor

    def step(self, value: float, time: float) -> Judgement:
        is_first = self.first is None
        if self.first is None:
            self.first = self.last = self.day = time
        passed, self.last = min(time - self.last, drift.DAY_S), time
        begun = (time - self.day) // drift.DAY_S
        is_new_day = is_first or begun > 0
        if is_new_day and not is_first:
            self.end_day()
        self.day += begun * drift.DAY_S
        known, farthest = self.days >= self.fewest, 0.0
        low, high = (each.record for each in self.sides[day_records.QUICK])
        there = [False, False]
        for scale, memory_s in day_records.SCALES_S.items():
            pair = self.sides[scale]
            width = pair[1].record - pair[0].record
            deviations = [self.with_imagined(each.deviation(drift.LEAST_SHARE * width), width) for each in pair]
            reach = max(drift.FAR * width, drift.FAR_IN_DEVIATIONS * max(deviations))
            believed = min(max(value, pair[0].record - reach), pair[1].record + reach) if known else value
            share = max(1 - math.exp(-passed / memory_s), passed / max(time - self.first, 1.0))
            self.means[scale] = value if is_first else self.means[scale] + share * (believed - self.means[scale])
            if known and scale == day_records.QUICK:
                there = self.speak(value, passed)
                farthest = self.missed(pair, passed, drift.LEAST_SHARE * width)
            for place, side in enumerate(pair):
                side.see(self.means[scale], is_new_day=is_new_day)
                off = self.off(side, scale)
                is_young = scale == day_records.SLOW and self.days < drift.OWN_DAYS
                there[place] = there[place] and (off > 0 or is_young)
                if there[place] and deviations[place] > 0:
                    farthest = max(farthest, off / deviations[place])
        if not known or farthest == 0:
            self.beyond = 0.0
            return (0.0, NAN, low, high) if known else NO_OPINION
        score = (
            math.log10(self.days + 1)
            - drift.SIDES_SEEN
            + student_decades(farthest, max(self.days - 1.0 + self.imagined, 1.0))
        )
        if any(there) and score >= self.floor:
            self.stage = "telling"
        self.beyond = self.beyond + passed if score >= drift.ADOPTED_FROM else 0.0
        if self.beyond >= drift.ADOPTED_S:
            self.begin_anew()
        return (min(max(score, 0.0), 300.0), NAN, low, high)

    @property
    def imagined(self) -> float:
        """Number of days imagined in addition to those seen."""
        return max(0.0, drift.IMAGINED * (drift.OWN_DAYS - self.days) / (drift.OWN_DAYS - 1.0))

    def with_imagined(self, deviation: float, width: float) -> float:
        imagined, own = self.imagined, max(self.days - 1.0, 0.0)
        if imagined == 0:
            return deviation
        squares = imagined * (drift.ASSUMED * width) ** 2 + own * deviation**2
        return math.sqrt(squares / max(imagined + own, 1.0))

    def off(self, side: NaiveDriftSide, scale: str) -> float:
        """How far a level is beyond its record; the longer one says nothing before it has seen a weekend."""
        if scale == day_records.SLOW and self.days < drift.OWN_DAYS:
            return 0.0
        return min(side.off(self.means[scale]), side.off(self.means[day_records.QUICK]))

    def begin_anew(self) -> None:
        self.days, self.stage = 0, ""
        for side in self.sides[day_records.QUICK]:
            side.missed = 0.0

    def end_day(self) -> None:
        for side in [each for pair in self.sides.values() for each in pair]:
            side.end_day(self.days, max(drift.OWN_DAYS, self.fewest))
        self.days += 1

    def missed(self, pair: tuple[NaiveDriftSide, NaiveDriftSide], passed: float, least: float) -> float:
        """How far the level of an hour has been for a day from where it was on each day before."""
        farthest = 0.0
        for side in pair if self.days >= drift.OWN_DAYS else ():
            side.miss(self.means[day_records.QUICK], passed)
            own = side.deviation(least)
            if side.missed >= drift.A_DAY_S and own > 0:
                farthest = max(farthest, drift.RETURNS * side.nearest / own)
        return farthest

    def speak(self, value: float, passed: float) -> list[bool]:
        """On which side the level of an hour is beyond its record without being on its way back."""
        low, high = self.sides[day_records.QUICK]
        mean = self.means[day_records.QUICK]
        farther = max(low.off(mean), high.off(mean))
        lasting = max(each.off(self.means[day_records.SLOW]) for each in self.sides[day_records.SLOW])
        if farther <= 0 and (not self.stage or lasting <= 0):
            self.stage, self.crest = "", 0.0
        else:
            self.crest = max(self.crest * math.exp(-passed / 21_600), farther)
            middle = (low.record + high.record) / 2
            home = value <= middle if high.off(mean) > 0 else value >= middle
            if self.stage and (farther < 0.5 * self.crest or (home and farther < 0.75 * self.crest)):
                self.stage = "returning"
        if self.stage == "telling":
            return [True, True]
        speaks = self.stage == "" or farther >= self.crest
        return [speaks and value < low.record, speaks and value > high.record]
