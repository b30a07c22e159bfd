"""The noise model in plain code, shared by the counterparts of the detectors."""

from __future__ import annotations

import math
from functools import cache

from detectors.base import BAND_DECADES
from detectors.noise import noise

Judgement = tuple[float, float, float, float]
NAN = math.nan
NO_OPINION = (NAN, NAN, NAN, NAN)


def normal_decades(z: float) -> float:
    """By the upper bound of Mills' ratio."""
    tail = math.sqrt(8 / math.pi) / (abs(z) + math.sqrt(z * z + 8 / math.pi))
    return min(z * z / 2 / math.log(10) - math.log10(tail), 300.0)


def student_decades(t: float, freedom: float) -> float:
    """The approximation of Wallace."""
    factor = (8 * freedom + 1) / (8 * freedom + 3)
    return normal_decades(factor * math.sqrt(freedom * math.log1p(t * t / freedom)))


@cache
def normal_reach(decades: float) -> float:
    """The inverse of `normal_decades`, by bisection."""
    low, high = 0.0, 100.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if normal_decades(middle) < decades else (low, middle)
    return high


def student_reach(decades: float, freedom: float) -> float:
    """The inverse of `student_decades`."""
    z = normal_reach(decades) * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(min(z * z / freedom, 700.0)))


def limited(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class NaiveNoise:
    def __init__(self, memory: float) -> None:
        self.memory = memory
        self.count = 0
        self.variance = self.lag = self.record = self.rival = self.peak = self.last = 0.0
        self.fourth = 3.0

    def rho(self) -> float:
        return limited(self.lag / self.variance, 0.0, 0.999) if self.variance > 0 else 0.0

    def freedom(self) -> float:
        rho = self.rho()
        independent = self.count * (1 - rho) / (1 + rho)
        error = math.sqrt(24 / min(max(self.count, 1), noise.KURTOSIS_MEMORY))
        heavy = 4 + 6 / max(self.fourth - 3 - 2 * error, 1e-3)
        return limited(min(independent - 1, heavy), 1.0, 1e4)

    def seen_before(self) -> float:
        return math.log10(min(self.count, noise.MOST_SEEN) + 2)

    def score(self, residual: float, scale: float) -> float:
        if self.count < noise.WARM_UP:
            return NAN
        away = abs(residual)
        if self.variance <= 0:
            decades = self.seen_before() if away > 0 else normal_decades(0.0)
        else:
            decades = student_decades(away / scale, self.freedom()) if scale > 0 else 0.0
            if away <= noise.NEARLY * self.record:
                decades = min(decades, self.seen_before())
        return min(decades, self.count / noise.READINGS_A_DECADE, 300.0)

    def judge(self, residual: float, expected: float, scale: float) -> Judgement:
        if self.count < noise.WARM_UP:
            return NO_OPINION
        reach = student_reach(BAND_DECADES, self.freedom()) * scale
        return self.score(residual, scale), expected, expected - reach, expected + reach

    def learn(self, residual: float, worth: float = 1.0) -> float:
        old = self.variance
        sd = math.sqrt(old)
        bound = noise.WINSOR * sd if old > 0 else math.inf
        believed = limited(residual, -bound, bound)
        last = limited(self.last, -noise.WINSOR * sd, noise.WINSOR * sd)
        share = 1 / min(self.count + 1, self.memory)
        self.variance += share * (believed**2 - self.variance)
        self.lag += share * (believed * last - self.lag)
        if self.count >= noise.WARM_UP:
            power = (believed**2 / old) ** 2 if old > 0 else 3.0
            self.fourth += worth / min(self.count + noise.KURTOSIS_PRIOR, noise.KURTOSIS_MEMORY) * (power - self.fourth)
        away = abs(residual)
        ended = self.peak if away <= sd else 0.0
        record = max(taken_in(self.record, ended, 4 * sd, self.memory), min(ended, self.rival))
        self.rival = max(self.rival * (1 - 1 / (20 * self.memory)), ended)
        self.peak = 0.0 if away <= sd else max(self.peak, away)
        self.record = record if old > 0 else away
        self.last = residual
        self.count += 1
        return believed


def taken_in(record: float, peak: float, usual: float, memory: float) -> float:
    return max(record * (1 - 1 / (20 * memory)), min(peak, noise.STRETCH * max(record, usual)))
