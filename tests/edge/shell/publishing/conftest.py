"""A store and a clock for publishers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from outlet import Clock

from edge.shell.store import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process")
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()
