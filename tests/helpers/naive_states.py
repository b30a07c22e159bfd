"""The slow, simple counterpart of the states detector: one sensor, plain numbers and lists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from naive_brief_spells import BriefSpells
from naive_busy_hours import BusyHours, beyond
from naive_plateaus import Plateaus
from naive_rests import Rests

from detectors.states import States

NOTHING = (math.nan, math.nan, math.nan, math.nan)
HOUR_S, DAY_S = 3600.0, 86_400.0
BINS, MOST, BETWEEN = 64, 4, 4


class Histogram:
    """Readings by value, and the valleys between their modes."""

    def __init__(self) -> None:
        self.bins = [0.0] * BINS
        self.low, self.width = 0.0, 0.0
        self.seen, self.look, self.strays, self.strayed = 0, 200.0, 0.0, False
        self.last, self.finest = math.nan, math.inf

    def count(self, value: float) -> bool:
        if self.seen == 0:
            self.low = self.last = value
        step, self.last = abs(value - self.last), value
        if step > 0:
            self.finest = min(self.finest, step)
        self.seen += 1
        place = math.floor((value - self.low) / self.width) if self.width else (0 if value == self.low else -1)
        if 0 <= place < BINS:
            self.bins[place] += 1.0
            self.strayed = False
        else:
            self.strays += 0.01 if self.strayed else 1.0
            self.strayed = True
            if self.seen <= 64 or not self.width or self.strays >= 5:
                self.widen(value)
        return self.seen >= self.look

    def widen(self, value: float) -> None:
        if not self.width:
            width = abs(value - self.low) / 32
            low = min(self.low, value) - width / 2
            middles = [self.low] * BINS
        else:
            top = self.low + BINS * self.width
            span = max(top, value) - min(self.low, value)
            width = self.width
            while width * BINS < span * (1 + 1 / BINS):
                width *= 2
            low = top - BINS * width if value < self.low else self.low
            middles = [self.low + (place + 0.5) * self.width for place in range(BINS)]
        bins = [0.0] * BINS
        for middle, count in [*zip(middles, self.bins, strict=True), (value, 1.0)]:
            bins[min(max(math.floor((middle - low) / width), 0), BINS - 1)] += count
        self.bins, self.low, self.width, self.strays = bins, low, width, 0.0

    def cuts(self) -> list[float]:
        self.look = self.seen + min(math.floor(self.seen / 4), 2000)
        bins, total = list(self.bins), sum(self.bins)
        if total >= 20_000:
            self.bins = [each / 2 for each in bins]
        filled = [place for place in range(BINS) if bins[place] > 0]
        first, last = filled[0], filled[-1] + 1
        empty = [each <= 3e-4 * total for each in bins]
        runs = []
        place = 0
        while place < BINS:
            begin = place
            while place < BINS and empty[place]:
                place += 1
            if place - begin >= 3:
                runs.append((begin, place))
            place += 1
        found, edge = [], first
        for number, (begin, end) in enumerate(runs):
            if end >= last:
                continue
            follows = min([each for each, _ in runs[number + 1 :]] + [last])
            follows = min(follows, last)
            left, right, held = sum(bins[edge:begin]), sum(bins[end:follows]), sum(bins[begin:end])
            would = min(left / max(begin - edge, 1), right / max(follows - end, 1)) * (end - begin)
            if would >= 30 and held <= 0.05 * would and min(left, right) >= 0.003 * total:
                found.append(self.low + (begin + end) / 2 * self.width)
                edge = end
        return found if len(found) < MOST else []


class Hours:
    """The usual states in each hour of the week."""

    def __init__(self) -> None:
        self.shares: dict[int, list[float]] = {}
        self.visits = dict.fromkeys(range(168), 0)

    def learn(self, cell: int, spent: list[float]) -> None:
        visits, total = self.visits[cell], sum(spent)
        before = self.shares.get(cell, [0.0] * MOST)
        rate = max(0.2, 1 / (visits + 1))
        self.shares[cell] = [half(old + rate * (new / total - old)) for old, new in zip(before, spent, strict=True)]
        self.visits[cell] = visits + 1

    def foretell(self, cell: int) -> tuple[list[bool], int]:
        if self.visits[cell] < 2:
            return [False] * 5, -1
        day, hour = divmod(cell, 24)
        alike = [other for other in range(7) if other == day or self.go_alike(day, other)]
        worst, heard, usual = [0.0] * MOST, 0, -1
        for aside in (-1, 0, 1):
            others = alike if aside >= 0 or len(alike) == 1 else [other for other in alike if other != day]
            cells = [((hour + aside) + 24 * other) % 168 for other in others]
            visits = sum(self.visits[each] for each in cells)
            mean = [
                sum(self.visits[each] * self.shares.get(each, [0.0] * MOST)[level] for each in cells) / max(visits, 1)
                for level in range(MOST)
            ]
            worst = [max(pair) for pair in zip(worst, mean, strict=True)]
            heard += visits
            if aside == 0 and max(mean) > 0.5:
                usual = mean.index(max(mean))
        known = heard >= 6
        return [known and each < 0.05 for each in worst] + [known], usual

    def go_alike(self, one: int, other: int) -> bool:
        pairs = [(24 * one + hour, 24 * other + hour) for hour in range(24)]
        both = [pair for pair in pairs if self.visits[pair[0]] and self.visits[pair[1]]]
        apart = sum(sum(abs(a - b) for a, b in zip(self.shares[x], self.shares[y], strict=True)) / 2 for x, y in both)
        return len(both) >= 20 and apart <= 0.1 * len(both)


def half(number: float) -> float:
    """A number rounded to half precision."""
    return float(np.float16(number))


class Tally:
    """The durations of a state."""

    def __init__(self) -> None:
        self.count, self.middle, self.spread, self.longest, self.rival = 0, 0.0, 0.0, 0.0, 0.0

    def end(self, length: float, *, was_surprising: bool) -> None:
        logarithm, rate = math.log(max(length, 1.0)), 1 / min(self.count + 1, 100)
        aside = min(max(logarithm - self.middle, -4.0), 4.0) if self.count else 0.0
        self.middle = self.middle + rate * aside if self.count else logarithm
        self.spread += rate * (aside**2 * (1 - rate) - self.spread)
        self.count += 1
        believed = min(length, self.rival) if was_surprising else length
        self.longest = max(self.longest * 0.999, believed)
        self.rival = max(self.rival * 0.999, length)


class NaiveStates:
    def __init__(self, detector: States) -> None:
        self.set = detector
        self.plateaus = Plateaus()
        self.rests = Rests()
        self.histogram = Histogram()
        self.cuts: list[float] = []
        self.doubted = self.agreed = 0
        self.forget()

    def forget(self) -> None:
        self.center, self.scale, self.readings = [0.0] * MOST, [0.0] * MOST, [0.0] * MOST
        self.between = 0.0
        self.kept: list[float] = []
        self.origin, self.near, self.state = 0.0, 0, -1
        self.tallies = [Tally() for _ in range(5)]
        self.hours, self.cell, self.spent, self.spent_until = Hours(), -1, [0.0] * MOST, 0.0
        self.undue, self.due, self.foretold, self.broken = [False] * 5, -1, 0, {True: 0, False: 0}
        self.brief = BriefSpells()
        self.changes, self.aside = BusyHours(4.0), BusyHours(120.0)
        self.gap = 0.0
        self.watched, self.since, self.last, self.worst = 0.0, 0.0, 0.0, 0.0
        self.until, self.least, self.most = -math.inf, math.inf, -math.inf
        self.violated = self.began_undue = self.known = False
        self.odd_spent = self.odd_longest = 0.0
        self.place: tuple[float, float, bool] | None = None

    def step(self, value: float, time: float) -> Any:
        score = math.nan
        stays = self.plateaus.step(value, time, (self.histogram.low, self.histogram.width))
        shares = self.hours.shares.get(math.floor(time / HOUR_S) % 168, [0.0] * MOST)
        by_timetable = self.known and shares[min(max(self.state, 0), MOST - 1)] < 0.05
        rests = self.rests.step(value, time, by_timetable=by_timetable, has_states=self.known)
        if self.cuts:
            if self.least <= value <= self.most and self.last <= time < self.until:
                self.kept.append(value - self.origin)
                self.last = time
                score = 0.0 if self.known else math.nan
            else:
                score = self.follow(value, time)
        if self.histogram.count(value):
            self.rests.look(self.histogram.bins, self.histogram.low, self.histogram.width)
            found = self.histogram.cuts()
            near = 3 * self.histogram.width
            same = len(found) == len(self.cuts) and all(
                abs(a - b) <= 2 * near for a, b in zip(found, self.cuts, strict=True)
            )
            self.doubted = 0 if same else self.doubted + 1
            self.agreed += same
            if not same and (self.doubted >= 3 or self.agreed < 2):
                self.cuts, self.doubted, self.agreed = found, 0, 0
                self.forget()
        for other in (stays, rests):
            score = other if other > 0 and not score >= other else score
        return (score, *NOTHING[1:])

    def distance(self) -> float:
        pairs = [
            self.center[place + 1] - self.center[place]
            for place in range(MOST - 1)
            if self.readings[place] and self.readings[place + 1]
        ]
        return max(min(pairs, default=0.0), 0.0)

    def reach(self, level: int) -> float:
        return 6 * self.scale[level] + 0.02 * self.distance()

    def learn(self) -> None:
        number = len(self.kept)
        if not number:
            return
        level, count = self.near, self.readings[self.near]
        rate = number / min(count + number, 2000 + number)
        mean = sum(self.kept) / number
        variance = max(sum(each * each for each in self.kept) / number - mean * mean, 0.0)
        aside, spread = self.origin + mean - self.center[level], self.scale[level] ** 2
        spread = spread + rate * (variance + (1 - rate) * aside * aside - spread) if count else variance
        self.center[level] += rate * aside if count else aside
        self.scale[level] = math.sqrt(max(spread, 0.0))
        self.readings[level] = count + number
        self.kept = []

    def follow(self, value: float, time: float) -> float:
        self.learn()
        before, is_first = self.state, self.state < 0
        passed = 0.0 if is_first else min(max(time - self.last, 0.0), HOUR_S)
        self.last = time
        level = sum(value > cut for cut in self.cuts)
        known_level = self.readings[level] >= 8
        is_in = not known_level or abs(value - self.center[level]) <= self.reach(level)
        state = level if is_in else BETWEEN
        self.spend(before, time)
        changed = not is_first and state != before
        if changed:
            lasted, tally = max(time - self.since, 0.0), self.tallies[before]
            self.brief.end(before, lasted, tally.count, tally.spread, known=self.known, watched=self.watched)
            self.tallies[before].end(max(time - self.since, 0.0), was_surprising=self.worst > 1.5)
            self.end_odd_time(before, max(time - self.since, 0.0))
        if changed or is_first:
            self.since, self.worst = time, 0.0
            self.violated = self.violated and self.odd_spent > 0
        self.state = state
        goes_on = self.changes.crest > 0 or self.aside.crest > 0 or self.worst > 1.5 or self.brief.score > 0
        self.known = self.has_states() or (self.known and goes_on)
        reach = self.reach(level)
        most = reach if is_in else reach / 2
        self.origin, self.near = self.center[level], level
        aside = value - self.origin
        self.kept = [min(max(aside, -most), most) if known_level else aside]
        self.between = self.between * (1 - 1 / 8000) + (not is_in)
        self.least, self.most = math.inf, -math.inf
        if is_in and known_level:
            above = self.cuts[level] if level < len(self.cuts) else math.inf
            below = math.nextafter(self.cuts[level - 1], math.inf) if level else -math.inf
            self.least, self.most = max(self.origin - reach, below), min(self.origin + reach, above)
        seldom = before == BETWEEN or self.readings[max(before, 0)] <= 0.03 * sum(self.readings)
        apart = passed if before >= 0 and seldom else 0.0
        self.gap = max(self.gap * 0.999, passed)
        vacant = self.stay(value, time, max(passed, self.set.shortest_s / 10), is_out=self.known and not is_in)
        score = self.surprise(state, passed, apart, time, vacant, changed=changed)
        return score if self.known else math.nan

    def spend(self, before: int, time: float) -> None:
        passed = min(max(time - self.spent_until, 0.0), HOUR_S)
        if 0 <= before < BETWEEN:
            self.spent[before] += passed
        if before >= 0:
            self.watched += passed
        self.spent_until = time
        cell = math.floor(time / HOUR_S) % 168
        if cell != self.cell:
            foretold = self.hours.foretell(cell)
            if self.cell >= 0 and sum(self.spent) >= 900:
                self.hours.learn(self.cell, self.spent)
                self.foretold += any(self.undue)
            self.spent, self.cell = [0.0] * MOST, cell
            self.undue, self.due = foretold

    def end_odd_time(self, state: int, length: float) -> None:
        if self.undue[state]:
            passed = length if self.began_undue else min(length, HOUR_S)
            self.odd_spent += 0.0 if state == BETWEEN else passed
        elif length >= self.set.shortest_s:
            self.odd_longest = max(self.odd_longest * 0.999, self.odd_spent)
            self.odd_spent = 0.0
        else:
            self.odd_spent = max(self.odd_spent - length, 0.0)

    def has_states(self) -> bool:
        count, total = len(self.cuts) + 1, sum(self.readings)
        visits = [each.count for each in self.tallies[:count]]
        if self.between > 0.05 * total or self.watched < 1.5 * DAY_S or self.agreed < 2:
            return False
        settled = 0
        for made, seen in zip(visits, self.readings, strict=False):
            lasts = made / max(seen, 1.0) <= 0.8 * (1 - seen / max(total, 1.0))
            settled += made >= 6 and lasts
            if not (made >= 6 and lasts) and seen > 0.03 * total:
                return False
        if settled < 2:
            return False
        exact = [each <= 1e-6 * self.distance() for each in self.scale[:count]]
        for center, seen, is_exact in zip(self.center, self.readings, exact, strict=False):
            if is_exact and not all(exact) and center != 0 and (seen <= 0.1 * total or center < 0):
                return False
        steps = [self.center[place + 1] - self.center[place] for place in range(count - 1)]
        if min(steps) > 3 * self.histogram.finest:
            return True
        is_switch, even = count == 2 and self.center[0] == 0, max(steps) - min(steps) <= 0.25 * min(steps)
        return all(exact) and (is_switch or not even)

    def stay(self, value: float, time: float, moment: float, *, is_out: bool) -> float:
        """Follow where a machine is outside of its states: its value and time there first, and whether that was new."""
        if not is_out:
            self.place = None
            return 0.0
        width, low = self.histogram.width, self.histogram.low
        if self.place is None or abs(value - self.place[0]) > width:
            here = math.floor((value - low) / width)
            around = [self.histogram.bins[each] for each in range(here - 1, here + 2) if 0 <= each < BINS]
            self.place = (value, time, not any(around))
        _, since, is_new = self.place
        is_known = is_new and self.watched >= 8 * DAY_S
        return beyond(self.watched / HOUR_S, (time - since) / moment, 0.5) if is_known else 0.0

    def surprise(self, state: int, passed: float, apart: float, time: float, vacant: float, *, changed: bool) -> float:
        length, tally, is_between = max(time - self.since, 0.0), self.tallies[state], state == BETWEEN
        chances = sum(each.count for each in self.tallies) if is_between else tally.count
        enough = chances >= 24 if is_between else chances >= 8 and self.watched >= 3 * DAY_S
        enough = enough and (self.watched >= 8 * DAY_S or (length < 8 * HOUR_S and state > 0))
        longest = max(tally.longest, self.set.shortest_s / 10)
        record = max(longest, passed) if is_between else longest
        spread = 0.5 if is_between else max(math.sqrt((1 + chances * tally.spread) / (4 + chances)), 0.2)
        score = max(vacant, beyond(chances, length / record, spread) if self.known and enough else 0.0)
        self.worst = max(self.worst, score)
        hours, counts = self.watched / HOUR_S, self.known and self.watched >= 3 * DAY_S
        rush = self.changes.count(float(changed), time, hours, known=counts)
        rush = max(rush, self.aside.count(apart, time, hours, known=counts, fewest=3 * self.gap))
        undue = self.known and self.undue[state]
        if self.since == time:
            self.began_undue = undue
        wrong, odd = 0.0, self.odd_spent + length
        if undue and odd >= self.set.shortest_s:
            if not self.violated:
                self.violated = True
                self.broken[self.began_undue] += 1
            earlier = self.broken[self.began_undue] - 1
            wrong = math.log10((min(self.foretold, 2000) + 1) / (earlier + 0.5))
            longer = math.log10(max(odd / max(self.odd_longest, HOUR_S), 1.0))
            known = min(self.foretold / 84, 1.0)
            wrong = max(wrong + (2 * known * longer if self.began_undue else 0.0), 0.0)
        until = self.since + longest if self.known and enough else math.inf
        if undue:
            until = min(until, time + max(self.set.shortest_s - odd, 0.0))
        brief = self.brief.now(state, length, longest)
        self.until = -math.inf if rush > 0 or brief > 0 else min(until, (math.floor(time / HOUR_S) + 1) * HOUR_S)
        return max(score, rush, brief, wrong)
