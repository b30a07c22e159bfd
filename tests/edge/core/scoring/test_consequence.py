from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.notation.severity import severity_class
from edge.core.scoring.consequence import UNCERTAIN, UNKNOWN, IncidentExtent, Yardstick, severity_of_consequence
from edge.core.scoring.opinions import Opinion

TANK = Yardstick(low=20.0, high=95.0)
PARTS = st.tuples(*[st.floats(0, 1e6)] * 4, st.floats(0, 1))


def opinion(lower: float = math.nan, upper: float = math.nan, kind: str = "spike", **keys: float) -> Opinion:
    return Opinion("ewma", kind, 8.0, lower=lower, upper=upper, level=4.0, **keys)


def extent(*readings: tuple[float, float], yardstick: Yardstick = TANK, strange: bool = False) -> IncidentExtent:
    """The consequence of an incident with these readings, (time, value), outside a band of 40 to 50."""
    made = IncidentExtent(yardstick)
    for time, value in readings:
        made.add(value, opinion(40.0, 50.0), time, time, is_strange=strange)
    return made


@given(PARTS, st.integers(0, 4), st.floats(1.0, 10.0))
def test_severity_grows_with_each_of_its_parts_and_stays_within_its_scale(
    parts: tuple[float, float, float, float, float], which: int, factor: float
) -> None:
    more = list(parts)
    more[which] = more[which] * factor + 0.001
    one, other = (severity_of_consequence(*sizes, stays=stays) for *sizes, stays in (parts, more))
    assert 1 <= one <= other <= 1000


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_larger_deviations_are_at_least_as_severe(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert extent((0.0, 95.0 + near)).severity <= extent((0.0, 95.0 + far)).severity
    assert extent((0.0, 20.0 - near)).severity <= extent((0.0, 20.0 - far)).severity


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(-200.0, 300.0)), min_size=1, max_size=20))
def test_an_incident_is_as_severe_as_at_its_worst_moment(readings: list[tuple[float, float]]) -> None:
    made, before = IncidentExtent(TANK), 0
    for time, value in sorted(readings):
        made.add(value, opinion(40.0, 50.0), time, time, is_strange=False)
        assert made.severity >= before
        before = made.severity


def test_an_overflow_outranks_a_refill() -> None:
    refill = extent((0.0, 94.0), (3600.0, 93.0), (7200.0, 92.0))
    overflow = extent((0.0, 98.0), (3600.0, 101.0), (7200.0, 104.0))
    assert extent((0.0, 104.0)).severity > extent((0.0, 94.0)).severity
    assert severity_class(overflow.severity) > severity_class(refill.severity)


def for_hours(hours: float, value: float, first: float = math.nan, every: float = 600.0) -> int:
    """Severity of what stays at a value for so long, each ten minutes; from the first on, it may have gone there."""
    times = [every * each for each in range(round(3600 * hours / every) + 1)]
    return extent(*((time, value if time or math.isnan(first) else first) for time in times)).severity


def test_ten_incidents_of_a_tank_are_in_the_order_that_a_person_gives_them() -> None:
    severities = [
        for_hours(0.0, 94.0),  # it is refilled
        for_hours(2.0, 94.0),  # it stays full
        for_hours(2.0, 100.0),  # it overflows
        for_hours(6.0, 110.0),  # worse, and for longer
        for_hours(1.0, 170.0),  # a whole width beyond all before
        for_hours(6.0, 170.0),  # for a morning
        for_hours(6.0, 245.0),  # two widths
        for_hours(24.0, 245.0),  # for a day
        for_hours(24.0, 320.0),  # three widths
        for_hours(24.0, 320.0, first=50.0),  # which it has reached step by step
    ]
    assert severities == sorted(set(severities))
    assert severities[-1] < 1000


def test_the_scale_ends_at_1000_and_its_classes_are_those_of_the_points() -> None:
    assert severity_of_consequence(1.0, 9.0, 1.0, 15.0) == 1000
    assert severity_of_consequence(1.0, 9.0, 1.0, 0.0) == 867  # 1100 points
    points = [severity_of_consequence(1.0, each / 1000, 0.0, 1.0) for each in range(1500)]
    assert 750 in points
    assert 751 in points
    assert max(after - before for before, after in itertools.pairwise(points)) <= 4


def test_a_lasting_incident_becomes_more_severe_relative_to_the_usual_duration_of_the_sensor() -> None:
    severities = [extent((0.0, 60.0), (lasted, 60.0)).severity for lasted in (0.0, 3600.0, 10_800.0, 86_400.0)]
    assert severities == sorted(set(severities))
    often = Yardstick(low=20.0, high=95.0, episode_s=86_400.0)
    assert extent((0.0, 60.0), (86_400.0, 60.0), yardstick=often).severity < severities[-1]


