"""A restart restores the state at the interruption exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.tables.devices import DeviceTable, ResolvedDevice, resolve_devices
from edge.core.incidents.state_table import State
from edge.core.model.readings.messages import Message
from edge.core.persistence.checkpoint import SteppedSnapshot, breaks
from edge.core.persistence.journal import TimePassed, pack, unpack
from edge.core.persistence.snapshot import Part, Snapshot, SnapshotError
from edge.core.pipeline import Pipeline
from edge.core.scoring.levels import calibration
from tests.edge.core.pipelines import (
    SETTINGS,
    START,
    Line,
    detectors,
    differing,
    knowledge,
    pipeline,
    plant,
    reading,
    revived,
    revived_from,
    rule,
)


@pytest.fixture(autouse=True)
def _short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels are learned within seconds, so that some exist."""
    monkeypatch.setattr(calibration, "EARLIEST_S", 5.0)
    monkeypatch.setattr(calibration, "FEWEST", 2)


SENSORS = ("paced/a", "paced/b", "now/c", "paced/d")
READING = st.tuples(
    st.sampled_from(SENSORS),
    st.sampled_from([0.0, 0.3, 1.0, 4.0]),
    st.sampled_from([0.0, 0.0, 0.5, 3.0, 9.0, 600.0, 600.0]),
    st.sampled_from([20.0, 20.3, 40.0, 95.0]),
)
ACTION = st.one_of(
    st.tuples(st.just("take"), st.lists(READING, min_size=1, max_size=8)),
    st.tuples(st.just("take"), st.lists(READING, min_size=1, max_size=8)),
    st.tuples(st.just("tick"), st.sampled_from([1.0, 8.0, 40.0])),
    st.tuples(st.just("step"), st.sampled_from([-20.0, -3.0, 15.0])),
    st.tuples(st.just("gap"), st.none()),
    st.tuples(st.just("break"), st.floats(0.0, 60.0)),
    st.tuples(st.just("away"), st.floats(0.0, 60.0)),
    st.tuples(st.just("caught up"), st.none()),
)
NOTED_WITH_THE_NEXT_READING = {"interrupted", "returned"}


MACHINE = resolve_devices((DeviceTable(sensors=("paced/**",), warm_up=200),), SETTINGS)[0]


def device_of(sensor: str) -> tuple[str, ResolvedDevice] | None:
    """The sensors below `paced/` belong to one machine."""
    return ("machine", MACHINE) if sensor.startswith("paced/") else None


def script(actions: list[tuple[str, object]]) -> list[tuple[str, object]]:
    """Random actions of a service: sensors that have warmed up, then readings as time passes."""
    done: list[tuple[str, object]] = [("take", plant(START + np.arange(-14.0, 0.0), *SENSORS))]
    now, offset = START, 0.0
    for action, argument in actions:
        if action in {"break", "away"}:
            now += argument
            done.append(("interrupted" if action == "break" else "returned", None))
            done.append(("take", [reading("now/c", now + offset, 20.0)]))
        elif action == "take":
            messages: list[Message] = []
            for sensor, elapsed, delay, value in argument:
                now += elapsed
                time = now + offset if sensor == "now/c" else round(now - delay, 1)
                messages.append(reading(sensor, time, value, now + offset))
            done.append((action, messages))
        else:
            offset += argument if action == "step" else 0.0
            done.append((action, argument))
    return done


