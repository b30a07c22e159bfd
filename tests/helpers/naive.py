"""Slow, simple counterparts of the detectors: one sensor, plain numbers, one reading at a time.

They share nothing with the fast code except its constants. Each `step` returns (score, expected, lower, upper).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from naive_contextual import NaiveContextual
from naive_noise import NAN, NO_OPINION, Judgement, NaiveNoise, limited, student_decades, taken_in
from naive_states import NaiveStates

from detectors import noise
from detectors.univariate import cusum, drift, ewma, flatline, limits, median, rate, seasonal, silence, volatility


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
        self.born = self.since = NAN
        self.seen: list[float] = []

    def step(self, value: float, time: float) -> Judgement:
        longest, runs = self.longest, self.runs
        same = value == self.value
        if self.value is None:
            self.born = time
        if not same and self.value is not None:
            rested = self.since - self.born < flatline.YOUNG_S and self.value == min(self.seen)
            believed = self.length if rested else min(self.length, self.rival)
            self.longest = max(self.longest * (1 - flatline.FADING), believed)
            self.rival = max(self.rival * (1 - flatline.FADING), self.length)
            self.runs += 1
        self.since = self.since if same else time
        is_young = self.since - self.born < flatline.YOUNG_S
        rests = is_young and value <= min(self.seen, default=math.inf)
        self.seen.append(value)
        self.length = self.length + 1 if same else 1
        self.value = value
        chance = limited((self.repeats + 1) / (self.readings + 2), 1e-12, 1 - 1e-9)
        longer = self.length / (longest * (1 + flatline.FEW_RUNS / max(runs, 1)))
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

    def step(self, value: float, time: float) -> Judgement:
        if self.time is not None and time > self.time:
            gap = time - self.time
            believed = min(gap, silence.WINSOR * self.mean) if self.count >= 3 else gap
            share = 1 / min(self.count + 1, silence.MEMORY)
            off = abs(believed - self.mean) if self.count > 0 else 0.0
            self.mean += share * (believed - self.mean)
            self.deviation += share * (off - self.deviation)
            normal = min(gap, max(believed, self.rival))
            self.longest = max(self.longest * (1 - silence.FADING), normal)
            self.rival = max(self.rival * (1 - silence.FADING), gap)
            self.count += 1
        self.time = time
        return NO_OPINION

    def patience(self, decades: float) -> float:
        if self.count < silence.FEWEST_GAPS:
            return math.inf
        scale = max(1.25 * self.deviation, self.mean / 4)
        usual = self.mean + decades * math.log(10) * scale
        return max(usual, self.set.gaps * self.mean, 1.5 * self.longest, self.set.at_least_s)


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


class NaiveDriftSide:
    """The extremes of days on one side, at one scale."""

    def __init__(self, sign: float) -> None:
        self.sign = sign
        self.extreme = self.middle = self.root = self.record = 0.0
        self.inner = -sign * drift.UNKNOWN
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
            nearer *= drift.FADING
        elif days >= fewest:
            nearer = min(nearer, self.root**2)
        self.inner -= self.sign * nearer
        off, further = self.extreme - self.middle, self.off(self.extreme)
        if further <= 0:
            further *= drift.FADING
        elif days >= fewest:
            further = min(further, self.root**2)
        self.record += self.sign * further
        self.middle += off / min(days + 1, drift.MEMORY_DAYS)
        self.root += (math.sqrt(abs(off)) - self.root) / min(days, drift.MEMORY_DAYS)

    def deviation(self, least: float) -> float:
        return max(drift.OF_ROOTS * self.root**2, least)

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
        self.sides = {scale: (NaiveDriftSide(-1.0), NaiveDriftSide(1.0)) for scale in drift.SCALES_S}
        self.means = dict.fromkeys(drift.SCALES_S, 0.0)
        self.first: float | None = None
        self.last = self.day = self.beyond = self.crest = 0.0
        self.days, self.told, self.floor = 0, "", detector.floor

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
        low, high = (each.record for each in self.sides["hour"])
        there = [False, False]
        for scale, memory_s in drift.SCALES_S.items():
            pair = self.sides[scale]
            width = pair[1].record - pair[0].record
            deviations = [each.deviation(drift.LEAST_SHARE * width) for each in pair]
            reach = max(drift.FAR * width, drift.FAR_IN_DEVIATIONS * max(deviations))
            believed = min(max(value, pair[0].record - reach), pair[1].record + reach) if known else value
            share = max(1 - math.exp(-passed / memory_s), passed / max(time - self.first, 1.0))
            self.means[scale] = value if is_first else self.means[scale] + share * (believed - self.means[scale])
            if known and scale == "hour":
                there = self.speak(value, passed)
                farthest = self.missed(pair, passed, drift.LEAST_SHARE * width)
            for place, side in enumerate(pair):
                side.see(self.means[scale], is_new_day=is_new_day)
                off = min(side.off(self.means[scale]), side.off(self.means["hour"]))
                there[place] = there[place] and off > 0
                if there[place] and deviations[place] > 0:
                    farthest = max(farthest, off / deviations[place])
        if not known or farthest == 0:
            self.beyond = 0.0
            return (0.0, NAN, low, high) if known else NO_OPINION
        score = math.log10(self.days + 1) - drift.SIDES_SEEN + student_decades(farthest, max(self.days - 1.0, 1.0))
        if any(there) and score >= self.floor:
            self.told = "telling"
        self.beyond = self.beyond + passed if score >= drift.ADOPTED_FROM else 0.0
        if self.beyond >= drift.ADOPTED_S:
            self.begin_anew()
        return (min(max(score, 0.0), 300.0), NAN, low, high)

    def begin_anew(self) -> None:
        self.days, self.told = 0, ""
        for side in self.sides["hour"]:
            side.missed = 0.0

    def end_day(self) -> None:
        for side in [each for pair in self.sides.values() for each in pair]:
            side.end_day(self.days, self.fewest)
        self.days += 1

    def missed(self, pair: tuple[NaiveDriftSide, NaiveDriftSide], passed: float, least: float) -> float:
        """How far the level of an hour has been for a day from where it was on each day before."""
        farthest = 0.0
        for side in pair:
            side.miss(self.means["hour"], passed)
            own = side.deviation(least)
            if side.missed >= drift.A_DAY_S and own > 0:
                farthest = max(farthest, drift.RETURNS * side.nearest / own)
        return farthest

    def speak(self, value: float, passed: float) -> list[bool]:
        """On which side the level of an hour is beyond its record without being on its way back."""
        low, high = self.sides["hour"]
        mean = self.means["hour"]
        farther = max(low.off(mean), high.off(mean))
        lasting = max(each.off(self.means["quarter"]) for each in self.sides["quarter"])
        if farther <= 0 and (not self.told or lasting <= 0):
            self.told, self.crest = "", 0.0
        else:
            self.crest = max(self.crest * math.exp(-passed / 21_600), farther)
            middle = (low.record + high.record) / 2
            home = value <= middle if high.off(mean) > 0 else value >= middle
            if self.told and (farther < 0.5 * self.crest or (home and farther < 0.75 * self.crest)):
                self.told = "returning"
        if self.told == "telling":
            return [True, True]
        speaks = self.told == "" or farther >= self.crest
        return [speaks and value < low.record, speaks and value > high.record]


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
        "drift": NaiveDrift,
        "states": NaiveStates,
        "contextual": NaiveContextual,
    }
