"""A restart with a changed configuration keeps what is unchanged; the rest is as if it had always been so."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.state import StateTable
from edge.core.engine import Engine
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import REPLAYED, Part, Readings, pack, unpack
from edge.core.persistence.snapshot import Snapshot
from edge.core.pipeline import Pipeline
from tests.edge.core.pipelines import SETTINGS, START, Line, detectors, pipeline, plant, reading, rule

SENSORS = ("paced/a", "paced/b", "now/c")
OLD = detectors(silence={}, limits={"high": 80.0}, ewma={}, median={})
NEW = detectors(silence={}, limits={"high": 70.0}, ewma={"memory": 20.0}, median={}, rate={})
KEPT, CHANGED = {"silence", "median"}, {"limits", "ewma", "rate"}
SAME, OTHER = rule(*OLD), rule(*NEW)


def changed(sensor: str) -> object:
    """A configuration in which `paced/b` is monitored as before, and the others differently."""
    return SAME if sensor == "paced/b" else OTHER


def state(made: Pipeline, slot: int) -> dict[str, dict[str, bytes]]:
    """The state of each detector for a sensor."""
    group, row = made.engine.members[slot]
    return {each.detector.name: _row(each, row) for each in group.tables}


def _row(table: StateTable, row: int) -> dict[str, bytes]:
    return {name: array[row].tobytes() for name, array in table.arrays.items()}


def restarted(made: Pipeline, line: Line) -> Pipeline:
    """A restart right after a snapshot, with the whole journal before it."""
    unlearned = made.restore(Snapshot.from_bytes(line.pipeline.save("", "")), "")
    past: list[Part] = unpack(pack(line.parts))
    made.learn(unlearned, past)
    return made


READINGS = st.lists(
    st.tuples(
        st.sampled_from(SENSORS), st.sampled_from([0.1, 1.0, 5.0]), st.sampled_from([0.0, 0.0, 3.0, 30.0]),
        st.sampled_from([20.0, 20.1, 20.4, 75.0, 95.0]),
    ),
    min_size=5,
    max_size=60,
)  # fmt: skip


def messages(drawn: list[tuple[str, float, float, float]]) -> list[Message]:
    now, made = START, plant(START + np.arange(-5.0, 0.0), *SENSORS)
    for sensor, elapsed, delay, value in drawn:
        now = round(now + elapsed, 1)
        made.append(reading(sensor, now if sensor == "now/c" else now - delay, value, now))
    return made


@settings(max_examples=30)
@given(READINGS, st.sampled_from([0.0, 10.0]), st.integers(1, 20))
def test_changed_detectors_learn_what_they_would_have_learned_and_the_others_keep_their_state(
    drawn: list[tuple[str, float, float, float]], reorder_s: float, cut: int
) -> None:
    sent = messages(drawn)
    before = Line(pipeline(lambda _: SAME, reorder_s=reorder_s)).take(sent, cut)
    always = Line(pipeline(changed, reorder_s=reorder_s)).take(sent, cut)
    now = restarted(pipeline(changed, reorder_s=reorder_s), before)
    for slot, sensor in enumerate(now.sensors.names):
        learned, had, would_have = (state(each, slot) for each in (now, before.pipeline, always.pipeline))
        for name in KEPT if sensor != "paced/b" else learned:
            assert learned[name] == had[name], (sensor, name)
        for name in CHANGED if sensor != "paced/b" else ():
            assert learned[name] == would_have[name], (sensor, name)


@pytest.mark.parametrize("reorder_s", [0.0, 5.0])
@pytest.mark.parametrize("by", [-3600.0, 3600.0])
def test_changed_detectors_replay_steps_of_the_gateway_clock_too(by: float, reorder_s: float) -> None:
    def lived(line: Line) -> Line:
        line.take(plant(START + np.arange(30.0), "now/c", "now/d"))
        line.note(line.pipeline.clock_stepped(by))
        return line.take(plant(START + by + np.arange(30.0, 60.0), "now/c", "now/d"))

    before = lived(Line(pipeline(lambda _: SAME, reorder_s=reorder_s)))
    always = lived(Line(pipeline(changed, reorder_s=reorder_s)))
    now = restarted(pipeline(changed, reorder_s=reorder_s), before)
    for slot in range(2):
        learned, would_have = state(now, slot), state(always.pipeline, slot)
        assert {name: learned[name] for name in CHANGED} == {name: would_have[name] for name in CHANGED}


@pytest.mark.parametrize(("action", "argument"), [("tick", 30.0), ("interrupted", None)])
def test_changed_detectors_replay_readings_that_were_released_too_early_for_sorting(
    action: str, argument: float | None
) -> None:
    def lived(line: Line) -> Line:
        line.take(plant(START + np.arange(30.0), *SENSORS)).do(action, argument)
        line.take([reading("now/c", START + 30.0, 20.0)])
        line.take([reading("paced/a", START + 28.5, 21.0, START + 30.0)])
        return line.take(plant(START + np.arange(31.0, 60.0), *SENSORS))

    before, always = (lived(Line(pipeline(rules, reorder_s=10.0))) for rules in (lambda _: SAME, changed))
    now = restarted(pipeline(changed, reorder_s=10.0), before)
    assert always.refused == ["late"]
    assert {name: state(now, 0)[name] for name in CHANGED} == {
        name: state(always.pipeline, 0)[name] for name in CHANGED
    }


def test_settings_of_incidents_discard_nothing_that_was_learned() -> None:
    line = Line(pipeline(lambda _: SAME)).take(plant(START + np.arange(30.0), *SENSORS))
    eager = rule(*OLD, settings=SETTINGS.replaced(threshold=3.0))
    again = pipeline(lambda _: eager)
    assert not again.restore(Snapshot.from_bytes(line.pipeline.save("", "")), "").slots
    assert [state(again, slot) for slot in range(3)] == [state(line.pipeline, slot) for slot in range(3)]


def test_without_a_journal_only_changed_detectors_start_again() -> None:
    line = Line(pipeline(lambda _: SAME)).take(plant(START + np.arange(30.0), *SENSORS))
    again = pipeline(changed)
    unlearned = again.restore(Snapshot.from_bytes(line.pipeline.save("", "")), "")
    assert unlearned.slots == {0, 2}
    assert again.learn(unlearned, []) == 0
    assert state(again, 0)["ewma"] == _row(StateTable(NEW[2], 1), 0)
    assert state(again, 0)["median"] == state(line.pipeline, 0)["median"]


def test_an_open_incident_stays_open_under_its_id_whatever_the_name_of_the_gateway() -> None:
    line = Line(pipeline(lambda _: SAME)).take(plant(START + np.arange(30.0), *SENSORS))
    line.take([reading("paced/a", START + 30.0, 95.0)])
    again = Line(restarted(pipeline(changed, gateway="renamed"), line))
    assert again.pipeline.engine.open_incidents.keys() == {0}
    shown = json.loads(again.pipeline.retained_now()["edgewarden/state/paced/a"])
    again.take([reading("paced/a", START + 31.0 + each, 20.0) for each in range(2)])
    raised, cleared = line.events[0], again.events[-1]
    assert (raised.transition, cleared.transition) == ("raised", "cleared")
    assert raised.incident == cleared.incident == shown["data"]["incident"]
    assert json.loads(cleared.payload)["source"] == "/edgewarden/renamed"


def test_after_a_change_of_inputs_no_sensor_is_silent_before_its_first_reading() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(30.0), *SENSORS))
    saved = line.pipeline.save("", "the old inputs")
    since = Line(line.pipeline).take(plant(START + np.arange(30.0, 40.0), *SENSORS)).parts
    again = Line(pipeline())
    again.pipeline.restore(Snapshot.from_bytes(saved), "the new inputs")
    again.pipeline.replay(unpack(pack(since)))
    again.take(plant(START + np.arange(40.0, 80.0), "paced/a", "paced/b")).note(again.pipeline.tick(0.0))
    assert again.missing() == []
    again.take(plant(START + np.arange(80.0, 90.0), *SENSORS))
    again.take(plant(START + np.arange(90.0, 120.0), "paced/a", "paced/b"))
    assert again.missing() == ["now/c"]


def test_with_the_same_inputs_silent_sensors_are_found_after_the_restart() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(30.0), *SENSORS))
    again = Line(pipeline())
    again.pipeline.restore(Snapshot.from_bytes(line.pipeline.save("", "inputs")), "inputs")
    again.take(plant(START + np.arange(30.0, 60.0), "paced/a", "paced/b"))
    assert again.missing() == ["now/c"]


def test_known_sensors_keep_their_slots_when_fewer_are_allowed() -> None:
    from edge.core.model.notation.topics import Topics

    line = Line(pipeline()).take(plant(START + np.arange(3.0), *SENSORS))
    small = Pipeline("gw", Topics("e"), line.pipeline.intake.routes, lambda _: SAME, sensors=2)
    small.restore(Snapshot.from_bytes(line.pipeline.save("", "")), "")
    assert small.sensors.names == list(SENSORS)
    step = small.process(plant([START + 3.0], *SENSORS, "paced/new"))
    assert small.engine.statistics.count[:3].tolist() == [4, 4, 4]
    assert [each.refusal.reason for each in step.dead_letters] == ["too_many_sensors"]


@pytest.mark.long
def test_a_replay_and_relearning_can_be_interrupted_between_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    processed: list[int] = []
    process = Engine.process
    monkeypatch.setattr(Engine, "process", lambda self, batch: processed.append(len(batch)) or process(self, batch))
    line = Line(pipeline(lambda _: SAME))
    for first in range(0, 10_000, 500):
        line.take(plant(START + np.arange(first, first + 500.0), "paced/a"))
    journal = [part for part in line.parts if isinstance(part, Readings)]
    assert sum(map(len, journal)) >= 5 * REPLAYED

    class Interrupted(Exception):  # noqa: N818 - as a signal does
        pass

    def interrupted() -> Iterator[Part]:
        read = 0
        for part in journal:
            if read > 2 * REPLAYED:
                raise Interrupted
            read += len(part)
            yield part

    unlearned = (made := pipeline(lambda _: OTHER)).restore(Snapshot.from_bytes(line.pipeline.save("", "")), "")
    for replay in (pipeline(lambda _: SAME).replay, lambda parts: made.learn(unlearned, parts)):
        processed.clear()
        with pytest.raises(Interrupted):
            replay(interrupted())
        assert sum(processed) >= REPLAYED, "what was read has been processed"