@settings(max_examples=40)
@given(
    st.lists(ACTION, min_size=3, max_size=14),
    st.integers(0, 15),
    st.integers(0, 15),
    st.sampled_from([0.0, 5.0]),
    st.integers(0, 1),
)
@example(
    actions=[("tick", 1.0), ("tick", 1.0), ("break", 3.0), ("tick", 8.0), ("take", [("paced/a", 0.0, 0.0, 20.0)])],
    first=0,
    second=6,
    reorder_s=5.0,
    calibrates=0,
)
@example(
    actions=[
        ("step", -20.0),
        ("step", 15.0),
        (
            "take",
            [
                ("paced/a", 1.0, 600.0, 20.0),
                ("paced/a", 4.0, 600.0, 20.0),
                ("now/c", 0.0, 0.0, 20.0),
                ("paced/a", 4.0, 600.0, 20.0),
                ("paced/a", 4.0, 600.0, 20.0),
            ],
        ),
        ("break", 21.37),
        ("take", [("paced/a", 4.0, 600.0, 20.0), ("paced/d", 0.0, 0.0, 20.0)]),
        ("take", [("paced/a", 0.0, 3.0, 95.0)]),
    ],
    first=0,
    second=4,
    reorder_s=5.0,
    calibrates=0,
)
def test_a_restart_anywhere_changes_no_event_and_no_bit_of_the_state(
    actions: list[tuple[str, object]], first: int, second: int, reorder_s: float, calibrates: int
) -> None:
    def made() -> Pipeline:
        settings = SETTINGS.replaced(threshold=None) if calibrates else SETTINGS
        chosen = rule(settings=settings)
        return pipeline(lambda _: chosen, reorder_s=reorder_s)

    whole = Line(made())
    steps = script(actions)
    saved_at, died_at = sorted((first % len(steps), second % len(steps)))
    for index, step in enumerate(steps):
        if index == saved_at:
            saved, parts, events = whole.pipeline.save("", ""), len(whole.parts), len(whole.events)
        if index == died_at and not (died_at and steps[died_at - 1][0] in NOTED_WITH_THE_NEXT_READING):
            again = revived(made(), saved, whole.parts[parts:])
            assert differing(again.pipeline, whole.pipeline) == []
            assert again.events == [each for each in whole.events[events:] if each.transition != "gap"]
            break
        whole.do(*step)
    else:
        return
    again.events.clear()
    events = len(whole.events)
    whole.pipeline._leaps.restart()  # a new process knows no lag yet, see ClockLeaps; what it found is journaled
    for step in steps[died_at:]:
        whole.do(*step)
        again.do(*step)
    assert again.events == whole.events[events:]
    assert differing(again.pipeline, whole.pipeline) == []


@pytest.mark.long
@settings(max_examples=40)
@given(st.lists(ACTION, min_size=3, max_size=14), st.sampled_from([0.0, 5.0]))
@example([("break", 3.0), ("tick", 8.0)], 5.0)
def test_a_step_that_leaves_nothing_in_the_journal_changes_no_state(
    actions: list[tuple[str, object]], reorder_s: float
) -> None:
    line = Line(pipeline(lambda _: rule(), reorder_s=reorder_s, device_for=device_of))
    for step in script(actions):
        before, parts = knowledge(line.pipeline), len(line.parts)
        line.do(*step)
        if len(line.parts) == parts and step[0] not in NOTED_WITH_THE_NEXT_READING:
            assert knowledge(line.pipeline) == before


class BitByBit:
    """Takes a snapshot of a pipeline in steps, as a service does, and starts again where necessary."""

    def __init__(self, line: Line, rows: int) -> None:
        self._line = line
        self._rows = rows
        self._saving: SteppedSnapshot | None = None
        self._steps: Iterator[list[Part]] = iter(())
        self.began = self.events = 0
        self.taken: list[tuple[int, list[Part]]] = []
        self.is_complete = False

    def follow(self, since: int, steps: int) -> None:
        """Continue for some steps, after the pipeline was restored from a part of its journal."""
        line = self._line
        if self.is_complete:
            return
        is_broken = self._saving is not None and self._saving.is_broken
        if is_broken or any(map(breaks, line.parts[since:])) or not line.pipeline.interruption.is_over:
            self._saving, self.taken = None, []
            return
        if self._saving is None:
            self._saving = line.pipeline.saving()
            self._saving.first_rows = self._rows
            self._steps, self.began = iter(self._saving), len(line.parts)
        for some in islice(self._steps, steps):
            self.taken.append((len(line.parts) - self.began, some))
        self.events = len(line.events)
        self.is_complete = self.taken[-1:] != [] and self.taken[-1][1][0].component == "open_events"


