"""A wrong clock affects only its own sensor or, if it is the gateway's, the sensors that the gateway stamps."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edge.core.intake.times.clock_evidence import STEP
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, reading, revived

GOOD = ("paced/a", "paced/b")
STAMPED = ("now/a", "now/b", "now/c")


def with_one(*of_the_wrong: Message) -> list[Message]:
    """Two good sensors for as long as the wrong one sends, all in order of arrival."""
    first, last = of_the_wrong[0].arrived, of_the_wrong[-1].arrived
    good = plant(np.arange(first, last + 1.0), *GOOD)
    return sorted([*good, *of_the_wrong], key=lambda each: each.arrived)


def wrong(offset: float, seconds: int = 60, start: float = START) -> list[Message]:
    """A sensor that sends every second, with the given clock error."""
    times = start + 0.5 + np.arange(float(seconds))
    return [reading("paced/wrong", time + offset, 20.0, time) for time in times.tolist()]


def silent_since(line: Line, sensor: str) -> bool:
    """Whether the silence of a sensor is noticed while the others continue."""
    others = [each for each in (*GOOD, "paced/wrong") if each != sensor]
    line.take(plant(START + np.arange(60.0, 90.0), *others))
    return line.missing() == [sensor]


@pytest.mark.parametrize("offset", [60.0, 5.0, -5.0, -3600.0, -86_400.0 * 365])
def test_a_sensor_with_a_wrong_clock_makes_no_sensor_silent_and_is_learned_from(offset: float) -> None:
    line = Line(pipeline()).take(with_one(*wrong(offset)), cut=7)
    assert (line.events, line.refused) == ([], [])
    assert line.pipeline.counters.readings_taken == 3 * 60
    assert silent_since(line, "paced/b")


@pytest.mark.parametrize("offset", [60.0, -3600.0])
def test_a_sensor_whose_clock_is_wrong_is_found_to_be_silent_too(offset: float) -> None:
    line = Line(pipeline()).take(with_one(*wrong(offset)), cut=7)
    line.take(plant(START + np.arange(60.0, 140.0), *GOOD))
    assert line.missing() == ["paced/wrong"]


def test_one_wild_reading_makes_no_sensor_silent_and_affects_only_its_own_sensor() -> None:
    sent = with_one(*wrong(0.0))
    wild = reading("paced/wrong", START + 89.0, 20.0, START + 30.2)
    line = Line(pipeline()).take(sorted([*sent, wild], key=lambda each: each.arrived), cut=7)
    assert line.missing() == []
    assert line.refused == ["late"] * (STEP - 1)
    assert line.pipeline.counters.clock_steps == 1
    assert silent_since(line, "paced/b")


@pytest.mark.parametrize(
    ("ts", "reason"),
    [
        (START + 60.5, "time_in_future"),
        (START + 86_400.0, "time_in_future"),
        (START / 1000.0, "time_implausible"),
        (946_684_799.0, "time_implausible"),
        (1.0, "time_implausible"),
    ],
)
def test_impossible_times_are_refused_with_their_reason(ts: float, reason: str) -> None:
    line = Line(pipeline()).take(plant(START + np.arange(-20.0, 0.0), *GOOD))
    line.take([reading("paced/a", ts, 95.0, START)])
    assert (line.refused, line.events) == ([reason], [])
    line.take(plant(START + np.arange(20.0), *GOOD))
    assert (line.refused, line.events) == ([reason], [])


def test_a_sender_of_milliseconds_is_understood_and_one_of_seconds_in_their_place_is_not() -> None:
    payloads = [{"value": 1, "ts": (START + 1) * 1000}, {"value": 1, "ts": (START + 2) / 1000}]
    line = Line(pipeline()).take([Message("paced/a", json.dumps(each).encode(), START + 3) for each in payloads])
    assert line.refused == ["time_implausible"]
    assert line.pipeline.engine.statistics.time[0] == START + 1


def test_a_sensor_whose_clock_is_set_back_is_accepted_after_some_readings() -> None:
    line = Line(pipeline()).take(with_one(*wrong(0.0, 30), *wrong(-600.0, 30, START + 30.0)), cut=7)
    assert line.refused == ["late"] * (STEP - 1)
    assert line.pipeline.counters.clock_steps == 1
    assert {each.sensor for each in line.events} <= {"paced/wrong"}
    assert not line.pipeline.engine.open_incidents
    assert line.pipeline.counters.readings_taken == 3 * 60 - (STEP - 1)


@pytest.mark.parametrize("reorder_s", [0.0, 5.0])
@pytest.mark.parametrize("steps", [(3600.0,), (-3600.0,), (-30.0, 30.0), (86_400.0, -86_400.0), (-7.0, -7.0, 500.0)])
def test_when_the_gateway_clock_is_set_nothing_is_refused_and_only_silent_sensors_are_silent(
    steps: tuple[float, ...], reorder_s: float
) -> None:
    line = Line(pipeline(reorder_s=reorder_s)).take(plant(START + np.arange(30.0), *STAMPED), cut=7)
    now = START + 30.0
    for by in steps:
        line.note(line.pipeline.clock_stepped(by))
        now += by
        line.take(plant(now + np.arange(30.0), *STAMPED), cut=7)
        now += 30.0
    assert (line.events, line.refused) == ([], [])
    assert line.pipeline.counters.readings_taken + len(line.pipeline.reorder) == 3 * 30 * (1 + len(steps))
    line.take(plant(now + np.arange(30.0), *STAMPED[:2]), cut=7)
    assert line.missing() == ["now/c"]
    again = revived(pipeline(reorder_s=reorder_s), pipeline().save("", ""), line.parts)
    assert differing(again.pipeline, line.pipeline) == []
    assert again.events == line.events


def test_a_step_of_the_gateway_clock_affects_no_detector_that_depends_on_time() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(60.0), *STAMPED))
    for by in (-3600.0, 7200.0):
        line.note(line.pipeline.clock_stepped(by))
    line.take(plant(START + 3600.0 + np.arange(60.0, 62.0), *STAMPED))
    silence = line.pipeline.engine.ordered_groups[0].tables[0]
    assert silence.detector.name == "silence"
    assert silence.arrays["longest"][:3].max() == pytest.approx(1.0)


def test_sensors_that_stamp_their_readings_prove_that_the_clock_was_right() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(30.0), *GOOD, "now/c"))
    line.note(line.pipeline.clock_stepped(-40.0))
    times = np.arange(30.0, 60.0)
    good = plant(START + times, *GOOD)
    stamped = plant(START + times - 40.0, "now/c")
    line.take([each for three in zip(good[::2], good[1::2], stamped, strict=True) for each in three], cut=7)
    assert line.missing() == []
    assert line.pipeline.engine.clock.now == pytest.approx(START + 59.01)
    line.take(plant(START + np.arange(60.0, 80.0), *GOOD))
    assert line.missing() == ["now/c"]


@pytest.mark.parametrize("reorder_s", [0.0, 5.0])
@pytest.mark.parametrize("pause", [20.0, 3600.0])
def test_after_an_interruption_of_the_service_no_sensor_was_silent(pause: float, reorder_s: float) -> None:
    line = Line(pipeline(reorder_s=reorder_s)).take(plant(START + np.arange(30.0), *STAMPED), cut=7)
    line.pipeline.interrupted()
    now = START + 30.0 + pause
    line.take(plant(now + np.arange(30.0), *STAMPED), cut=1)
    assert (line.events, line.refused) == ([], [])
    line.take(plant(now + np.arange(30.0, 60.0), *STAMPED[:2]))
    assert line.missing() == ["now/c"]


def test_without_an_interruption_the_same_leap_is_a_silence() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(30.0), *STAMPED))
    line.take(plant(START + 90.0 + np.arange(5.0), *STAMPED))
    assert line.missing() == ["now/b", "now/c"]


def test_a_sensor_that_did_not_come_back_after_an_interruption_is_silent() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(30.0), *STAMPED))
    line.pipeline.interrupted()
    line.take(plant(START + 600.0 + np.arange(30.0), *STAMPED[:2]))
    assert line.missing() == ["now/c"]


@pytest.mark.parametrize("reorder_s", [0.0, 5.0])
def test_an_interruption_is_remembered_across_a_restart(reorder_s: float) -> None:
    line = Line(pipeline(reorder_s=reorder_s)).take(plant(START + np.arange(30.0), *STAMPED))
    line.pipeline.interrupted()
    again = revived(pipeline(reorder_s=reorder_s), line.pipeline.save("", ""), [])
    for each in (line, again):
        each.take(plant(START + 600.0 + np.arange(30.0), *STAMPED), cut=7)
    assert again.missing() == []
    assert differing(again.pipeline, line.pipeline) == []


def test_messages_that_the_broker_delivers_again_set_no_clock_back_live_or_after_a_restart() -> None:
    line = Line(pipeline())
    saved = line.pipeline.save("", "")
    line.take([reading("paced/a", START + 1000.0, 20.0)])
    for each in range(2 * STEP):
        late = reading("paced/a", START + each, 20.0, START + 1000.0 + each)
        line.take([late._replace(qos=1, packet=1 + each, redelivered=True)])
    assert line.refused == ["late"] * (2 * STEP)
    assert line.pipeline.counters.clock_steps == 0
    again = revived(pipeline(), saved, line.parts)
    assert differing(again.pipeline, line.pipeline) == []
    for each in range(STEP):
        again.take([reading("paced/a", START + 100.0 + each, 20.0, START + 2000.0 + each)])
    assert again.pipeline.counters.clock_steps == 1
