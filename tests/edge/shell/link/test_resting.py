"""For a stream of single messages, the loop rests as long as it works; a reading in a quiet plant never waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.loading import parse
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.turns.pace import LONGEST_REST_S, WIDE
from edge.shell.store import SqliteStore
from edge.shell.system.wall_clock import WallClock

RunService = Callable[..., list[float]]


def message(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
    return "plant", msgspec.json.encode([{"ts": each.time, f"s{each.sensor}": each.value} for each in readings])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunService]:
    """Let a service receive messages at a rate, with steps of a fixed duration; returns the rests before its turns."""
    stores: list[SqliteStore] = []

    def run(rate: float, step_s: float, turns: int = 3, pack_size: int = 1) -> list[float]:
        clock, rests = Clock(), []
        plant = LoadPlant(10, rate, message, pack_size)
        link: Any = FreeLink(plant, clock, 1000)
        pipeline = make_pipeline(parse('[[input]]\ntopic = "#"\nsensor = "{field}"\n', "test").configuration)
        process = pipeline.process

        def slowly(messages: Any) -> Any:
            clock.now += step_s
            return process(messages)

        monkeypatch.setattr(pipeline, "process", slowly)
        monkeypatch.setattr("time.sleep", rests.append)
        stores.append(SqliteStore(tmp_path / f"{len(stores)}.db", "process"))
        wall = WallClock(0.0, None, lambda: START + clock.now, clock)
        options = ServiceOptions(Topics("edgewarden/gw"), in_flight=1000)
        service = Service(pipeline, stores[-1], link, link, options, clock=wall, monotonic=clock)
        for _ in range(turns):
            service._turn()
        return rests

    yield run
    for each in stores:
        each.close()


def test_after_a_step_of_a_stream_the_loop_rests_as_long_as_the_step_took(run: RunService) -> None:
    assert run(100.0, 0.003, turns=4) == pytest.approx([0.003, 0.003])


def test_rests_are_never_long(run: RunService) -> None:
    assert run(100.0, 0.5, turns=3) == [LONGEST_REST_S]


def test_after_a_wide_step_it_continues_immediately(run: RunService) -> None:
    assert run(100.0 * WIDE, 0.003) == []


def test_a_pack_of_many_readings_is_a_wide_step(run: RunService) -> None:
    assert run(100.0 * WIDE, 0.003, pack_size=2 * WIDE) == []


def test_a_lone_reading_never_waits(run: RunService) -> None:
    assert run(1.0, 0.003, turns=100) == []