@pytest.mark.long
@settings(max_examples=60)
@given(
    st.lists(ACTION, min_size=3, max_size=14),
    st.integers(0, 6),
    st.integers(1, 4),
    st.lists(st.integers(0, 3), min_size=7, max_size=7),
    st.sampled_from([0.0, 5.0]),
    st.integers(0, 3),
)
@example(
    actions=[
        ("take", [("paced/a", 0.0, 0.0, 20.0)]),
        ("take", [("paced/d", 0.0, 600.0, 20.0), ("paced/a", 4.0, 0.0, 20.0)]),
        ("take", [("paced/d", 0.0, 600.0, 20.0)]),
    ],
    first=0,
    rows=1,
    paces=[0] * 7,
    reorder_s=0.0,
    after=0,
)
@example(  # a reading that isn't admitted, before the clock is loaded
    actions=[("gap", None), ("gap", None), ("tick", 1.0), ("gap", None), ("take", [("paced/a", 0.0, 3.0, 20.0)])],
    first=0,
    rows=2,
    paces=[0, 0, 0, 2, 3, 0, 0],
    reorder_s=0.0,
    after=0,
)
def test_a_snapshot_taken_while_readings_arrive_restores_the_same_state_exactly(
    actions: list[tuple[str, object]], first: int, rows: int, paces: list[int], reorder_s: float, after: int
) -> None:
    def made() -> Pipeline:
        return pipeline(lambda _: rule(), reorder_s=reorder_s, device_for=device_of)

    whole = Line(made())
    snapshot = BitByBit(whole, rows)
    steps = script(actions)
    end = max(START, *(each.arrived for _, taken in steps if isinstance(taken, list) for each in taken))
    more: Iterator[tuple[str, object]] = (
        ("take", plant([end + 30.0 * number], *SENSORS, *(["paced/e"] if number > 2 else []))) for number in count(1)
    )
    steps.append(("caught up", None))
    for index, step in enumerate(chain(steps, more)):
        before = len(whole.parts)
        whole.do(*step)
        if index >= first:
            snapshot.follow(before, paces[index % len(paces)] + (index >= len(steps)))
        after -= snapshot.is_complete
        if after < 0 and step[0] not in NOTED_WITH_THE_NEXT_READING:  # this is journaled only with the next reading
            break
    parts = whole.parts[snapshot.began :]
    again = revived_from(made(), snapshot.taken, parts)
    assert differing(again.pipeline, whole.pipeline) == []
    assert again.events == [each for each in whole.events[snapshot.events :] if each.transition != "gap"]
    last = plant(end + 5000.0 + np.arange(20.0), *SENSORS, "paced/e")
    whole.events.clear()
    again.events.clear()
    assert again.take(last).events == whole.take(last).events
    assert differing(again.pipeline, whole.pipeline) == []


@pytest.mark.parametrize("behind", ["peers", "statistics"])
@pytest.mark.parametrize("comparisons", range(4))
def test_a_snapshot_during_which_peers_are_compared_is_begun_again_and_restores_the_same_state_exactly(
    comparisons: int, behind: str
) -> None:
    def strings(times: Iterable[float]) -> list[Message]:
        values = np.random.default_rng(7).normal(20.0, 3.0, (400, 5))
        return [
            reading(f"paced/{place}", START + time, value)
            for time, row in zip(times, values, strict=False)
            for place, value in enumerate(row)
        ]

    def made() -> Pipeline:
        usual = rule(*detectors(ewma={}, rate={}, silence={}))
        return pipeline(lambda _: usual)

    whole = Line(made()).take(strings(np.arange(0.0, 108_000.0, 300.0)))
    snapshot, now, compared, begun = BitByBit(whole, 1), 108_000.0, 0, set()
    while not snapshot.is_complete:
        before = len(whole.parts)
        now += 1.0
        if snapshot.taken and snapshot.taken[-1][1][0].component == behind and compared < comparisons:
            compared, now = compared + 1, now + 2000.0 * 3.0**compared
        whole.take(strings([now]))
        snapshot.follow(before, 1)
        begun.add(snapshot.began)
    assert len(begun) == 1 + comparisons
    again = revived_from(made(), snapshot.taken, whole.parts[snapshot.began :])
    assert differing(again.pipeline, whole.pipeline) == []


