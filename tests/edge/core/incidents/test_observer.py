"""An observer sees the engine's verdict on every reading, and doesn't influence it."""

from __future__ import annotations

import random

import numpy as np
import pytest

from config.loading import parse
from edge.core.incidents.observer import NOBODY, ScoredRound
from edge.core.model.readings.messages import Reading
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import load_or_default, make_pipeline

START = 1_700_000_000.0


class Notes:
    def __init__(self, pipeline: Pipeline) -> None:
        self.rounds: list[ScoredRound] = []
        pipeline.observe(self)

    def scored(self, scored: ScoredRound) -> None:
        self.rounds.append(scored)

    def of(self, slot: int) -> list[tuple[float, ...]]:
        return [
            tuple(float(column[index]) for column in each[1:-2])
            for each in self.rounds
            for index in np.flatnonzero(each.slots == slot)
        ]


def readings(count: int = 900) -> list[Reading]:
    noise = random.Random(3)
    return [
        Reading(f"s{index % 3}", START + index, noise.gauss(20, 0.5) + (40 if 600 <= index < 606 else 0))
        for index in range(count)
    ]


def run(chunk: int, *, observed: bool = True) -> tuple[Notes | None, list[bytes]]:
    pipeline = make_pipeline(load_or_default(None, "gw"))
    notes = Notes(pipeline) if observed else None
    events, all_of_them = [], readings()
    for start in range(0, len(all_of_them), chunk):
        events += pipeline.process_readings(all_of_them[start : start + chunk]).events
    return notes, [each.payload for each in events]


def test_observing_changes_no_event() -> None:
    _, seen = run(100)
    _, unseen = run(100, observed=False)
    assert seen
    assert seen == unseen


@pytest.mark.parametrize("chunk", [pytest.param(1, marks=pytest.mark.long), 7, 900])
def test_an_observer_gets_the_same_in_any_batching(chunk: int) -> None:
    (notes, _), (expected, _) = run(chunk), run(100)
    assert notes is not None
    assert expected is not None
    for slot in range(3):
        np.testing.assert_array_equal(notes.of(slot), expected.of(slot))


def test_every_reading_is_observed_once_with_its_time_and_value() -> None:
    notes, _ = run(100)
    assert notes is not None
    told = sorted((float(t), float(v)) for each in notes.rounds for t, v in zip(each.times, each.values, strict=True))
    assert told == sorted((each.time, each.value) for each in readings())


def test_an_incident_is_open_from_the_reading_that_raised_it() -> None:
    notes, _ = run(100)
    assert notes is not None
    started = [(float(t), float(s)) for each in notes.rounds for t, s in zip(each.times, each.started, strict=True)]
    opened = [(time, began) for time, began in started if not np.isnan(began)]
    assert min(opened) == (START + 600, START + 600)
    assert max(time for time, _ in opened) < START + 899


def test_the_band_is_that_of_the_leader_and_the_floor_that_of_the_strictest_detector() -> None:
    notes, _ = run(100)
    assert notes is not None
    for each in notes.rounds[-50:]:
        known = ~np.isnan(each.lower)
        assert known.all()
        assert (each.lower <= each.floor).all()
        assert (each.ceiling <= each.upper).all()
        assert (each.leader >= 0).all()
        assert {each.profile.detectors[place].name for place in each.leader} <= {"ewma", "rate", "contextual", "unrest"}


def test_a_sensor_without_detectors_has_no_score() -> None:
    names = ("silence", "flatline", "rate", "ewma", "median", "cusum", "seasonal")
    off = "\n".join(f"{name} = {{enabled = false}}" for name in names)
    rule = f'[[rule]]\nsensors = "**"\n[rule.detectors]\n{off}'
    pipeline = make_pipeline(parse(f'[[input]]\ntopic = "#"\n{rule}').configuration)
    notes = Notes(pipeline)
    pipeline.process_readings(readings(30))
    assert sum(len(each.slots) for each in notes.rounds) == 30
    assert all(np.isnan(each.score).all() and (each.leader == NOBODY).all() for each in notes.rounds)
    assert all(np.isnan(each.expected).all() and np.isnan(each.ceiling).all() for each in notes.rounds)
