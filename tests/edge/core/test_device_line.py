"""Devices in the pipeline: from readings to events, in any batches, across restarts and changed configurations."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

from config.tables.devices import DeviceTable, ResolvedDevice, resolve_devices
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack, unpack
from edge.core.persistence.snapshot import Snapshot
from edge.core.pipeline import Pipeline
from edge.core.scoring.sensors.sensor_registry import DeviceFor
from tests.edge.core.pipelines import SETTINGS, START, Line, detectors, differing, pipeline, reading, revived, rule

LIMITS = rule(*detectors(limits={"high": 1e6}))
SENSORS = ("paced/pump/temperature", "paced/pump/vibration", "paced/pump/current", "paced/lonely/level")
WARM_UP = 200
APART = 320
DEVICE = "paced/pump/"


def table(**keys: object) -> ResolvedDevice:
    device = DeviceTable(sensors=("paced/**",), warm_up=WARM_UP, labels={"hall": "3"}, **keys)  # type: ignore[arg-type]
    return resolve_devices((device,), SETTINGS.replaced(threshold=6.0))[0]


def devices(**keys: object) -> DeviceFor:
    """The sensors below `paced/`, by their names without the last level."""
    made = table(**keys)

    def belongs_to(sensor: str) -> tuple[str, ResolvedDevice] | None:
        name = made.device_of(sensor)
        return None if name is None else (name, made)

    return belongs_to


def line(device_for: DeviceFor | None = None) -> Line:
    return Line(pipeline(lambda _: LIMITS, device_for=devices() if device_for is None else device_for))


def readings(rows: int = 450, apart: int = APART) -> list[Message]:
    """A pump whose sensors move together; from row `apart` on its vibration moves independently."""
    rng = np.random.default_rng(5)
    made = []
    for row in range(rows):
        load = rng.normal()
        own = 6.0 if row >= apart else load
        values = (40 + 3 * load, 2 + own, 7 - 2 * load, rng.normal())
        for place, (sensor, value) in enumerate(zip(SENSORS, values, strict=True)):
            made.append(reading(sensor, START + row + 0.01 * place, value + 0.1 * rng.normal()))
    return made


def raised(of: Line) -> list[dict[str, object]]:
    return [json.loads(each.payload)["data"] for each in of.events if each.transition == "raised"]


def test_sensors_that_no_longer_move_together_raise_an_incident_of_their_device() -> None:
    told = line().take(readings())
    event = next(each for each in told.events if each.transition == "raised")
    data = json.loads(event.payload)["data"]
    assert event.sensor == DEVICE
    assert event.topic == "edgewarden/anomaly/paced/pump/"
    assert data["kind"] in {"correlation", "level_shift"}
    assert data["contributions"][0]["sensor"] == "paced/pump/vibration"
    assert sum(each["share"] for each in data["contributions"]) == pytest.approx(1.0, abs=0.01)
    assert data["message"].startswith("The sensors of paced/pump ")
    assert "vibration" in data["message"].partition(":")[2].partition(",")[0]
    assert data["labels"] == {"device": "paced/pump", "hall": "3"}
    assert data["value"] > data["upper"]
    assert 0 <= event.time - START - APART < 40
    assert {each.sensor for each in told.events} == {DEVICE}


def test_nothing_is_raised_while_they_do() -> None:
    assert line().take(readings(apart=10_000)).events == []


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 3, 7, 100])
def test_batches_change_nothing(cut: int) -> None:
    whole, cut_up = line().take(readings()), line().take(readings(), cut)
    assert [each.payload for each in whole.events] == [each.payload for each in cut_up.events]
    names = [each.pipeline.sensors.names for each in (whole, cut_up)]
    assert sorted(names[0]) == sorted(names[1])


@pytest.mark.long
@pytest.mark.parametrize("at", [2, 3, 700, 4 * APART + 30, 4 * APART + 200])
def test_a_restart_changes_nothing(at: int) -> None:
    messages = readings()
    whole = line().take(messages, 10)
    before = line().take(messages[:at], 10)
    saved, parts = before.pipeline.save("", ""), len(before.parts)
    before.take(messages[at : at + 50], 10)
    after = revived(pipeline(lambda _: LIMITS, device_for=devices()), saved, before.parts[parts:])
    after.take(messages[at + 50 :], 10)
    told = {each.id: each.payload for each in (*before.events, *after.events)}
    assert told == {each.id: each.payload for each in whole.events}
    if at % 10 == 0:
        assert differing(whole.pipeline, after.pipeline) == []


def restarted(saved: Line, device_for: DeviceFor) -> Line:
    """A restart with a changed configuration, right after a snapshot."""
    made = pipeline(lambda _: LIMITS, device_for=device_for)
    made.learn(made.restore(Snapshot.from_bytes(saved.pipeline.save("", "")), ""), unpack(pack(saved.parts)))
    made.replay([])
    made.learn(made.new_devices(), unpack(pack(saved.parts)))
    return Line(made)


def learned(made: Pipeline) -> dict[str, bytes]:
    """What is known about the device."""
    group, row = made.engine.members[made.sensors.names.index(DEVICE)]
    return {
        f"{each.detector.name} {name}": array[row].tobytes()
        for each in group.tables
        for name, array in each.arrays.items()
    }


@pytest.mark.long
def test_a_device_that_is_new_in_the_configuration_learns_from_the_journal() -> None:
    messages = readings(apart=10_000)
    without, always = line(lambda _: None).take(messages, 10), line().take(messages, 10)
    now = restarted(without, devices())
    assert learned(now.pipeline) == learned(always.pipeline)
    assert now.pipeline.sensors.names[-1] == DEVICE
    later = readings(rows=900, apart=460)[len(messages) :]
    assert [each["kind"] for each in raised(now.take(later))] == [each["kind"] for each in raised(always.take(later))]


@pytest.mark.long
def test_a_device_with_other_sensors_than_before_relearns_from_the_journal() -> None:
    messages = readings(apart=10_000)
    fewer, always = devices(channels=2), line(devices(channels=3)).take(messages, 10)
    now = restarted(line(fewer).take(messages, 10), devices(channels=3))
    assert learned(now.pipeline) == learned(always.pipeline)


def test_a_device_whose_sensors_are_all_younger_than_it_is_monitored() -> None:
    def pump(*sensors: str) -> DeviceFor:
        made = resolve_devices((DeviceTable(name="pump", sensors=sensors, warm_up=WARM_UP),), SETTINGS)[0]
        return lambda sensor: None if made.device_of(sensor) is None else ("pump", made)

    messages = readings(rows=30)
    later = [reading(each, START + 30.0, 1.0) for each in ("paced/new/a", "paced/new/b")]
    before = line(pump("paced/pump/*")).take([*messages, *later], 10)
    slot = before.pipeline.sensors.names.index("pump/")
    now = restarted(before, pump("paced/new/*")).pipeline
    assert now.engine.devices.members(slot) == [slot + 1, slot + 2]
    assert now.registry.forsaken == set()


def test_the_incident_of_a_device_that_was_removed_from_the_configuration_ends() -> None:
    messages = readings()
    before = line().take(messages[: 4 * APART + 200])
    assert before.pipeline.engine.open_incidents
    after = restarted(before, lambda _: None).take(messages[4 * APART + 200 :])
    assert [(each.sensor, each.transition) for each in after.events] == [(DEVICE, "expired")]
    assert after.pipeline.engine.open_incidents == {}


def test_the_operator_can_shelve_a_device_by_its_name() -> None:
    messages = readings()
    shelf = {"sensor": DEVICE, "until": "2h", "by": "eve"}
    told = line().take(messages[: 4 * APART])
    for step, _ in told.pipeline.steps(
        [Message("edgewarden/command/shelve", json.dumps(shelf).encode(), START + APART)]
    ):
        assert json.loads(step.answers[0])["ok"]
    assert told.take(messages[4 * APART :]).events == []
    assert told.pipeline.engine.open_incidents


def test_a_new_sensor_takes_no_slot_of_a_device() -> None:
    told = line().take(readings(rows=3))
    told.take([reading("paced/pump/pressure", START + 3.0, 1.0)])
    names = told.pipeline.sensors.names
    assert len(names) == len(set(names)) == len(SENSORS) + 2
    assert told.pipeline.sensors.devices == 1


def test_a_full_table_has_room_for_the_devices_of_its_sensors() -> None:
    told = line()
    told.pipeline.sensors.limit = 2
    told.take(list(islice(readings(rows=3), 12)))
    assert told.pipeline.sensors.names == [*SENSORS[:2], DEVICE]
    assert "too_many_sensors" in told.refused