@pytest.mark.parametrize("pace", [1.0, 0.01])
@pytest.mark.parametrize("died_at", range(9))
def test_a_clock_that_is_set_back_is_judged_after_a_restart_as_without_one(died_at: int, pace: float) -> None:
    whole = Line(pipeline()).take(plant(START + np.arange(20.0), "paced/a", "paced/b"))
    saved, parts = whole.pipeline.save("", ""), len(whole.parts)
    late = [reading("paced/a", START - 900.0 + each, 20.0, START + 20.0 + pace * each) for each in range(10)]
    for message in late[:died_at]:
        whole.take([message])
    again = revived(pipeline(), saved, whole.parts[parts:])
    assert differing(again.pipeline, whole.pipeline) == []
    whole.take(late[died_at:])
    again.take(late[died_at:])
    assert differing(again.pipeline, whole.pipeline) == []
    assert whole.pipeline.counters.clock_steps == (pace == 1.0)


def test_a_snapshot_alone_is_sufficient() -> None:
    line = Line(pipeline(reorder_s=5.0))
    for step in script([("take", [("paced/a", 1.0, 0.0, 95.0), ("paced/d", 1.0, 9.0, 95.0)]), ("tick", 40.0)]):
        line.do(*step)
    assert line.pipeline.engine.open_incidents
    assert differing(revived(pipeline(reorder_s=5.0), line.pipeline.save("", ""), []).pipeline, line.pipeline) == []


def test_time_that_only_extends_an_open_incident_is_journaled_too() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(300.0), "paced/a"))
    line.take([reading("paced/a", START + 300.0, 60.0)])
    tracker = line.pipeline.engine.trackers[0]
    tracker.incident.updated = START + 1e6
    tracker.incident.conditions["missing"] = START  # it was already reported
    before, saved, parts = len(line.events), line.pipeline.save("", ""), len(line.parts)
    line.note(line.pipeline.tick(3.7))
    assert (len(line.events), tracker.state, tracker.incident.count) == (before, State.OPEN, 2)
    assert isinstance(line.parts[-1], TimePassed)
    assert differing(revived(pipeline(), saved, line.parts[parts:]).pipeline, line.pipeline) == []


def test_a_tick_without_effect_is_not_journaled() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(20.0), "paced/a", "paced/b"))
    assert line.pipeline.tick(0.5).journal is None


def test_events_without_a_reading_keep_their_numbers() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(20.0), "paced/a"))
    saved, parts = line.pipeline.save("", ""), len(line.parts)
    line.do("gap", None).do("gap", None)
    again = revived(pipeline(), saved, line.parts[parts:])
    bad = [reading("paced/a", START + 30.0, 95.0)]
    assert again.take(bad).events[0].sequence == line.take(bad).events[2].sequence == 3


def test_journal_entries_that_are_cut_differently_give_the_same() -> None:
    messages = plant(START + np.arange(30.0), *SENSORS)
    fine, coarse = Line(pipeline()).take(messages, cut=3), Line(pipeline()).take(messages, cut=41)
    entries = [pack(fine.parts[start : start + 5]) for start in range(0, len(fine.parts), 5)]
    again = pipeline()
    for entry in entries:
        again.replay(unpack(entry))
    assert knowledge(again) == knowledge(coarse.pipeline)


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty"])
def test_a_damaged_snapshot_is_a_separate_error(damage: str) -> None:
    saved = Line(pipeline()).take(plant(START + np.arange(5.0), "paced/a")).pipeline.save("", "")
    middle = len(saved) // 2
    bytes_of = {
        "flipped": saved[:middle] + bytes([saved[middle] ^ 0x10]) + saved[middle + 1 :],
        "cut": saved[:middle],
        "empty": b"",
    }
    with pytest.raises(SnapshotError):
        Snapshot.from_bytes(bytes_of[damage])
