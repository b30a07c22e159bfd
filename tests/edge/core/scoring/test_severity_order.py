"""The order of severities is the order in which a person would attend to incidents, over many situations."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import pytest

from edge.core.scoring.consequence import IncidentExtent, Yardstick
from edge.core.scoring.opinions import Opinion
from edge.core.scoring.sensors.usual_ranges import BLOCK_S, KNOWN_AFTER_S

HOUR_S = 3600.0
INFO = 250
PAIRS_AGREE = 0.87


class Situation(NamedTuple):
    """An incident of a sensor.

    Attributes:
        name: What has happened.
        rank: 0 nobody needs to know, 1 when there is time, 2 this week, 3 today, 4 at once.
        low: Lower end of the sensor's usual range.
        high: Upper end.
        days: For how long the sensor is known.
        band: The range that was expected; None if the condition isn't about the value.
        path: Hours and values; linear in between.
        kind: Kind of the condition.
        now: At the end, by its quantity; 0 if that is the value.
        usual: Usually.
        is_strange: Whether it may be an error value.
    """

    name: str
    rank: int
    low: float
    high: float
    days: float
    band: tuple[float, float] | None
    path: list[tuple[float, float]]
    kind: str
    now: float = 0.0
    usual: float = 0.0
    is_strange: bool = False

    def value(self, hour: float) -> float:
        """The value at an hour."""
        place = max(each for each, (time, _) in enumerate(self.path) if time <= hour)
        if place + 1 == len(self.path):
            return self.path[place][1]
        (begin, before), (end, after) = self.path[place : place + 2]
        return before + (after - before) * (hour - begin) / (end - begin)

    @property
    def severity(self) -> int:
        """At its end."""
        made = IncidentExtent(Yardstick(self.low, self.high, min(1.0, self.days * BLOCK_S / KNOWN_AFTER_S)))
        lower, upper = self.band or (math.nan, math.nan)
        hours = self.path[-1][0]
        steps = max(1, min(200, round(30 * hours)))
        for place in range(steps + 1 if hours else 1):
            share = place / steps if hours and self.kind != "variance" else 1.0
            kind = "level_shift" if self.kind in {"spike", "rate"} and place > 2 else self.kind
            now = self.usual + share * (self.now - self.usual) if self.now else math.nan
            found = Opinion("x", kind, 8.0, math.nan, lower, upper, level=4.0, now=now, usual=self.usual or math.nan)
            time = HOUR_S * hours * place / steps
            value = self.value(hours * place / steps)
            made.add(value, found, time, time, is_strange=self.is_strange)
        return made.severity


SITUATIONS = [
    Situation(
        "tank -1 % of the exercise", 0, 62.0, 73.0, 16.0, (63.2, 67.4), [(0.0, 63.0), (19.0, 62.8)], "level_shift"
    ),
    Situation(
        "tank at 66 expected 66.2 to 72.8", 0, 63.0, 73.0, 10.0, (66.2, 72.8), [(0.0, 66.0), (18.0, 66.0)], "contextual"
    ),
    Situation("tank refilled within its range", 0, 20.0, 95.0, 30.0, (58.0, 69.0), [(0.0, 94.0), (18.0, 94.0)], "rate"),
    Situation(
        "tank refilled once, range of ten days", 1, 63.0, 73.0, 10.0, (58.7, 68.9), [(0.0, 95.0), (18.0, 94.0)], "rate"
    ),
    Situation(
        "tank overflows", 3, 20.0, 95.0, 60.0, (40.0, 50.0), [(0.0, 98.0), (1.0, 104.0), (2.0, 104.0)], "level_shift"
    ),
    Situation(
        "nightly backup +6 %", 1, 38.0, 42.5, 7.0, (38.05, 39.2), [(0.0, 40.0), (0.3, 43.0), (3.3, 45.0)], "level_shift"
    ),
    Situation(
        "disk fills up", 3, 38.0, 45.0, 30.0, (38.0, 45.0), [(0.0, 46.0), (4.0, 60.0), (12.0, 90.0)], "level_shift"
    ),
    Situation(
        "freezer warms to -5",
        3,
        -20.0,
        -16.0,
        30.0,
        (-19.5, -16.5),
        [(0.0, -15.0), (1.0, -9.0), (2.0, -5.0), (4.0, -5.0)],
        "spike",
    ),
    Situation(
        "freezer door 20 min",
        2,
        -20.0,
        -16.0,
        30.0,
        (-19.5, -16.5),
        [(0.0, -15.0), (0.15, -14.0), (0.33, -13.0)],
        "spike",
    ),
    Situation("fridge 1 K warm for half an hour", 1, 4.0, 8.0, 30.0, (4.2, 7.8), [(0.0, 8.5), (0.5, 9.0)], "spike"),
    Situation("vaccines at 12 for 6 h", 4, 2.0, 6.0, 30.0, (2.5, 5.5), [(0.0, 7.0), (2.0, 12.0), (6.0, 12.0)], "spike"),
    Situation(
        "room 18.5 instead of 20.5 for 8 h", 1, 18.0, 23.0, 30.0, (20.5, 22.0), [(0.0, 19.5), (8.0, 18.5)], "contextual"
    ),
    Situation(
        "room at 10 over night", 3, 18.0, 23.0, 30.0, (19.0, 21.0), [(0.0, 17.0), (4.0, 13.0), (9.0, 10.0)], "spike"
    ),
    Situation("contact shut on a Sunday", 0, 0.0, 1.0, 30.0, None, [(0.0, 0.0), (10.0, 0.0)], "flatline", 20.0, 10.0),
    Situation(
        "press at 0 over the weekend", 0, 0.0, 142.0, 12.0, None, [(0.0, 0.0), (60.0, 0.0)], "flatline", 60.0, 0.02
    ),
    Situation("gauge stuck for 12 h", 2, 15.0, 25.0, 30.0, None, [(0.0, 21.3), (10.0, 21.3)], "flatline", 12.0, 2.0),
    Situation("gauge stuck for 3 d", 2, 15.0, 25.0, 30.0, None, [(0.0, 21.3), (70.0, 21.3)], "flatline", 72.0, 2.0),
    Situation("vibration 2315", 3, 1.3, 3.5, 30.0, (1.4, 3.4), [(0.0, 2315.0), (0.17, 2315.0)], "spike"),
    Situation(
        "vibration doubles, grows for 6 h",
        3,
        1.3,
        3.5,
        30.0,
        (1.4, 3.4),
        [(0.0, 3.8), (3.0, 5.0), (6.0, 7.0)],
        "level_shift",
    ),
    Situation(
        "vibration unsteady x12 for 10 h", 2, 1.3, 3.5, 30.0, None, [(0.0, 2.0), (10.0, 2.2)], "variance", 12.0, 1.0
    ),
    Situation(
        "temperature unsteady x5 for 10 min",
        0,
        5.0,
        20.0,
        20.0,
        None,
        [(0.0, 11.0), (0.17, 11.5)],
        "variance",
        5.0,
        1.0,
    ),
    Situation(
        "temperature unsteady x5 for 3 h", 1, 5.0, 20.0, 20.0, None, [(0.0, 11.0), (3.0, 11.5)], "variance", 5.0, 1.0
    ),
    Situation("gust 48 of 62", 0, 0.0, 62.0, 20.0, (0.0, 40.0), [(0.0, 48.0), (1.0, 48.0)], "contextual"),
    Situation("cpu 53 of 3 to 100 for 18 h", 0, 3.0, 100.0, 20.0, None, [(0.0, 53.0), (18.0, 53.0)], "level_shift"),
    Situation("memory after a restart", 0, 60.0, 75.0, 20.0, (73.0, 74.5), [(0.0, 70.0), (18.0, 71.0)], "level_shift"),
    Situation(
        "memory leaks to 98", 3, 60.0, 75.0, 20.0, (65.0, 74.0), [(0.0, 76.0), (5.0, 87.0), (10.0, 98.0)], "level_shift"
    ),
    Situation("tap runs for 8 h", 2, 0.0, 12.0, 20.0, None, [(0.0, 0.5), (7.0, 0.5)], "state", 8.0, 0.5),
    Situation("pipe bursts", 4, 0.0, 12.0, 20.0, (0.0, 12.0), [(0.0, 46.0), (3.0, 46.0)], "spike"),
    Situation(
        "machine runs at night for 6 h", 2, 0.0, 100.0, 20.0, (0.0, 5.0), [(0.0, 95.0), (6.0, 95.0)], "contextual"
    ),
    Situation(
        "pump stands in its shift for 6 h", 2, 0.0, 100.0, 20.0, (80.0, 100.0), [(0.0, 0.0), (6.0, 0.0)], "contextual"
    ),
    Situation("incubator door", 0, 2.9, 5.2, 20.0, (4.5, 5.2), [(0.0, 3.2), (0.1, 2.8)], "spike"),
    Situation(
        "incubator at 90 for 3 h", 3, 34.7, 39.6, 20.0, (36.5, 37.5), [(0.0, 45.0), (1.0, 90.0), (3.0, 90.0)], "spike"
    ),
    Situation("one reading of 6000", 1, 15.0, 25.0, 30.0, (18.0, 22.0), [(0.0, 6000.0)], "spike", is_strange=True),
    Situation("one poll of -40 dBm", 1, -24.0, -22.0, 20.0, (-23.5, -22.5), [(0.0, -40.0)], "spike", is_strange=True),
    Situation(
        "fibre 1.7 dB worse", 2, -24.0, -22.0, 20.0, (-23.5, -22.5), [(0.0, -25.0), (12.0, -25.2)], "level_shift"
    ),
    Situation("mains 251 V", 3, 228.0, 233.0, 30.0, (229.0, 232.0), [(0.0, 240.0), (1.0, 251.0)], "spike"),
    Situation("49.5 Hz", 3, 49.95, 50.05, 30.0, (49.96, 50.04), [(0.0, 49.8), (0.08, 49.5)], "spike"),
    Situation("calm for 3 d", 0, 0.0, 20.0, 20.0, None, [(0.0, 0.0), (70.0, 0.0)], "flatline", 72.0, 12.0),
    Situation("clouds", 0, 0.0, 5.0, 20.0, (2.5, 5.0), [(0.0, 0.8), (3.0, 0.5)], "contextual"),
    Situation("inverter dead all day", 2, 0.0, 5.0, 20.0, (2.5, 5.0), [(0.0, 0.0), (8.0, 0.0)], "contextual"),
    Situation(
        "3 K more on a first afternoon", 1, 20.0, 21.0, 0.2, (20.0, 21.0), [(0.0, 22.0), (6.0, 24.0)], "level_shift"
    ),
    Situation(
        "well 3 widths down within days",
        3,
        40.0,
        44.0,
        60.0,
        (40.0, 44.0),
        [(0.0, 39.0), (60.0, 33.0), (120.0, 28.0)],
        "level_shift",
    ),
]


def test_most_pairs_of_situations_are_in_the_order_that_a_person_gives_them() -> None:
    severities = [(each.rank, each.severity) for each in SITUATIONS]
    pairs = [pair for pair in itertools.combinations(severities, 2) if pair[0][0] != pair[1][0]]
    agree = sum((a[0] < b[0]) == (a[1] < b[1]) and a[1] != b[1] for a, b in pairs)
    assert agree >= PAIRS_AGREE * len(pairs)


@pytest.mark.parametrize("about", ["tank at 66 expected 66.2 to 72.8", "tank -1 % of the exercise", "calm for 3 d"])
def test_what_nobody_needs_to_know_stays_in_the_lowest_class_however_long_it_lasts(about: str) -> None:
    assert next(each for each in SITUATIONS if each.name == about).severity <= INFO


def test_a_filter_for_errors_passes_what_is_urgent_and_nothing_of_no_interest() -> None:
    passes = {each.name: each.severity > 2 * INFO for each in SITUATIONS}
    urgent = [each.name for each in SITUATIONS if each.rank >= 3 and each.name != "tank overflows"]
    assert all(passes[each] for each in urgent)
    assert not any(passes[each.name] for each in SITUATIONS if each.rank == 0)


def test_a_slow_rise_beyond_all_days_is_severe_although_its_way_there_was_taken_for_usual() -> None:
    records = Opinion("extremes", "spike", 8.0, math.nan, 48.0, 95.0, level=4.0)
    band = Opinion("ewma", "spike", 8.0, math.nan, 48.0, 95.0, level=4.0)
    severities = []
    for found in (records, band):
        made = IncidentExtent(Yardstick(48.0, 107.8))
        for time in range(0, 7200, 300):
            made.add(107.9, found, float(time), float(time), is_strange=False)
        severities.append(made.severity)
    assert severities[0] > 2 * INFO > severities[1]


def test_a_rest_is_less_severe_than_a_stuck_value_for_as_long() -> None:
    rest, stuck = (
        Situation("", 0, 0.0, 20.0, 30.0, None, [(0.0, v), (9.0, v)], "flatline", 36.0, 2.0) for v in (0.0, 7.0)
    )
    assert rest.severity <= INFO < stuck.severity


def test_what_is_more_unsteady_for_as_long_is_more_severe() -> None:
    severities = [
        Situation("", 0, 0.0, 9.0, 30.0, None, [(0.0, 4.0), (5.0, 4.0)], "variance", times, 1.0).severity
        for times in (1.2, 2.0, 8.0, 16.0)
    ]
    assert severities == sorted(set(severities))
