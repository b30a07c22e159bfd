"""What a sensor does at the same hour each week or day, or often at any, is news only when it looks otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.incidents.lasting.course import Course
from edge.core.incidents.lasting.habits import REMEMBERED, SLACK_S, Habits
from edge.core.model.packing.encoding import encode_arrays
from edge.core.model.readings.messages import Message
from edge.core.scoring.consequence import IncidentExtent, Yardstick
from edge.core.scoring.opinions import Opinion
from tests.edge.core.pipelines import START, Line, detectors, pipeline, reading, revived, rule

DAY_S, WEEK_S, EVERY_S = 86_400.0, 7 * 86_400.0, 600.0
USUAL = Yardstick(20.0, 22.0)
WASHED = IncidentExtent(USUAL, readings=6, lowest=50.0, highest=60.0, first_value=50.0)
RULE = replace(rule(*detectors(silence={}, ewma={}, limits={"high": 90.0}), settings=IncidentSettings()), unit="Cel")


def washed(*days: float) -> Habits:
    """A sensor that was at 50 to 60 for an hour so many days after 100."""
    made = Habits()
    made.grow(1)
    for day in days:
        made.end(0, 100.0 + day * DAY_S, 3_700.0 + day * DAY_S, WASHED, Course(), ["rate", "spike"])
    return made


def covers(
    made: Habits,
    days: float,
    value: float = 55.0,
    *,
    later: float = 0.0,
    began: float = 0.0,
    kind: str = "level_shift",
) -> bool:
    """Whether it is a habit after so many days, `later` by seconds, in an incident that `began` later by seconds."""
    since = 100.0 + days * DAY_S
    return made.covers(0, since + min(began, later), since + later, value, [kind], IncidentExtent(USUAL))


def test_the_same_a_week_or_two_later_is_a_habit_and_so_is_the_third_day_in_a_row() -> None:
    assert covers(washed(0), 7)
    assert covers(washed(0), 14)
    assert not covers(washed(0), 1)
    assert covers(washed(0, 1), 2)
    assert not covers(washed(0), 6)


@pytest.mark.parametrize(
    ("is_habit", "lasts_s"), [(True, 64 * 3_600.0), (False, 80 * 3_600.0)], ids=["a weekend", "longer"]
)
def test_a_weekend_is_a_habit_from_the_second_on(is_habit: bool, lasts_s: float) -> None:
    made = Habits()
    made.grow(1)
    made.end(0, 100.0, 100.0 + lasts_s, WASHED, Course(), ["level_shift"])
    assert covers(made, 7) is is_habit
    assert covers(made, 7, later=60 * 3_600.0) is is_habit
    assert not covers(made, 7, later=72 * 3_600.0)


def test_what_happened_once_a_fortnight_ago_is_a_habit_only_if_it_begins_at_the_same_hour() -> None:
    assert covers(washed(0), 7, later=3600.0, began=3600.0)
    assert covers(washed(0), 14, later=1800.0, began=1800.0)
    assert not covers(washed(0), 14, later=3600.0, began=3600.0)
    assert covers(washed(0, 7), 14, later=3600.0, began=3600.0)
    assert covers(washed(0, 14), 28, later=3600.0, began=3600.0)
    assert covers(washed(0, 1), 2, later=3600.0, began=3600.0)


def test_what_happened_once_a_fortnight_ago_hides_nothing_that_goes_farther() -> None:
    assert covers(washed(0), 14, 60.5)
    assert not covers(washed(0), 14, 61.0)
    assert covers(washed(0), 7, 61.0)
    assert covers(washed(0, 7), 14, 61.0)


def slow(*days: float) -> Habits:
    """A sensor that has gone from 23 to 27 within four hours, and was over after eight, so many days after 100."""
    made, extent = Habits(), IncidentExtent(USUAL)
    made.grow(1)
    for hour in range(9):
        value, hours = min(23.0 + hour, 27.0), hour * 3_600.0
        extent.add(value, Opinion("ewma", "drift", 9.0, level=4.0), hours, hours, is_strange=False)
    for day in days:
        made.end(0, 100.0 + day * DAY_S, 28_900.0 + day * DAY_S, extent, Course(), ["drift"])
    return made


def test_what_goes_as_far_much_faster_is_news() -> None:
    assert covers(slow(0), 7, 23.5, kind="drift")
    assert not covers(slow(0), 7, 27.0, kind="drift")
    assert not covers(slow(0), 7, 27.0, later=1_800.0, kind="drift")
    assert covers(slow(0), 7, 27.0, later=3 * 3_600.0, kind="drift")


def test_only_what_exceeded_says_how_far_a_habit_goes() -> None:
    reach = (27.0 - 23.0) / 4 + (22.0 - 20.0) / 8
    assert covers(slow(0), 7, 26.9 + reach, later=4 * 3_600.0, kind="drift")
    assert not covers(slow(0), 7, 27.1 + reach, later=4 * 3_600.0, kind="drift")


def test_what_went_beyond_the_usual_range_is_a_habit_after_more_days_in_a_row() -> None:
    assert not covers(slow(0, 1), 2, 27.0, later=4 * 3_600.0, kind="drift")
    assert not covers(slow(*range(4)), 4, 27.0, later=4 * 3_600.0, kind="drift")
    assert covers(slow(*range(5)), 5, 27.0, later=4 * 3_600.0, kind="drift")


AT_ANY_HOUR = (0.0, 1.3, 3.6, 4.7)


@pytest.mark.parametrize(
    ("is_habit", "days", "how"),
    [
        (True, 6.2, {}),
        (False, 6.2, {"later": 3_600.0 + 3 * SLACK_S}),
        (True, 6.2, {"value": 60.5}),
        (False, 6.2, {"value": 62.0}),
        (False, 6.2, {"kind": "flatline"}),
        (False, 40.0, {}),
    ],
    ids=["the same", "longer", "hardly farther", "farther", "of another kind", "weeks later"],
)
def test_what_comes_and_ends_by_itself_at_any_hour_is_a_habit_after_some_times(
    is_habit: bool, days: float, how: dict[str, Any]
) -> None:
    assert not covers(washed(*AT_ANY_HOUR[:3]), 6.2)
    assert covers(washed(*AT_ANY_HOUR), days, **how) == is_habit


def test_what_went_beyond_the_usual_range_is_a_habit_at_any_hour_after_more_times() -> None:
    late = {"later": 4 * 3_600.0, "kind": "drift"}
    assert not covers(slow(*AT_ANY_HOUR), 6.2, 27.0, **late)
    assert covers(slow(*AT_ANY_HOUR, 6.2, 7.9, 9.3), 11.1, 27.0, **late)


def test_what_comes_more_often_than_before_is_news() -> None:
    assert covers(washed(*AT_ANY_HOUR), 5.1)
    assert covers(washed(*AT_ANY_HOUR, 5.1), 6.6)
    assert not covers(washed(*AT_ANY_HOUR, 6.1, 6.4, 6.7), 7.2)


def test_what_somebody_has_acknowledged_has_not_ended_by_itself() -> None:
    made = washed(*AT_ANY_HOUR[:3])
    day = AT_ANY_HOUR[3] * DAY_S
    made.end(0, 100.0 + day, 3_700.0 + day, WASHED, Course(), ["rate"], acted=True)
    assert not covers(made, 6.2)
    assert covers(made, AT_ANY_HOUR[3] + 7)


def test_a_state_of_a_version_without_the_first_values_is_read() -> None:
    made, again = slow(0), Habits()
    arrays = {name: each[:1] for name, each in made.arrays.items() if name not in Habits.LATER}
    again.grow(1)
    again.load(0, encode_arrays(arrays))
    assert covers(again, 7, 27.0, kind="drift")


def test_at_another_hour_or_for_longer_it_is_news() -> None:
    assert covers(washed(0), 7, later=-SLACK_S)
    assert not covers(washed(0), 7, later=-2 * SLACK_S)
    assert covers(washed(0), 7, later=3_600.0 + SLACK_S)
    assert not covers(washed(0), 7, later=3_600.0 + 2 * SLACK_S)


def test_farther_away_or_of_another_kind_it_is_news() -> None:
    assert covers(washed(0), 7, 62.0)
    assert not covers(washed(0), 7, 70.0)
    assert not covers(washed(0), 7, 0.0)
    assert not covers(washed(0), 7, kind="flatline")
    assert not covers(washed(0), 7, kind="missing")


def test_an_incident_of_values_that_may_be_error_values_is_as_wide_as_its_course() -> None:
    made, strange = washed(), IncidentExtent(USUAL, readings=3)
    made.end(0, 100.0, 3_700.0, strange, Course(21.0, 60.0, readings=6), ["spike"])
    assert covers(made, 7, 60.0, kind="spike")
    assert not covers(made, 7, 80.0, kind="spike")


def test_the_latest_incidents_are_remembered() -> None:
    made = washed(0, *range(20, 20 + REMEMBERED))
    assert not covers(made, 7)
    assert covers(made, 27)


def test_after_the_clock_was_set_the_times_move_along() -> None:
    made = washed(0)
    made.shift(np.array([0]), 1000 * DAY_S)
    assert covers(made, 1007)


def weeks(of_the_last: dict[float, float]) -> Line:
    """Four weeks of a sensor that is at 50 for an hour each week, and in the last one as given, by hours from then."""
    times = np.arange(0.0, 4 * WEEK_S, EVERY_S)
    values = 21.0 + np.random.default_rng(3).normal(0, 0.2, len(times))
    late = times % WEEK_S - 4.4 * DAY_S
    values[(late >= 0) & (late < 3600.0)] = 50.0
    for hours, value in of_the_last.items():
        values[(times > 3 * WEEK_S) & (late >= 3600.0 * hours) & (late < 3600.0 * (hours + 1))] = value
    line = Line(pipeline(lambda _: RULE))
    return line.take(
        [reading("paced/pool", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)], 500
    )


def raised(line: Line) -> list[float]:
    """The days on which incidents were raised."""
    return [round((each.time - START) / DAY_S, 1) for each in line.events if each.transition == "raised"]


@pytest.mark.parametrize(
    ("of_the_last", "days"),
    [
        ({}, [4.4]),
        ({1.0: 50.0, 2.0: 50.0}, [4.4, 25.5]),
        ({0.0: 80.0}, [4.4, 25.4]),
        ({0.0: 95.0}, [4.4, 25.4]),
        ({-5.0: 50.0}, [4.4, 25.2]),
    ],
    ids=["the same", "longer", "farther", "beyond a limit", "earlier"],
)
def test_a_weekly_disturbance_is_reported_once_and_again_when_it_looks_otherwise(
    of_the_last: dict[float, float], days: list[float]
) -> None:
    line = weeks(of_the_last)
    assert raised(line) == days
    ends = [each for each in line.events if each.transition in {"cleared", "expired"}]
    assert len(ends) == len(days)
    assert not line.pipeline.engine.open_incidents


def within_a_habit() -> tuple[Line, list[Message]]:
    """Two weeks of that sensor until half an hour after the second time began, and the readings from then on."""
    times = np.arange(0.0, 2 * WEEK_S, EVERY_S)
    values = 21.0 + np.random.default_rng(3).normal(0, 0.2, len(times))
    late = times % WEEK_S - 4.4 * DAY_S
    values[(late >= 0) & (late < 3600.0)] = 50.0
    sent = [reading("paced/pool", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)]
    cut = int(np.flatnonzero(times >= WEEK_S + 4.4 * DAY_S + 1800.0)[0])
    line = Line(pipeline(lambda _: RULE)).take(sent[:cut], 500)
    assert line.pipeline.engine.trackers[0].incident is not None
    return line, sent[cut:]


def test_an_unreported_incident_survives_a_restart_as_such() -> None:
    line, rest = within_a_habit()
    again = revived(pipeline(lambda _: RULE), line.pipeline.save("", ""), []).take(rest, 500)
    assert not raised(again)


def test_an_unreported_incident_is_unknown_to_commands() -> None:
    line, rest = within_a_habit()
    before = len(line.events)
    for command in ("shelve", "unshelve", "normal"):
        asked = json.dumps({"sensor": "paced/pool"} | ({"until": "2h"} if command == "shelve" else {})).encode()
        line.note(line.pipeline.follow(Message(f"edgewarden/command/{command}", asked, rest[0].arrived)))
    line.take(rest, 500)
    assert not [each for each in line.events[before:] if each.transition]
