"""New sensors are announced, in packs; forgotten sensors leave no trace."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.tables.devices import DeviceTable, ResolvedDevice, resolve_devices
from edge.core.incidents.events.event import Event
from edge.core.incidents.events.sensor_events import MOST, sensors_json_schema
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import SensorsForgotten, UnknownPart, pack, unpack
from edge.core.pipeline import Pipeline
from tests.edge.core.pipelines import SETTINGS, START, Line, differing, pipeline, plant, reading, revived

PLANT = ("paced/a", "paced/b", "now/c")
DAY_S = 86_400.0


def telling(**keys: Any) -> Pipeline:
    return pipeline(tells_of_sensors=True, **keys)


def forget(sensor: str, arrived: float = START, identity: str = "") -> Message:
    said = {"sensor": sensor, "by": "ada", "comment": "gone"} | ({"id": identity} if identity else {})
    return Message("edgewarden/command/forget", json.dumps(said).encode(), arrived)


class RecordingLine(Line):
    """A pipeline, with its retained topics and answers."""

    def __init__(self, made: Pipeline) -> None:
        super().__init__(made)
        self.retained: dict[str, bytes] = {}
        self.answers: list[dict[str, Any]] = []

    def take(self, messages: list[Message], cut: int = 10_000) -> RecordingLine:
        for start in range(0, len(messages), cut):
            for step, _ in self.pipeline.steps(messages[start : start + cut]):
                self.note(step)
                self.retained |= step.retained
                self.answers += [json.loads(each) for each in step.answers]
        return self


def about_sensors(events: list[Event], transition: str) -> list[dict[str, Any]]:
    return [json.loads(each.payload) for each in events if each.transition == transition]


def names(events: list[Event], transition: str) -> list[list[str]]:
    return [[each["name"] for each in event["data"]["sensors"]] for event in about_sensors(events, transition)]


def flood(count: int, time: float = START) -> list[Message]:
    return [reading(f"paced/{number}", time, 20.0, time) for number in range(count)]


def warm() -> RecordingLine:
    return RecordingLine(telling()).take(plant(START + np.arange(-20.0, 0.0), *PLANT))


def alarmed() -> RecordingLine:
    """With an incident open on `paced/a`."""
    return warm().take([reading("paced/a", START, 95.0), *plant(START + np.arange(1.0, 3.0), "paced/b", "now/c")])


def test_a_new_sensor_is_announced_with_its_first_value() -> None:
    message = Message("paced/a", b'{"value": 21.5, "unit": "Cel", "ts": 1700000000}', START)
    line = RecordingLine(telling()).take([message, *plant(START + np.arange(1.0, 5.0), "paced/a")])
    (event,) = about_sensors(line.events, "discovered")
    assert event["type"] == "io.edgewarden.sensor.discovered.v1"
    assert event["data"]["sensors"] == [
        {
            "name": "paced/a",
            "topic": "paced/a",
            "unit": "Cel",
            "kind": "periodic",
            "device": None,
            "input": "paced/#",
            "source_topic": "paced/a",
            "value": 21.5,
            "time": "2023-11-14T22:13:20.000Z",
        }
    ]
    assert event["data"]["message"] == "1 sensor was found: paced/a"
    jsonschema.validate(event, sensors_json_schema())


def test_no_sensor_is_announced_twice() -> None:
    line = warm().take(plant(START + np.arange(0.0, 60.0), *PLANT))
    assert names(line.events, "discovered") == [list(PLANT)]


def test_a_flood_of_new_sensors_is_announced_in_packs() -> None:
    line = RecordingLine(telling()).take([*flood(250), *flood(1, START + 2.0)])
    assert [len(each) for each in names(line.events, "discovered")] == [MOST, MOST]
    line.take(flood(1, START + 3.0))
    assert [len(each) for each in names(line.events, "discovered")] == [MOST, MOST, 50]
    assert all(len(each.payload) < 65_536 for each in line.events)


@pytest.mark.parametrize("cut", [1, 7, 64])
def test_the_packs_are_the_same_in_any_batching(cut: int) -> None:
    messages = [*flood(130), *plant(START + np.arange(1.0, 30.0), *PLANT), reading("paced/a", START + 30.0, 95.0)]
    messages += [*flood(240, START + 31.0), *plant(START + np.arange(40.0, 60.0), *PLANT)]
    whole = RecordingLine(telling()).take(messages)
    assert len(about_sensors(whole.events, "discovered")) > 3
    assert RecordingLine(telling()).take(messages, cut).events == whole.events


def test_a_pack_is_published_when_any_sensor_has_reported_twice_since() -> None:
    line = warm().take(flood(3))
    line.take([reading("now/c", START + 1.0, 20.0), reading("paced/a", START + 1.0, 20.0)])
    assert len(names(line.events, "discovered")) == 1
    line.take([reading("now/c", START + 1.5, 20.0), *flood(4, START + 1.5)[3:]])
    assert names(line.events, "discovered")[1:] == [["paced/0", "paced/1", "paced/2"]]


def test_passing_time_publishes_no_pack_so_that_a_replay_gives_the_same_ones() -> None:
    line = RecordingLine(telling()).take(flood(3))
    line.note(line.pipeline.tick(500.0))
    assert not line.events


def test_a_sensor_whose_reading_is_held_back_is_announced_when_the_reading_is_released() -> None:
    line = RecordingLine(telling(reorder_s=10.0)).take(flood(3))
    line.take(flood(3, START + 5.0))
    assert not line.events
    line.take([*flood(3, START + 30.0), *flood(3, START + 60.0), *flood(3, START + 90.0)])
    assert names(line.events, "discovered") == [["paced/0", "paced/1", "paced/2"]]


@pytest.mark.parametrize("stored", range(4))
def test_a_kill_loses_and_doubles_no_sensor(stored: int) -> None:
    """Whatever was stored at the interruption, the following events are those of an uninterrupted service."""
    pieces = [flood(130), flood(60, START + 1.0), flood(170, START + 5.0), plant(START + np.arange(9.0, 15.0), *PLANT)]
    whole = RecordingLine(telling())
    saved, first, before = b"", 0, 0
    for place, piece in enumerate(pieces):
        if place == stored:
            saved, first, before = whole.pipeline.save("", ""), len(whole.parts), len(whole.events)
        whole.take(piece)
    after = revived(telling(), saved, whole.parts[first:])
    assert after.events == whole.events[before:]
    assert differing(after.pipeline, whole.pipeline) == []


def test_forgetting_ends_the_incident_clears_the_topics_and_is_published() -> None:
    line = alarmed()
    assert line.pipeline.engine.open_incidents
    before = len(line.events)
    line.take([forget("paced/a", START + 5.0)])
    ended, told = line.events[before:]
    assert (ended.sensor, ended.transition) == ("paced/a", "expired")
    said = json.loads(ended.payload)["data"]
    assert (said["active"], said["by"], said["comment"]) == (False, "ada", "gone")
    assert said["message"] == "paced/a was forgotten, and its incident ends with it"
    event = json.loads(told.payload)
    jsonschema.validate(event, sensors_json_schema())
    assert event["type"] == "io.edgewarden.sensor.forgotten.v1"
    assert (event["data"]["reason"], event["data"]["by"]) == ("command", "ada")
    assert [(each["name"], each["value"]) for each in event["data"]["sensors"]] == [("paced/a", 95.0)]
    assert line.retained["edgewarden/state/paced/a"] == b""
    assert json.loads(line.retained["edgewarden/open"])["count"] == 0
    assert line.answers[-1]["message"] == "paced/a is forgotten"
    assert line.pipeline.sensors.find("paced/a") is None
    assert line.pipeline.sensors.sensors == 2
    assert not line.pipeline.engine.open_incidents


def test_the_topics_of_forgotten_sensors_are_cleared_again_after_a_kill_except_those_of_returned_ones() -> None:
    line = alarmed()
    saved, first = line.pipeline.save("", ""), len(line.parts)
    line.take([forget("paced/*")])
    line.take(plant(START + np.arange(10.0, 12.0), "paced/b"))
    retained = revived(telling(), saved, line.parts[first:]).pipeline.retained_now()
    assert retained["edgewarden/state/paced/a"] == b""
    assert "edgewarden/state/paced/b" not in retained


def test_a_group_led_by_a_forgotten_sensor_is_reported_individually() -> None:
    """One incident reports several sensors that fell silent together; the sensor that names it is then forgotten."""
    silent = ("paced/hall/a", "paced/hall/b", "paced/hall/c")
    line = RecordingLine(telling()).take(plant(START + np.arange(60.0), *silent, "now/c", "now/d"))
    line.take(plant(START + 60.0 + np.arange(400.0), "now/c", "now/d"))
    told = [each.sensor for each in line.events if each.kind == "missing" and each.transition == "raised"]
    assert told[:1] == ["paced/hall/a"]
    before = len(line.events)
    line.take([forget("paced/hall/a", START + 500.0)])
    after = line.events[before:]
    assert {each.sensor for each in after if each.transition == "raised"} <= {"paced/hall/b", "paced/hall/c"}
    assert [each for each in after if each.transition == "raised"]
    assert not any("\\u0000" in each.payload.decode() for each in after)
    line.take(plant(START + 500.0 + np.arange(20.0), "now/c", "now/d", "paced/hall/b", "paced/hall/c"))
    assert not line.pipeline.engine.open_incidents


def test_a_forgotten_sensor_that_reports_again_is_new() -> None:
    line = alarmed().take([forget("paced/a")])
    line.take(plant(START + np.arange(10.0, 20.0), *PLANT))
    assert names(line.events, "discovered") == [list(PLANT), ["paced/a"]]
    slot = line.pipeline.sensors.find("paced/a")
    assert slot is not None
    assert line.pipeline.engine.statistics.count[slot] == 10


def test_its_times_may_be_in_the_past_since_none_are_known() -> None:
    line = alarmed().take([forget("paced/a")])
    line.take(plant(START - 500.0 + np.arange(5.0), "paced/a"))
    assert line.refused == []


def test_nothing_is_forgotten_if_no_sensor_matches() -> None:
    line = warm().take([forget("nobody/**")])
    assert line.answers[-1]["reason"] == "no_sensor"
    assert line.pipeline.sensors.sensors == 3


def test_the_same_command_given_twice_acts_once() -> None:
    line = warm().take([forget("paced/a", identity="x")])
    line.take(plant(START + np.arange(10.0, 12.0), "paced/a"))
    line.take([forget("paced/a", identity="x")])
    assert line.answers[-1]["repeated"]
    assert line.pipeline.sensors.find("paced/a") is not None


def test_a_pack_is_published_before_its_sensors_are_forgotten() -> None:
    line = RecordingLine(telling()).take(flood(2)).take([forget("paced/1")])
    assert names(line.events, "discovered") == [["paced/0", "paced/1"]]
    assert names(line.events, "forgotten") == [["paced/1"]]


def test_forgetting_many_sensors_is_announced_in_packs() -> None:
    line = RecordingLine(telling()).take(flood(250)).take([forget("**")])
    assert [len(each) for each in names(line.events, "forgotten")] == [MOST, MOST, 50]
    assert line.pipeline.sensors.sensors == 0


def test_a_held_reading_of_a_forgotten_sensor_is_dropped() -> None:
    line = RecordingLine(telling(reorder_s=10.0)).take(flood(3))
    line.take([forget("paced/0")])
    line.note(line.pipeline.flush())
    assert line.pipeline.counters.readings_taken == 2


def test_the_limit_has_room_for_another_sensor_immediately() -> None:
    line = RecordingLine(telling(sensors=3)).take(plant([START], *PLANT))
    line.take([reading("paced/new", START + 1.0, 20.0)])
    assert line.refused == ["too_many_sensors"]
    line.take([forget("paced/a")]).take([reading("paced/new", START + 2.0, 20.0)])
    assert line.refused == ["too_many_sensors"]
    assert line.pipeline.sensors.find("paced/new") == 3


def test_a_slot_is_reused_only_when_the_journal_no_longer_mentions_it() -> None:
    line = warm().take([forget("paced/a", START)])
    line.pipeline.sensors.vacancies.release(START)
    line.take([reading("paced/d", START + 1.0, 20.0)])
    line.pipeline.sensors.vacancies.release(START + 1.0)
    line.take([reading("paced/e", START + 2.0, 20.0)])
    assert line.pipeline.sensors.find("paced/d") == 3
    assert line.pipeline.sensors.find("paced/e") == 0


def test_vacant_slots_are_bounded() -> None:
    line = RecordingLine(telling(sensors=2))
    for number in range(6):
        line.take([reading(f"paced/{number}", START + number, 20.0), forget("paced/*", START)])
    assert line.refused.count("too_many_sensors") == 2
    line.pipeline.sensors.vacancies.release(START + 10.0)
    line.take([reading("paced/7", START + 10.0, 20.0)])
    assert line.pipeline.sensors.find("paced/7") is not None


def test_sensors_that_were_silent_for_long_are_forgotten() -> None:
    line = warm().take(plant(START + np.arange(0.0, 3 * DAY_S, 3600.0), "paced/b", "now/c"))
    line.note(line.pipeline.forget_silent(4.0, START + 3 * DAY_S))
    assert names(line.events, "forgotten") == []
    line.note(line.pipeline.forget_silent(2.0, START + 3 * DAY_S))
    assert names(line.events, "forgotten") == [["paced/a"]]
    event = about_sensors(line.events, "forgotten")[0]
    assert event["data"]["reason"] == "silent"
    assert isinstance(line.parts[-1], SensorsForgotten)


def test_a_plant_at_a_standstill_forgets_no_sensor() -> None:
    line = warm()
    line.note(line.pipeline.tick(30 * DAY_S))
    assert line.pipeline.forget_silent(1.0, START + 30 * DAY_S).journal is None


def test_versions_that_know_nothing_of_forgetting_leave_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pack([SensorsForgotten([1], [1], START)])
    monkeypatch.setattr("edge.core.persistence.journal.KINDS", {"readings", "told"})
    assert unpack(entry) == [UnknownPart("forgotten")]


MACHINE = resolve_devices((DeviceTable(sensors=("paced/**",), warm_up=200),), SETTINGS)[0]


def of_machine(sensor: str) -> tuple[str, ResolvedDevice] | None:
    return ("machine", MACHINE) if sensor.startswith("paced/") else None


def test_a_device_starts_again_without_a_forgotten_sensor() -> None:
    line = RecordingLine(telling(device_for=of_machine)).take(
        plant(START + np.arange(50.0), "paced/a", "paced/b", "paced/d")
    )
    device = line.pipeline.sensors.find("machine/")
    assert device is not None
    line.take([forget("paced/a", START + 50.0)])
    assert line.pipeline.sensors.find("machine/") == device
    assert line.pipeline.engine.statistics.count[device] == 0
    line.take(plant(START + 60.0 + np.arange(20.0), "paced/b", "paced/d"))
    assert line.pipeline.engine.statistics.count[device] > 10


def test_a_device_is_forgotten_with_its_last_sensor_and_returns_with_two() -> None:
    line = RecordingLine(telling(device_for=of_machine)).take(
        plant(START + np.arange(50.0), "paced/a", "paced/b", "now/c")
    )
    line.take([forget("paced/*", START + 50.0)])
    assert line.pipeline.sensors.find("machine/") is None
    assert [each for each in line.retained if line.retained[each] == b"" and "machine" in each]
    assert (line.pipeline.sensors.sensors, line.pipeline.sensors.devices) == (1, 0)
    line.take(plant(START + 60.0 + np.arange(20.0), "paced/a", "paced/b", "now/c"))
    assert line.pipeline.sensors.find("machine/") is not None


ACTION = st.one_of(
    st.tuples(st.just("take"), st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6)),
    st.tuples(st.just("forget"), st.sampled_from(["paced/a", "paced/b", "paced/[bcd]", "paced/*"])),
    st.tuples(st.just("release"), st.none()),
    st.tuples(st.just("tick"), st.sampled_from([1.0, 8.0])),
    st.tuples(st.just("silent"), st.none()),
)


@pytest.mark.parametrize("device_for", [lambda _: None, of_machine], ids=["alone", "with a device"])
@given(actions=st.lists(ACTION, min_size=3, max_size=14), at=st.integers(0, 13), reorder_s=st.sampled_from([0.0, 3.0]))
@settings(max_examples=40, deadline=None)
def test_a_restart_gives_the_uninterrupted_result(
    device_for: Any, actions: list[tuple[str, Any]], at: int, reorder_s: float
) -> None:
    """For any forgotten sensor, and any new owner of its slot."""
    line = RecordingLine(telling(device_for=device_for, reorder_s=reorder_s))
    line.take(plant(START - 20.0 + np.arange(10.0), "paced/a", "paced/b"))
    saved, first, before, now = line.pipeline.save("", ""), len(line.parts), len(line.events), START
    for place, (action, argument) in enumerate(actions):
        if place == at:
            saved, first, before = line.pipeline.save("", ""), len(line.parts), len(line.events)
        now += 1.0
        if action == "take":
            line.take([reading(f"paced/{each}", now + index / 10, 20.0) for index, each in enumerate(argument)])
        elif action == "forget":
            line.take([forget(argument, now)])
        elif action == "release":
            line.pipeline.sensors.vacancies.release(now)
        elif action == "tick":
            line.note(line.pipeline.tick(argument))
        else:
            line.note(line.pipeline.forget_silent(4.0 / DAY_S, now))
    after = revived(telling(device_for=device_for, reorder_s=reorder_s), saved, line.parts[first:])
    assert after.events == line.events[before:]
    assert differing(after.pipeline, line.pipeline) == []
    names_of = [after.pipeline.sensors.names, line.pipeline.sensors.names]
    assert names_of[0] == names_of[1]
