"""A silence is no older than what can be known: while no reading could arrive, nothing can be said about it."""

from __future__ import annotations

import json

import pytest

from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, pipeline, reading, revived

MINUTE_S, HOUR_S = 60.0, 3_600.0
LAST = START + 200 * MINUTE_S
AWAY_S = 5 * HOUR_S


def plant(first: int, last: int, *sensors: str) -> list[Message]:
    """Sensors that report every minute, in minutes since the start."""
    return [reading(name, START + MINUTE_S * each, 20.0 + each % 7) for each in range(first, last) for name in sensors]


def before() -> Line:
    """The state when the last readings have come."""
    return Line(pipeline()).take(plant(0, 201, "paced/a", "paced/b", "paced/c"))


def dated(line: Line, sensor: str = "paced/a") -> list[tuple[float, float]]:
    """When a sensor has been silent for too long, and when that was decided, in seconds since the last readings."""
    times = [(each.time, json.loads(each.payload)) for each in line.events if each.kind == "missing"]
    told = [(time, each) for time, each in times if sensor in {each["subject"], *each["data"]["sensors"]}]
    return [(time - LAST, each["recordedtime"]) for time, each in told]


def test_a_silence_after_the_service_was_away_is_dated_behind_that() -> None:
    line = before().do("interrupted", AWAY_S)
    for each in range(0, 600, 10):
        line.do("tick", float(each))
    times = [time for time, _ in dated(line)]
    assert AWAY_S < times[0] <= AWAY_S + 4 * MINUTE_S
    assert all(each > AWAY_S for each in times)


def test_the_plants_time_of_such_an_event_is_no_earlier() -> None:
    line = before().do("interrupted", AWAY_S).do("tick", 400.0)
    assert all(json.loads(each.payload)["recordedtime"] >= json.loads(each.payload)["time"] for each in line.events)
    assert dated(line)


def test_a_replay_dates_it_the_same() -> None:
    line, saved = before(), b""
    saved, line.parts = line.pipeline.save("", ""), []
    line.do("interrupted", AWAY_S).do("tick", 30.0).do("tick", 400.0)
    line.take(plant(510, 530, "paced/b", "paced/c")).do("tick", 400.0)
    again = revived(pipeline(), saved, line.parts)
    known = [each.id for each in line.events]
    assert [each.id for each in again.events] == known[-len(again.events) :]
    assert again.pipeline.save("", "") == line.pipeline.save("", "")


@pytest.mark.parametrize("waited", [10.0, 90.0])
def test_time_before_the_first_reading_postpones_no_silence_twice(waited: float) -> None:
    """Once silences were looked for, it is known that nothing came since the return; else not even that."""
    found = []
    for ticks in (True, False):
        line = before().do("interrupted", AWAY_S)
        line = line.do("tick", waited) if ticks else line
        found.append(dated(line.take(plant(502, 540, "paced/b", "paced/c"))))
    assert len(found[0]) == len(found[1])
    assert AWAY_S + 3 * MINUTE_S <= found[0][0][0] <= found[1][0][0] <= AWAY_S + 6 * MINUTE_S


def test_each_return_without_a_reading_begins_anew() -> None:
    line = before().do("interrupted", AWAY_S).do("tick", 60.0).do("interrupted", 2 * AWAY_S)
    for each in range(0, 600, 10):
        line.do("tick", float(each))
    assert all(time > 2 * AWAY_S for time, _ in dated(line))
    assert dated(line)


def test_an_interruption_and_its_time_survive_a_restart() -> None:
    line = before().do("interrupted", AWAY_S).do("tick", 30.0)
    again = revived(pipeline(), line.pipeline.save("", ""), [])
    assert again.pipeline.interruption.gone_s == AWAY_S
    again.take(plant(501, 520, "paced/a", "paced/b", "paced/c"))
    assert again.pipeline.interruption.gone_s == 0.0
    assert not again.missing()


def test_the_readings_say_how_long_it_was_and_not_our_clock() -> None:
    found = []
    for away_s in (0.0, AWAY_S, 1e9):
        line = before().do("interrupted", away_s).do("tick", 1.0)
        found.append(dated(line.take(plant(260, 300, "paced/b", "paced/c"))))
    assert found[0] == found[1] == found[2]
    assert found[0]
