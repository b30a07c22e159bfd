"""The slow, simple counterpart of rests: one sensor, plain numbers and lists."""

from __future__ import annotations

import math

from naive_busy_hours import BusyHours, beyond

HOUR_S = 3600.0


class Runs:
    """How long it is active without a rest."""

    def __init__(self) -> None:
        self.since, self.worst, self.longest, self.rival = 0.0, 0.0, 0.0, 0.0

    def step(self, before: float, time: float, *, was_active: bool, active: bool) -> None:
        unseen, fades = time - before > 2 * HOUR_S, 1 - 0.001 * min(max((time - before) / HOUR_S, 0.0), 1.0)
        self.longest *= 1.0 if active else fades
        rival, self.rival = self.rival, self.rival * fades
        if was_active and (unseen or not active):
            length = (before if unseen else time) - self.since
            self.longest = max(self.longest, length if self.worst <= 1.5 else min(length, rival))
            self.rival = max(self.rival, length)
        if active and (unseen or not was_active):
            self.since, self.worst = time, 0.0

    def surprise(self, time: float, hours: float, *, active: bool) -> tuple[float, float]:
        if not active or hours < 192:
            return 0.0, math.inf
        most = 1.5 * max(self.longest, 1800.0)
        score = beyond(hours, (time - self.since) / most, 1 / 3)
        self.worst = max(self.worst, score)
        return score, self.since + most


class Rests:
    """The hours of the week at which a sensor is active."""

    def __init__(self) -> None:
        self.most: float | None = None

    def look(self, bins: list[float], low: float, width: float) -> None:
        if not width:
            return
        total, last = sum(bins), 1
        while sum(bins[:last]) < 0.005 * total:
            last += 1
        last += 1
        most = low + last * width
        found = most >= width and self.is_rest(bins, last, 0.1, 0.15)
        if self.most is not None:
            known = min(max(math.floor((self.most - low) / width + 0.5), 1), 64)
            same = abs(most - self.most) <= 4 * width
            if known <= last + 2 and self.is_rest(bins, known, 0.05, 0.3) and (same or not found):
                return
        self.most = None
        if found:
            self.begin(most, width)

    @staticmethod
    def is_rest(bins: list[float], last: int, often: float, seldom: float) -> bool:
        total, at_rest, beside = sum(bins), sum(bins[:last]), sum(bins[last : last + 2])
        return often * total <= at_rest <= 0.98 * total and beside <= seldom * at_rest

    def begin(self, most: float, slack: float) -> None:
        self.most, self.slack = most, slack
        self.was_active, self.was_resting = [0] * 168, [0] * 168
        self.held, self.broken, self.usual = 0, 0, 0.0
        self.active, self.since, self.told, self.last = True, 0.0, False, math.nan
        self.hour: int | None = None
        self.waits: tuple[int, float] | None = None
        self.spent, self.watched = 0.0, 0.0
        self.expected = False
        self.expected_since = 0.0
        self.until, self.left = -math.inf, False
        self.starts, self.starts_hours = BusyHours(2.0), 0.0
        self.runs = Runs()

    def step(self, value: float, time: float, *, by_timetable: bool = False, has_states: bool = False) -> float:
        self.by_timetable = by_timetable
        if self.most is None:
            return 0.0
        active = value > self.most + (0.0 if self.active else self.slack)
        if active == self.active and time < self.until:
            return 0.0
        was_active, before = self.active and self.hour is not None, time if self.hour is None else self.last
        passed = min(max(time - before, 0.0), HOUR_S)
        self.watched, self.last = self.watched + passed, time
        self.spent += passed if self.active else 0.0
        hour = math.floor(time / HOUR_S) % 168
        is_first = self.hour is None
        if hour != self.hour:
            self.enter(hour, time)
        changes = active != self.active or is_first
        if changes:
            self.end(time)
            self.active, self.since, self.told = active, time, False
        score = self.surprise(time)
        self.starts_hours += passed / HOUR_S
        known = self.starts_hours >= 72 and not has_states
        many = self.starts.count(float(changes and active), time, self.starts_hours, known=known)
        self.runs.step(before, time, was_active=was_active, active=active)
        long, too_long = self.runs.surprise(time, self.starts_hours, active=active)
        self.until = -math.inf if many > 0 or long > 0 else min(self.until, too_long)
        return max([score, *(each for each in (many, long) if each >= 2.5)])

    def is_wrong(self) -> bool:
        return self.expected and not self.active

    def length(self, time: float) -> float:
        return max(time - max(self.since, self.expected_since), 0.0)

    def end(self, time: float) -> None:
        if self.is_wrong() and not self.told:
            length = self.length(time)
            self.usual = max(self.usual, length)
            self.broken += length >= 3600

    def enter(self, hour: int, time: float) -> None:
        if self.waits is not None:
            cell, share = self.waits
            self.was_active[cell] = min(self.was_active[cell] + 1, 255) if share >= 0.1 else 0
            self.was_resting[cell] = min(self.was_resting[cell] + 1, 255) if share <= 0.02 else 0
        self.held += self.expected
        enough = self.hour is not None and self.watched >= 900
        self.waits = (self.hour, self.spent / self.watched) if enough and self.hour is not None else None
        self.spent, self.watched, self.hour = 0.0, 0.0, hour
        tables = (self.was_active, self.was_resting)
        has_both = all(sum(each >= 2 for each in table) >= 7 for table in tables)
        expected = has_both and self.foretells(self.was_active, hour)
        if expected != self.expected:
            self.end(time)
            self.told, self.expected_since = False, math.floor(time / HOUR_S) * HOUR_S
        self.expected = expected

    @staticmethod
    def foretells(in_a_row: list[int], hour: int) -> bool:
        around = [hour - 1, hour, hour + 1]
        by_week = all(in_a_row[each % 168] >= 2 for each in around)
        return by_week or all(in_a_row[(each + 24 * day) % 168] >= 1 for each in around for day in range(7))

    def surprise(self, time: float) -> float:
        hour_ends = (math.floor(time / HOUR_S) + 1) * HOUR_S
        if not self.is_wrong():
            self.until = hour_ends
            return 0.0
        length, least = self.length(time), max(3600.0, 1.5 * self.usual)
        if length < least:
            self.until = min(hour_ends, time - length + least)
            return 0.0
        self.until = -math.inf
        self.broken += not self.told
        self.left = self.left if self.told else self.by_timetable
        self.told = True
        evidence = (min(self.held, 2000) + 1) / (self.broken - 0.5)
        score = math.log10(evidence) + 2 * math.log10(length / least)
        return score if score >= 2.5 and not self.left else 0.0
