"""Slow, simple counterparts of the detectors: one sensor, plain numbers, one reading at a time.

They share nothing with the fast code except its constants. Each `step` returns (score, expected, lower, upper).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from naive_contextual import NaiveContextual
from naive_drift import NaiveDrift
from naive_extremes import NaiveExtremes
from naive_hours import NaiveHours
from naive_noise import NAN, NO_OPINION, Judgement, NaiveNoise, limited, taken_in
from naive_states import NaiveStates
from naive_swing import NaiveSwing
from naive_trend import NaiveTrend

from detectors.noise import noise
from detectors.univariate import cusum, ewma, flatline, limits, median, rate, seasonal, silence, volatility


class NaiveLimits:
    def __init__(self, detector: limits.Limits) -> None:
        self.set = detector
        self.state = 0

    def step(self, value: float, time: float) -> Judgement:
        of = self.set
        if all(math.isnan(each) for each in (of.low, of.high, of.low_critical, of.high_critical)):
            return NO_OPINION
        back = of.deadband
        state = 0
        if value < of.low + (back if self.state < 0 else 0):
            state = -1
        if value > of.high - (back if self.state > 0 else 0):
            state = 1
        if value < of.low_critical + (back if self.state == -2 else 0):
            state = -2
        if value > of.high_critical - (back if self.state == 2 else 0):
            state = 2
        self.state = state
        lower = of.low_critical if math.isnan(of.low) else of.low
        upper = of.high_critical if math.isnan(of.high) else of.high
        return (0.0, limits.BEYOND, limits.CRITICAL)[abs(state)], NAN, lower, upper


class NaiveRate:
    def __init__(self, detector: rate.RateOfChange) -> None:
        self.most = detector.most_per_s
        self.noise = NaiveNoise(detector.spread_memory)
        self.last: tuple[float, float] | None = None

    def step(self, value: float, time: float) -> Judgement:
        if self.last is None:
            self.last = (value, time)
            return NO_OPINION
        before, since = self.last
        self.last = (value, time)
        change = value - before
        score, expected, lower, upper = self.noise.judge(change, before, math.sqrt(self.noise.variance))
        self.noise.learn(change)
        if not math.isnan(self.most) and time > since:
            possible = self.most * (time - since)
            beyond = abs(change) / max(possible, 1e-200)
            certain = min(rate.CERTAIN * beyond, 300.0) if beyond > 1 else 0.0
            score = certain if math.isnan(score) else max(score, certain)
            expected = before
            lower = before - possible if math.isnan(lower) else max(lower, before - possible)
            upper = before + possible if math.isnan(upper) else min(upper, before + possible)
        return score, expected, lower, upper


class NaiveFlatline:
    def __init__(self, detector: flatline.Flatline) -> None:
        self.shortest = detector.shortest
        self.value: float | None = None
        self.length = self.runs = self.repeats = self.readings = 0
        self.longest = self.rival = 1.0
        self.longest_s = self.rival_s = 0.0
        self.born = self.since = NAN
        self.lows = 0
        self.seen: list[float] = []

    def may_rest(self, since: float) -> bool:
        return since - self.born < (flatline.WEEK_S if self.lows >= flatline.OFTEN else flatline.YOUNG_S)

    def step(self, value: float, time: float) -> Judgement:
        longest, longest_s, runs = self.longest, self.longest_s, self.runs
        same = value == self.value
        if self.value is None:
            self.born = time
        if not same and self.value is not None:
            rested = self.may_rest(self.since) and self.value == min(self.seen)
            believed = self.length if rested else min(self.length, self.rival)
            self.longest = max(self.longest * (1 - flatline.FADING), believed)
            self.rival = max(self.rival * (1 - flatline.FADING), self.length)
            held = time - self.since
            believed_s = held if rested else min(held, self.rival_s)
            self.longest_s = max(self.longest_s * (1 - flatline.FADING), believed_s)
            self.rival_s = max(self.rival_s * (1 - flatline.FADING), held)
            self.runs += 1
        self.since = self.since if same else time
        is_young = self.since - self.born < flatline.YOUNG_S
        rests = self.may_rest(self.since) and value <= min(self.seen, default=math.inf)
        if not same:
            self.lows += bool(self.seen) and self.seen[-1] == min(self.seen)
        if value < min(self.seen, default=math.inf):
            self.lows = 0
        self.seen.append(value)
        self.length = self.length + 1 if same else 1
        self.value = value
        chance = limited((self.repeats + 1) / (self.readings + 2), 1e-12, 1 - 1e-9)
        weak = 1 + flatline.FEW_RUNS / max(runs, 1)
        longer_s = (time - self.since) / (max(longest_s, flatline.SHORTEST_S) * weak)
        longer = min(self.length / (longest * weak), longer_s)
        unusual = longer > flatline.LONGER and self.length >= self.shortest
        score = 0.0
        if unusual and not rests:
            decades = min(-(self.length - 1) * math.log10(chance), flatline.LONGER * longer)
            score = limited(flatline.YOUNG_SHARE * decades if is_young else decades, 0.0, 300.0)
        else:
            self.repeats += same
            self.readings += 1
        return (score if runs >= flatline.FEWEST_RUNS else NAN), NAN, NAN, NAN


class NaiveSilence:
    def __init__(self, detector: silence.Silence) -> None:
        self.set = detector
        self.time: float | None = None
        self.count = 0
        self.mean = self.deviation = self.longest = self.rival = 0.0
        self.born, self.repeats = NAN, 0
        self.values: list[float] = []
        self.paused = self.pause = self.pause_deviation = 0.0

    def step(self, value: float, time: float) -> Judgement:
        self.values.append(value)
        if self.time is None:
            self.born = time
        if self.time is not None and time > self.time:
            self.repeats += value == self.values[-2]
            gap = time - self.time
            self.learn_pause(gap - silence.PAUSE * self.mean)
            believed = min(gap, silence.WINSOR * self.mean) if self.count >= 3 else gap
            share = 1 / min(self.count + 1, silence.MEMORY)
            off = abs(believed - self.mean) if self.count > 0 else 0.0
            self.mean += share * (believed - self.mean)
            self.deviation += share * (off - self.deviation)
            normal = min(gap, max(believed, self.rival))
            kept = 1 - silence.FADING * min(gap / silence.FADING_S, 1)
            self.longest = max(self.longest * kept, normal)
            self.rival = max(self.rival * kept, gap)
            self.count += 1
        self.time = time
        return NO_OPINION

    def learn_pause(self, beyond: float) -> None:
        if self.count < 3:
            return
        known = min(self.paused * min(self.count, silence.MEMORY), silence.KNOWN_PAUSES)
        self.paused += ((beyond > 0) - self.paused) / min(self.count + 1, silence.MEMORY)
        if beyond > 0:
            believed = min(beyond, silence.WINSOR * self.pause) if known >= 3 else beyond
            off = abs(believed - self.pause) if known > 0 else 0.0
            self.pause += (believed - self.pause) / (known + 1)
            self.pause_deviation += (off - self.pause_deviation) / (known + 1)

    def patience(self, decades: float) -> float:
        if self.count < silence.FEWEST_GAPS:
            return math.inf
        scale = max(1.25 * self.deviation, self.mean / 4)
        usual = self.mean + decades * math.log(10) * scale
        if self.paused >= silence.PAUSES and self.paused * min(self.count, silence.MEMORY) >= silence.FEWEST_PAUSES:
            known = max(self.paused * min(self.count, silence.MEMORY), 1.0)
            reach = min(known * (1000.0 ** (1 / known) - 1), silence.MOST_REACH)
            burst = max(1.25 * self.pause_deviation, self.pause / (known + 1))
            usual = max(usual, silence.PAUSE * self.mean + self.pause + reach * burst)
        young = 0.0
        if self.time is not None and self.time - self.born < silence.YOUNG_S and self.repeats <= 0.1 * self.count:
            if self.deviation >= 0.25 * self.mean:
                young = min(50 * self.mean, 4 * 3600.0)
            if self.values[-1] == 0 == min(self.values):
                young = 16 * 3600.0
        return max(usual, self.set.gaps * self.mean, 1.5 * self.longest, self.set.at_least_s, young)


class NaiveEwma:
    def __init__(self, detector: Any) -> None:
        self.memory = detector.memory
        self.noise = NaiveNoise(detector.spread_memory)
        self.mean = self.last = 0.0
        self.rises = self.falls = 0

    def step(self, value: float, time: float) -> Judgement:
        if self.noise.count == 0:
            self.mean = self.last = value
        moved, expected = value - self.last, self.mean
        self.last = value
        if moved < 0 and self.rises >= ewma.COUNTED and self.falls * ewma.RARELY <= self.rises:
            self.mean += moved
        self.rises += moved > 0
        self.falls += moved < 0
        residual = value - self.mean
        judgement = self.noise.judge(residual, expected, math.sqrt(self.noise.variance))
        share = 1 / min(self.noise.count + 1, self.memory)
        self.mean += share * self.noise.learn(residual)
        return judgement


class NaiveUnrest:
    def __init__(self, detector: volatility.Volatility) -> None:
        self.window = detector.window
        self.memory = detector.memory
        self.noise = NaiveNoise(detector.memory)
        self.last: float | None = None
        self.usual_step = self.average = self.usual = 0.0
        self.calm = 0

    def step(self, value: float, time: float) -> Judgement:
        step = 0.0 if self.last is None else abs(value - self.last)
        self.last = value
        count = self.noise.count
        self.calm = 0 if step > volatility.ORDINARY * self.usual_step else self.calm + 1
        believed = min(step, volatility.LARGEST_STEP * self.usual_step) if self.usual_step > 0 else step
        self.usual_step += (believed - self.usual_step) / min(count + 1, self.memory)
        if self.usual_step == 0:
            return NO_OPINION
        step = min(step, volatility.LARGEST_SEEN * self.usual_step)
        size = math.log(max(step + volatility.SMALL * self.usual_step, volatility.LEAST))
        self.average += (size - self.average) / min(count + 1, self.window)
        if count < self.window:
            self.usual = self.average
        elif self.calm >= volatility.CALM:
            self.average = min(self.average, self.usual)
        residual = self.average - self.usual
        score = self.noise.score(residual, math.sqrt(self.noise.variance))
        share = 1 / min(max(count - self.window, 1), self.memory)
        self.usual += share * self.noise.learn(residual, volatility.WORTH / self.window)
        return (min(score, 0.0) if residual < 0 and not math.isnan(score) else score, NAN, NAN, NAN)


class NaiveMedian:
    def __init__(self, detector: median.StreamingMedian) -> None:
        self.step_share = detector.step
        self.noise = NaiveNoise(detector.spread_memory)
        self.median = self.deviation = 0.0

    def step(self, value: float, time: float) -> Judgement:
        count = self.noise.count
        if count == 0:
            self.median = value
        residual = value - self.median
        least = median.LEAST_SHARE * math.sqrt(self.noise.variance)
        judgement = self.noise.judge(residual, self.median, max(median.NORMAL * self.deviation, least))
        believed = self.noise.learn(residual)
        off = abs(residual) - self.deviation
        if count < 30:
            self.median += believed / (count + 1)
            self.deviation += (abs(believed) - self.deviation) / (count + 1)
        else:
            step = self.step_share * max(self.deviation, least)
            self.median += math.copysign(min(step, abs(residual)), residual)
            self.deviation = max(self.deviation + math.copysign(min(step, abs(off)), off), 0.0)
        return judgement


class NaiveCusum:
    def __init__(self, detector: cusum.Cusum) -> None:
        self.set = detector
        self.noise = NaiveNoise(detector.memory)
        self.level = self.highest = self.excursion = self.above = self.below = self.wandering = self.recent = 0.0
        self.blocks = 0
        self.block: list[float] = []

    def step(self, value: float, time: float) -> Judgement:
        of, known = self.set, self.noise
        if known.count == 0:
            self.level = value
        sd, level = math.sqrt(known.variance), self.level
        residual = value - level
        z = limited(residual / sd, -cusum.CLIP, cusum.CLIP) if sd > 0 else 0.0
        rho = known.rho()
        exponent = 2 * of.allowance / max((1 + rho) / (1 - rho), cusum.BLOCK * self.wandering, 1.0)
        most = cusum.MOST_DECADES * math.log(10) / exponent
        score = NAN
        self.recent += (z - self.recent) * cusum.RECENTLY
        if self.blocks >= cusum.FEWEST_BLOCKS:
            self.above = self.summed(self.above, z, self.recent, most)
            self.below = self.summed(self.below, -z, -self.recent, most)
            score = exponent * max(self.above, self.below) / math.log(10)
            if max(self.above, self.below) <= noise.NEARLY * self.highest:
                score = min(score, known.seen_before())
        _, expected, lower, upper = known.judge(residual, level, sd)
        share = 1 / min(known.count + 1, of.memory)
        self.level += share * known.learn(residual)
        largest = max(self.above, self.below)
        ended = self.excursion if largest <= 0 else 0.0
        self.highest = taken_in(self.highest, ended, 4.0, of.memory)
        self.excursion = 0.0 if largest <= 0 else max(self.excursion, largest)
        self.learn_wandering(z)
        return score, expected, lower, upper

    def learn_wandering(self, z: float) -> None:
        self.block.append(z)
        if len(self.block) == cusum.BLOCK:
            share = 1 / min(self.blocks + 1, self.set.memory / cusum.BLOCK)
            self.wandering += share * ((sum(self.block) / cusum.BLOCK) ** 2 - self.wandering)
            self.blocks += 1
            self.block = []

    def summed(self, before: float, z: float, recent: float, most: float) -> float:
        if recent < self.set.allowance * cusum.SUPPORT:
            before *= 1 - cusum.FADE
        return limited(before + z - self.set.allowance, 0.0, most)


class NaiveSeasonal:
    def __init__(self, detector: seasonal.Seasonal) -> None:
        self.set = detector
        self.noise = NaiveNoise(detector.spread_memory)
        self.profile: dict[int, tuple[float, int]] = {}
        self.visiting: int | None = None
        self.visit: list[float] = []
        self.smooth = 0.0

    def step(self, value: float, time: float) -> Judgement:
        here = int(time % 86_400 // (86_400 / seasonal.BINS))
        if here != self.visiting:
            if self.visiting is not None:
                mean, visits = self.profile.get(self.visiting, (0.0, 0))
                share = max(self.set.blend, 1 / (visits + 1))
                mean += share * (sum(self.visit) / len(self.visit) - mean)
                self.profile[self.visiting] = (mean, visits + 1)
            self.visiting, self.visit = here, []
        self.visit.append(value)
        expected, visits = self.profile.get(here, (0.0, 0))
        if visits < 2:
            self.smooth = 0.0
            return NO_OPINION
        residual = value - expected
        if abs(residual) <= seasonal.ROUNDING * abs(expected):
            residual = 0.0
        self.smooth += (residual - self.smooth) / self.set.window
        judgement = self.noise.judge(self.smooth, expected, math.sqrt(self.noise.variance))
        followed = self.smooth if self.noise.variance > 0 else residual
        self.noise.learn(followed, 1 / self.set.window)
        return judgement


class Twins:
    """The counterpart of each detector, by the detector's name."""

    of: ClassVar[dict[str, type[Any]]] = {
        "limits": NaiveLimits,
        "rate": NaiveRate,
        "unrest": NaiveUnrest,
        "flatline": NaiveFlatline,
        "silence": NaiveSilence,
        "ewma": NaiveEwma,
        "median": NaiveMedian,
        "cusum": NaiveCusum,
        "seasonal": NaiveSeasonal,
        "extremes": NaiveExtremes,
        "drift": NaiveDrift,
        "trend": NaiveTrend,
        "swing": NaiveSwing,
        "hours": NaiveHours,
        "states": NaiveStates,
        "contextual": NaiveContextual,
    }
