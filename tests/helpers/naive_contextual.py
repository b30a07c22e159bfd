"""The slow, simple counterpart of the contextual detector: one sensor, plain numbers, lists that hold everything.

It shares nothing with the fast code except its constants. A stream is a class; `step` scores a value, then learns it.
"""

from __future__ import annotations

import math
import statistics
import struct
from typing import Any

from naive_noise import normal_reach

from detectors.base import BAND_DECADES
from detectors.contextual import detector, likelihood, neighbours, range_break, rarity, season, spread, steps

NAN = math.nan
DAY_S = 86_400.0


def upper_tail(z: float) -> float:
    """Decades of surprise of a standard normal deviate that is at least `z`."""
    if z <= 0:
        return 0.0
    return sum(each * min(z, likelihood.FARTHEST) ** power for power, each in enumerate(likelihood.TAIL))


class Gaussian:
    """A running mean and variance; the first `memory` values have equal weight."""

    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.count = 0
        self.mean = self.variance = 0.0

    def learn(self, value: float) -> None:
        share = max(1 / (self.count + 1), 1 / self.memory)
        off = value - self.mean
        self.mean += share * off
        self.variance = (1 - share) * (self.variance + share * off * off)
        self.count += 1


class Smoothed:
    """An exponential mean that starts as an ordinary one."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.count = 0
        self.mean = 0.0

    def take(self, value: float) -> float:
        self.count += 1
        self.mean += max(self.share, 1 / self.count) * (value - self.mean)
        return self.mean


class NaiveLikelihood:
    def __init__(self, share: float) -> None:
        self.smooth = Smoothed(share)
        self.past = Gaussian(steps.MEMORY)

    def step(self, raw: float) -> float:
        value = self.smooth.take(min(raw, likelihood.LARGEST))
        decades = upper_tail((value - self.past.mean) / max(math.sqrt(self.past.variance), 1e-6))
        self.past.learn(value)
        return decades


class NaiveRange:
    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.count = 0

    def step(self, bottom: float, top: float) -> float:
        width = self.high - self.low
        beyond = max(top - self.high, self.low - bottom, 0.0)
        reach = range_break.STRETCH * width if width > 0 else math.inf
        self.low = max(min(self.low, bottom), self.low - reach)
        self.high = min(max(self.high, top), self.high + reach)
        self.count += 1
        return math.sqrt(beyond / width) if width > 0 and self.count > range_break.WARM_UP else 0.0


class NaiveSeason:
    def __init__(self) -> None:
        self.days: dict[int, list[float]] = {}
        self.weeks: dict[int, list[float]] = {}
        self.residuals: list[float] = []
        self.level_square = self.residual_square = 0.0

    def step(self, value: float, time: float, interval: float) -> tuple[float, float, float, float]:
        """Season level, hour residual, expected value and the spread around it."""
        day = self.days.setdefault(int(time % DAY_S // 1800), [0, 0.0, 0.0, 0.0])
        monday = 4 * DAY_S
        week = self.weeks.setdefault(int((time - monday) % (7 * DAY_S) // 14_400), [0, 0.0])
        seen, quick, slow, variance = day
        off_day = unrounded(value - quick, value)
        off_week = unrounded(off_day - week[1], value)
        visit, part = max(1800 / max(interval, 1e-3), 1), max(14_400 / max(interval, 1e-3), 1)
        residual = 0.0
        if seen >= 2:
            residual = off_day
            if week[0] >= season.SEEN * part and abs(off_week) < abs(off_day):
                residual = off_week
        count = len(self.residuals)
        share = max(1 / (count + 1), 1 / steps.MEMORY)
        self.residuals.append(residual)
        mean = sum(self.residuals[-season.LEVEL_STEPS :]) / min(count + 1, season.LEVEL_STEPS)
        level = 0.0
        if self.level_square > 0 and count >= season.LEVEL_WARM_UP:
            level = abs(mean) / math.sqrt(self.level_square)
        self.level_square += share * (mean * mean - self.level_square)

        off = unrounded(value - slow, value) if seen >= 1 else 0.0
        trusted = min(seen, season.BIN_MOST)
        both = trusted * variance + season.BIN_PRIOR * self.residual_square
        deviation = math.sqrt(both / (trusted + season.BIN_PRIOR))
        hour = abs(off) / deviation if deviation > 0 else 0.0
        self.residual_square += share * (off * off - self.residual_square)
        quickly = max(share_of_one(season.QUICK, visit), 1 / (seen + 1))
        slowly = max(share_of_one(season.SLOW, visit), 1 / (seen + 1))
        weekly = max(share_of_one(season.WEEKLY, part), 1 / (week[0] + 1))
        day[:] = [
            seen + 1,
            quick + quickly * (value - quick),
            slow + slowly * (value - slow),
            variance + slowly * (off * off - variance),
        ]
        week[:] = [week[0] + 1, week[1] + weekly * ((off_day if seen >= 2 else 0.0) - week[1])]
        return level, hour, (quick if seen >= 2 else NAN), deviation


def share_of_one(share: float, steps: float) -> float:
    """The share per step of a share over many steps; about 1 - (1 - share) ** (1 / steps)."""
    rate = math.log(1 / (1 - share))
    return rate * share / (rate + (steps - 1) * share)


def unrounded(difference: float, value: float) -> float:
    return 0.0 if abs(difference) <= season.ROUNDING * abs(value) else difference


class NaiveSpread:
    def __init__(self) -> None:
        self.recent: list[float] = []
        self.least = 0.0
        self.logs = Gaussian(steps.MEMORY)

    def step(self, value: float) -> float:
        self.recent = [*self.recent, value][-steps.RECENT :]
        if len(self.recent) < steps.RECENT:
            return 0.0
        scatter = statistics.pstdev(self.recent)
        self.least = self.least or spread.LEAST_SHARE * scatter
        if self.least == 0:
            return 0.0
        log = math.log(scatter + self.least)
        away = abs(log - self.logs.mean) / max(math.sqrt(self.logs.variance), 1e-6)
        known = self.logs.count >= spread.WARM_UP
        self.logs.learn(log)
        return away if known else 0.0


class NaiveLevel:
    def __init__(self) -> None:
        self.long_run = Gaussian(steps.MEMORY)
        self.level = Smoothed(2 / (spread.LEVEL_STEPS + 1))

    def step(self, value: float) -> tuple[float, float]:
        level = self.level.take(value)
        away = 0.0
        if self.long_run.variance > 0 and self.long_run.count > steps.RECENT:
            away = abs(level - self.long_run.mean) / math.sqrt(self.long_run.variance)
        self.long_run.learn(value)
        return away, self.long_run.variance


class NaiveNeighbours:
    def __init__(self) -> None:
        self.values: list[float] = []
        self.places: list[tuple[float, float]] = []
        self.unit = 0.0

    def step(self, value: float, time: float, variance: float) -> float:
        self.unit = self.unit or math.sqrt(variance)
        angle = time % DAY_S / DAY_S * 2 * math.pi
        self.values.append(single(value / self.unit) if self.unit else 0.0)
        self.places.append((single(math.cos(angle)), single(math.sin(angle))))
        span = neighbours.SPAN
        remembered = len(self.values) - 1 - span
        if remembered < neighbours.BLOCK * neighbours.NEAREST + span or not self.unit:
            return 0.0
        scale = variance / self.unit**2
        now = len(self.values) - 1
        nearest: dict[int, float] = {}
        for end in range(max(span, remembered - neighbours.MEMORY + span), remembered):
            course = sum(
                (self.values[end - lag] - self.values[now - lag]) ** 2 for lag in range(0, span + 1, neighbours.GAP)
            )
            apart = sum((one - other) ** 2 for one, other in zip(self.places[end], self.places[now], strict=True))
            square = course / neighbours.LAGS / scale + apart
            block = end % neighbours.MEMORY // neighbours.BLOCK
            nearest[block] = min(square, nearest.get(block, math.inf))
        closest = sorted(nearest.values())[: neighbours.NEAREST]
        return sum(math.sqrt(max(each, neighbours.LEAST)) for each in closest) / neighbours.NEAREST


def single(value: float) -> float:
    """A number rounded to single precision, as stored in the ring."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


