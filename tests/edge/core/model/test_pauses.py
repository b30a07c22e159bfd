"""If a plant pauses, replaying its recording gives the same events as the live run, to the byte."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.notation.calendar import Window
from config.tables.devices import DeviceTable, resolve_devices
from edge.commands.support.backtests.replaying import chunks, with_pauses
from edge.core.model.readings.messages import Reading
from edge.core.model.readings.pauses import LOOKAHEAD, NO_PAUSE, Pauses
from edge.core.persistence.journal import Part, TimePassed, join, pack, unpack
from edge.core.pipeline import Pipeline
from edge.shell.service.turns.idle_time import IdleTime
from tests.edge.core.pipelines import SETTINGS, START, detectors, differing, pipeline, rule

HOUR = 3600.0
CALM = 60
"""rounds before the first pause"""
SENSORS = ("paced/pump/a", "paced/pump/b", "paced/pump/c", "paced/alone")
PUMP = resolve_devices((DeviceTable(sensors=("paced/pump/*",), warm_up=200),), SETTINGS)[0]


def made(reorder_s: float = 0.0, maintenance: Sequence[Window] = ()) -> Pipeline:
    """A plant with a device of three sensors, and one more sensor."""
    usual = rule(*detectors(silence={}, limits={"high": 80.0}))

    def device_for(sensor: str) -> tuple[str, object] | None:
        name = PUMP.device_of(sensor)
        return None if name is None else (name, PUMP)

    return pipeline(lambda _: usual, device_for=device_for, reorder_s=reorder_s, maintenance=maintenance)  # type: ignore[arg-type]


def recording(pauses: Sequence[float], sensors: int, every: float, begins_with: int = 0) -> list[Reading]:
    """Rounds of readings, some seconds apart; a pause begins after every tenth round except the first ones."""
    times, now = [], START
    for round_ in range(CALM + 10 * len(pauses)):
        number, within = divmod(round_ - CALM, 10)
        now += pauses[number] if within == 0 and number >= 0 else every
        times.append(now)
    rng = np.random.default_rng(8)
    return [
        Reading(SENSORS[(place + begins_with * (index >= CALM)) % sensors], time + 0.125 * place, 20.0 + rng.normal())
        for index, time in enumerate(times)
        for place in range(sensors)
    ]


def live(line: Pipeline, readings: Iterable[Reading], phase: float) -> tuple[list[bytes], list[Part]]:
    """The events of a service when readings arrive at their times, and time advances every second."""
    payloads, parts, quiet, then = list[bytes](), list[Part](), IdleTime(START), START

    def note(step: object) -> None:
        payloads.extend(each.payload for each in step.events)  # type: ignore[attr-defined]
        parts.extend([step.journal] if step.journal is not None else [])  # type: ignore[attr-defined]

    for reading in readings:
        for tick in np.arange(math.ceil(then) + phase, reading.time).tolist():
            passed_s = quiet.passed_s(tick, is_empty=True)
            if passed_s > 0:
                note(line.tick(passed_s))
        passed_s = quiet.passed_s(reading.time, is_empty=False)
        if passed_s > 0:
            note(line.tick(passed_s))
        quiet.arrived(reading.time)
        note(line.process_readings([reading]))
        then = reading.time
    note(line.flush())
    return payloads, parts


def replayed(line: Pipeline, readings: Iterable[Reading], cut: int) -> list[bytes]:
    """The events of a replay of them, cut into other batches."""
    payloads = []
    for chunk, quiet_until in chunks(readings):
        for first in range(0, len(chunk), cut):
            step = line.process_readings(chunk[first : first + cut], quiet_until[first : first + cut])
            payloads += [each.payload for each in step.events]
    return payloads + [each.payload for each in line.flush().events]


def from_journal(line: Pipeline, parts: Iterable[Part], cut: int) -> list[bytes]:
    """The events of a replay of the journal, without its ticks, which depend on the configuration."""
    payloads = []
    for part in with_pauses(join(unpack(pack(list(parts))), cut)):
        payloads += [each.payload for each in line.replay([part])]
    return payloads + [each.payload for each in line.flush().events]


PAUSES = st.lists(st.one_of(st.integers(2, 40), st.integers(60, 900), st.integers(3600, 5400)), min_size=1, max_size=3)


@pytest.mark.long
@settings(max_examples=15)
@given(PAUSES, st.integers(1, 4), st.sampled_from([5.0, 60.0]), st.integers(0, 3), st.sampled_from([0.0, 0.5, 0.9]))
def test_after_pauses_of_the_whole_plant_a_replay_gives_the_events_of_the_live_run(
    pauses: list[int], sensors: int, every: float, begins_with: int, phase: float
) -> None:
    readings = recording(pauses, sensors, every, begins_with)
    told, parts = live(made(), readings, phase)
    for cut in (1, 7, 10_000):
        assert replayed(made(), readings, cut) == told
        assert from_journal(made(), parts, cut) == told
        assert from_journal(made(), [each for each in parts if not isinstance(each, TimePassed)], cut) == told


@pytest.mark.long
@pytest.mark.parametrize("reorder_s", [0.0, 10.0])
@pytest.mark.parametrize("sensors", [1, 2, 4])
def test_the_first_sensor_after_a_pause_of_the_whole_plant_was_missing_like_the_others(
    sensors: int, reorder_s: float
) -> None:
    readings = recording([2 * HOUR, 15.0, 2 * HOUR], sensors, 5.0)
    told, _ = live(made(reorder_s), readings, 0.5)
    silent = [each for each in map(json.loads, told) if each["data"]["kind"] == "missing"]
    assert {name for each in silent for name in each["data"]["sensors"] or [each["subject"]]} == set(SENSORS[:sensors])
    assert sum(each["data"]["transition"] == "raised" for each in silent) >= 2
    for cut in (1, 7, 10_000):
        assert replayed(made(reorder_s), readings, cut) == told


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_window_that_begins_or_ends_in_a_pause_hides_the_same_as_live(cut: int) -> None:
    readings = recording([3 * HOUR], 3, 5.0)
    begins = START + 5.0 * CALM + HOUR
    windows = [Window("short", "**/a", begins, begins + HOUR), Window("long", "**/b", START, begins + HOUR)]
    told, _ = live(made(maintenance=windows), readings, 0.5)
    assert told != live(made(), readings, 0.5)[0]
    assert replayed(made(maintenance=windows), readings, cut) == told


def test_time_passes_before_a_refused_reading_too() -> None:
    calm = recording([], 2, 5.0)
    again, late = calm[-1], START + 2 * HOUR
    ticking, replaying = made(), made()
    for line in (ticking, replaying):
        line.process_readings(calm)
    told = ticking.tick(late - again.time).events + ticking.process_readings([again, again]).events
    assert len(told) == 5
    step = replaying.process_readings([again, again], [late, NO_PAUSE])
    assert [each.payload for each in step.events] == [each.payload for each in told]
    assert differing(ticking, replaying) == []


def passed(*readings: tuple[int, float]) -> list[float]:
    """The time up to which the clock had advanced before each reading of a recording, in seconds."""
    pauses = Pauses()
    decided = [each for slot, time in readings for each in pauses.add(slot, time)]
    return decided + pauses.end()


ROUNDS = [(slot, 10.0 * round_ + slot) for round_ in range(5) for slot in range(3)]


def test_a_pause_lasts_until_the_first_reading_of_those_that_agree() -> None:
    assert passed(*ROUNDS, (0, 1000.0), (1, 1001.0))[-2:] == [998.0, NO_PAUSE]
    assert passed(*ROUNDS, (0, 1000.0))[-1:] == [998.0]


def test_a_clock_that_is_ahead_causes_no_pause() -> None:
    assert passed(*ROUNDS, (0, 3600.0), (1, 51.0), (2, 52.0))[-3:] == [49.0, NO_PAUSE, NO_PAUSE]
    always = [(slot, time + 3600.0 * (slot == 2)) for slot, time in ROUNDS[3:]]
    assert max(passed(*ROUNDS[:3], *always)) < 50.0


def test_a_clock_that_is_behind_hides_no_pause() -> None:
    assert passed(*ROUNDS, (2, -100.0), (0, 1000.0), (2, -90.0), (1, 1001.0))[-4:] == [
        NO_PAUSE,
        998.0,
        NO_PAUSE,
        NO_PAUSE,
    ]


def test_no_time_passes_that_the_clock_has_not_confirmed() -> None:
    behind = [(1, 40.0)] * LOOKAHEAD
    assert passed(*ROUNDS, (0, 1000.0), *behind)[len(ROUNDS) :] == [NO_PAUSE] * (1 + LOOKAHEAD)


def test_an_interruption_of_the_service_is_not_a_pause_of_the_plant() -> None:
    pauses = Pauses()
    for slot, time in ROUNDS:
        pauses.add(slot, time)
    pauses.interrupt()
    assert pauses.add(0, 1000.0) + pauses.add(1, 1001.0) == [NO_PAUSE, NO_PAUSE]
    assert pauses.add(0, 1100.0) + pauses.add(1, 1101.0) == [1097.0, NO_PAUSE]
