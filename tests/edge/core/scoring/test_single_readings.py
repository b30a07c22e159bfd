from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from config.schema import IncidentSettings
from detectors import DETECTORS
from edge.core.engine import Engine
from edge.core.model.readings.messages import Batch, Message
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.profiles import Profile
from tests.edge.core.pipelines import START, Line, detectors, knowledge, pipeline, reading, rule

SENSORS = [
    f"paced/{each}" for each in ("noise", "day", "switch", "counter", "stuck", "spiky", "shifted", "goes silent")
]
WATCHED = detectors(
    silence={}, limits={"high": 90.0}, flatline={}, rate={}, unrest={}, ewma={}, cusum={}, median={}, seasonal={}
)
LIGHT = detectors(silence={}, rate={}, ewma={}, contextual={"size": "light"})
FULL = detectors(silence={}, contextual={})
BUDGET = IncidentSettings(clear_after=3, update_s=60.0, adopt_after_s=9000.0, raise_after=2)


def faulty_plant(seed: int, count: int = 420) -> list[Message]:
    """One day of readings, one per minute, of several sensors, most of which fail, each in its own way."""
    rng, messages = np.random.default_rng(seed), []
    for step in range(count):
        time, late = START + 60.0 * step, step > 300
        noise = rng.normal(size=8)
        values = [
            noise[0] * (9.0 if 340 < step < 380 else 1.0),
            20.0 + 5.0 * np.sin(step / 100) + 0.2 * noise[1],
            float(step // 9 % 2),
            3.0 * (step % 250),
            7.5 if late else noise[4],
            noise[5] + (95.0 if step in {310, 311, 312, 350, 390} else 0.0),
            noise[6] + (25.0 if late else 0.0),
            noise[7],
        ]
        for place, sensor in enumerate(SENSORS):
            if place == 7 and 330 < step < 400:
                continue
            messages.append(reading(sensor, time + place, round(float(values[place]), 3)))
    return messages


def lived(monkeypatch: pytest.MonkeyPatch, messages: Sequence[Message], wide: int, watched: object, cut: int) -> Line:
    monkeypatch.setattr("edge.core.engine.WIDE", wide)
    settings = BUDGET if watched is LIGHT else None
    usual = rule(*watched, settings=settings) if settings else rule(*watched)  # type: ignore[misc]
    line = Line(pipeline(lambda _: usual))
    half = len(messages) // 2
    line.take(list(messages[:half]), cut)
    line.pipeline.engine.protect([0, 5])
    line.take(list(messages[half : half + 200]), cut)
    line.pipeline.engine.protect([])
    return line.take(list(messages[half + 200 :]), cut)


@pytest.mark.long
@pytest.mark.parametrize(
    ("watched", "cut"),
    [(WATCHED, 37), (WATCHED, 1000), (LIGHT, 1), (LIGHT, 37), (FULL, 200)],
    ids=["many", "many at once", "light, one by one", "light", "full"],
)
def test_readings_one_by_one_give_the_same_as_in_rounds(
    monkeypatch: pytest.MonkeyPatch, watched: object, cut: int
) -> None:
    messages = faulty_plant(seed=cut)
    in_rounds, singly = (lived(monkeypatch, messages, wide, watched, cut) for wide in (1, 10**9))
    assert len({each.sensor for each in singly.events}) >= 3
    assert {each.transition for each in singly.events} >= {"raised", "cleared"}
    assert [each.payload for each in singly.events] == [each.payload for each in in_rounds.events]
    assert knowledge(singly.pipeline) == knowledge(in_rounds.pipeline)


EXTREMES = [0.0, -0.0, 1e100, -1e100, 1e300, 5e-324, 1e-310, 1e16, 1.0, 3.0, 1e-100, 1e154, -1e155, 2.0**53]
PAUSES = [0.001, 1.0, 60.0, 3600.0, 2.6e6, 1e9]


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_any_single_readings_give_the_same_as_rounds(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng, clock = np.random.default_rng(seed), 0.0
    everything = Profile(tuple(each() for each in DETECTORS.values()), BUDGET)
    shipped = Profile(rule(*LIGHT).detectors, BUDGET)
    engines = {wide: Engine(lambda slot: (shipped, everything)[slot % 2]) for wide in (1, 3, 10**9)}
    for each in engines.values():
        each.grow(6)
    for step in range(700):
        if step % 70 == 0:
            kinds = rng.integers(0, 5, 6)
        clock += rng.choice(PAUSES, p=[0.3, 0.3, 0.3, 0.07, 0.02, 0.01])
        values = np.choose(
            kinds,
            [
                rng.choice(EXTREMES, 6),
                rng.normal(size=6),
                np.full(6, 5.0),
                np.round(rng.normal(size=6)),
                rng.normal(size=6) * 10.0 ** rng.integers(-300, 300),
            ],
        )
        slots = np.flatnonzero(rng.random(6) < 0.8)
        if len(slots):
            batch = Batch(slots, values[slots], np.full(len(slots), clock), slots)
            found = []
            for wide, engine in engines.items():
                monkeypatch.setattr("edge.core.engine.WIDE", wide)
                found.append(repr(engine.process(batch)))
            assert found[0] == found[1] == found[2]
    in_rounds, mixed, singly = (
        [array.tobytes() for tables in each.tables() for table in tables for array in table.arrays.values()]
        for each in engines.values()
    )
    assert in_rounds == mixed == singly


class Known(SensorArrays):
    def __init__(self) -> None:
        self.count = np.zeros(2, dtype=np.int64)
        self.level = np.ones(2)
        self.recent = np.zeros((2, 3))


def test_a_single_sensor_has_plain_numbers_and_writes_to_the_arrays() -> None:
    known = Known()
    mine = known.at(1)
    mine["count"][1] += 2
    mine["recent"][1, 2] = 5.0
    assert type(mine["count"][1]) is int
    assert type(mine["level"][1]) is float
    assert known.count.tolist() == [0, 2]
    assert known.at(np.array([1]))["recent"][1, 2] == 5.0


def test_a_single_sensor_uses_arrays_that_replaced_others() -> None:
    known = Known()
    known.at(0)["level"][0] = 3.0
    known.grow_to(40, level=7.0)
    assert known.at(0)["level"][0] == 3.0
    assert known.at(39)["level"][39] == 7.0
    known.replace({"level": np.full(40, 9.0)})
    assert known.at(0)["level"][0] == 9.0