class NaiveRarity:
    def __init__(self) -> None:
        self.steps = 0
        self.excursions = [0] * rarity.LEVELS
        self.crest = 0.0

    def frequency(self, level: int) -> float:
        """Number of times that the evidence reached each integer or more."""
        believed = rarity.PRIOR_STEPS * 10 ** -(rarity.BASE + rarity.SLOPE * level)
        return (self.excursions[level - 1] + believed) / (self.steps + rarity.PRIOR_STEPS)

    def surprise(self, evidence: float) -> float:
        if evidence < 1.0:
            return -math.log10(self.frequency(1)) * evidence
        whole = min(int(evidence), rarity.LEVELS - 1)
        low, high = self.frequency(whole), self.frequency(whole + 1)
        share = evidence - whole
        return -math.log10(low + (high - low) * min(share, 1.0)) + rarity.SLOPE * max(share - 1.0, 0.0)

    def step(self, evidence: float, age: int, counted: bool) -> float:
        surprise = self.surprise(evidence)
        if counted:
            for level in range(1, rarity.LEVELS + 1):
                if evidence >= level > self.crest:
                    self.excursions[level - 1] += 1
            self.steps += 1
        self.crest = max(evidence, self.crest * rarity.EBB)
        beyond_doubt = max(evidence - rarity.DOUBT, 0.0) * rarity.SLOPE
        return max(min(surprise, math.log10(age + 1) + rarity.BEYOND_AGE + beyond_doubt), 0.0)


