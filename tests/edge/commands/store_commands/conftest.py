"""A store of an oven and a fan, in a folder with its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from owned_stores import CONFIGURATION, HOUR_AGO, RUNNING

from config.loading import load
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewarden.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Path:
    """Creates a store in addition: 100 readings of an oven, 60 of them covered by a snapshot, then 5 of a fan."""
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    kept = SqliteStore(configuration.store.path)
    for number in range(100):
        messages = [Message("plant/oven", str(200 + number % 3).encode(), HOUR_AGO + 10 * number)]
        if number >= 95:
            messages.append(Message("plant/fan", b"7", HOUR_AGO + 10 * number))
        step = pipeline.process(messages)
        assert step.journal is not None
        kept.append(step.events, [], pack([step.journal]), now=HOUR_AGO + number)
        if number == 59:
            kept.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    kept.close()
    return kept.path


@pytest.fixture(autouse=True)
def _running() -> Iterator[None]:
    with ExitStack() as stack:
        RUNNING[:] = [stack]
        yield