def test_neither_clock_alone_extends_an_incident() -> None:
    alone = extent((0.0, 60.0), (60.0, 60.0)).severity
    for time, clock in ((86_400.0, 60.0), (60.0, 86_400.0)):
        made = extent((0.0, 60.0))
        made.add(60.0, opinion(40.0, 50.0), time, clock, is_strange=False)
        assert made.severity == alone


def test_setting_the_clock_of_a_sensor_extends_nothing() -> None:
    made = extent((0.0, 60.0))
    made.shift(86_400.0)
    made.add(60.0, opinion(40.0, 50.0), 86_460.0, math.nan, is_strange=False)
    assert made.lasted == 60.0


def test_a_worsening_incident_is_more_severe_than_a_constant_one() -> None:
    steady = extent((0.0, 60.0), (60.0, 60.0), (120.0, 60.0))
    growing = extent((0.0, 52.0), (60.0, 56.0), (120.0, 60.0))
    assert growing.severity > steady.severity


def test_the_severity_of_a_stuck_value_depends_on_its_duration_relative_to_the_longest_before() -> None:
    def stuck(now: float) -> int:
        made = IncidentExtent(TANK)
        made.add(50.0, opinion(kind="flatline", now=now, usual=10.0), 0.0, 0.0, is_strange=False)
        return made.severity

    assert [stuck(each) for each in (10.0, 20.0, 40.0)] == [100, 200, 300]


def test_what_is_beyond_all_before_for_minutes_counts_less_than_what_is_half_as_far_for_an_hour() -> None:
    for minutes, severe in ((0, 1), (5, 1), (60, 3)):
        assert severity_class(for_hours(minutes / 60, 200.0, every=60.0)) == severe
    assert for_hours(5 / 60, 250.0, every=60.0) < for_hours(1.0, 150.0, every=60.0)


def test_what_is_back_in_its_usual_range_doesnt_become_more_severe_by_where_it_was() -> None:
    washed = extent(*((60.0 * each, 250.0) for each in range(10)))
    before = washed.severity
    for minute in range(10, 120):
        washed.add(52.0, opinion(40.0, 50.0), 60.0 * minute, 60.0 * minute, is_strange=False)
    assert washed.severity == before


def test_a_peak_long_after_the_beginning_counts_from_its_own_beginning_on() -> None:
    late = extent(*((600.0 * each, 94.0) for each in range(24)))
    late.add(400.0, opinion(40.0, 50.0), 24 * 600.0, 24 * 600.0, is_strange=False)
    assert severity_class(late.severity) < 3


def test_a_possible_error_value_is_no_more_severe_than_an_error_value() -> None:
    assert extent((0.0, 6000.0), (3600.0, 6000.0), strange=True).severity == UNCERTAIN


def test_learned_incidents_stay_below_the_limits_of_a_sensor_that_has_some() -> None:
    limited = Yardstick(low=20.0, high=95.0, most=645)
    assert extent(*((600.0 * each, 1e6) for each in range(9)), yardstick=limited).severity == 645


def test_a_range_based_on_few_readings_counts_less() -> None:
    young = Yardstick(low=20.0, high=95.0, sure=0.1)
    assert extent((0.0, 150.0), yardstick=young).severity < extent((0.0, 150.0)).severity


@given(st.floats(100.0, 1e9))
def test_on_a_first_morning_nothing_is_severe_by_its_distance_alone(value: float) -> None:
    night = Yardstick(low=41.0, high=45.0, sure=0.1)
    morning = extent(*((60.0 * minute, value) for minute in range(30)), yardstick=night)
    assert severity_class(morning.severity) <= 1
    known = Yardstick(low=41.0, high=45.0)
    assert severity_class(extent(*((60.0 * each, value) for each in range(30)), yardstick=known).severity) == 3


def test_a_stuck_value_is_as_severe_on_the_first_day_as_later() -> None:
    def stuck(sure: float) -> int:
        made = IncidentExtent(Yardstick(low=20.0, high=95.0, sure=sure))
        made.add(50.0, opinion(kind="flatline", now=40.0, usual=10.0), 0.0, 0.0, is_strange=False)
        return made.severity

    assert stuck(0.1) == stuck(1.0) == 300


@pytest.mark.parametrize(("was", "now", "severe"), [(0.0, 1.0, 2), (100.0, 99.0, 1)])
def test_a_sensor_that_never_changed_has_a_range_of_a_twentieth_of_its_value(
    was: float, now: float, severe: int
) -> None:
    made = IncidentExtent(Yardstick(low=was, high=was))
    made.add(now, opinion(was, was), 0.0, 0.0, is_strange=False)
    assert severity_class(made.severity) == severe


def test_where_no_range_is_known_the_band_is_used_for_it() -> None:
    made = IncidentExtent(UNKNOWN)
    made.add(60.0, opinion(40.0, 50.0), 0.0, 0.0, is_strange=False)
    assert (made.first, made.beyond) == (1.0, 1.0)