class NaiveSteps:
    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.first: tuple[float, float] | None = None
        self.ended = self.interval = 0.0
        self.pending: list[float] = []

    def take(self, value: float, time: float) -> list[float]:
        """The values of the step that ends with this one, relative to the first of all; empty if none ends."""
        if self.first is None:
            self.first, self.ended = (value, time), time
            return [0.0]
        begin, born = self.first
        self.pending.append(value - begin)
        gap = time - self.ended
        if 0 <= gap < min((time - born) / steps.AGE_IN_STEPS, self.step_s):
            return []
        self.ended = time
        if self.interval > 0:
            believed = min(max(gap, 0), steps.LONGEST_GAP * self.interval)
            self.interval += (believed - self.interval) / steps.INTERVAL_MEMORY
        else:
            self.interval = max(gap, 0)
        done, self.pending = self.pending, []
        return done


class NaiveContextual:
    def __init__(self, of: Any) -> None:
        self.steps = NaiveSteps(of.step_s)
        self.range, self.season, self.spread, self.level = NaiveRange(), NaiveSeason(), NaiveSpread(), NaiveLevel()
        self.neighbours = NaiveNeighbours()
        self.weights = list(detector.WEIGHTS)[1 : detector.STREAMS[of.size] + 1]
        self.likelihoods = [NaiveLikelihood(share) for share in detector.SHARES]
        self.rarity = NaiveRarity()
        self.count = self.changes = 0
        self.before = 0.0
        self.last: tuple[float, float, float, float] = (NAN, NAN, NAN, NAN)

    def step(self, value: float, time: float) -> tuple[float, float, float, float]:
        values = self.steps.take(value, time)
        if not values:
            return self.last
        mean = sum(values) / len(values)
        over = self.range.step(min(values), max(values))
        level, hour, expected, deviation = self.season.step(mean, time, self.steps.interval)
        scatter = self.spread.step(mean)
        away, variance = self.level.step(mean)
        course = self.neighbours.step(mean, time, variance) if len(self.weights) == 5 else 0.0
        raw = (over, level, hour, scatter, course)
        streams = zip(self.likelihoods, raw, self.weights, strict=False)
        evidence = sum([weight * each.step(score) for each, score, weight in streams])
        evidence += detector.WEIGHTS[0] * upper_tail(away)
        warm = self.count >= steps.WARM_UP
        score = self.rarity.step(evidence if warm else 0.0, self.count, warm)
        score += math.log10(len(values)) * min(score, 1.0)
        if self.changes < detector.CHANGES:
            score = min(score, math.log10(self.count + 2))
        self.changes += mean != self.before
        self.before = mean
        self.count += 1
        if warm and self.steps.first is not None:
            middle, reach = self.steps.first[0] + expected, normal_reach(BAND_DECADES) * deviation
            self.last = score, middle, middle - reach, middle + reach
        return self.last
