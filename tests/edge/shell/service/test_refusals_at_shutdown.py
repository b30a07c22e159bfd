"""Events that a sink refuses during the final delivery are stored, too, and don't cause an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.capacity.plant import Clock
from edge.core.model.notation.topics import Topics
from edge.shell.options import ServiceOptions
from edge.shell.service.service import Service
from edge.shell.service.sink_keeper import SinkKeeper
from edge.shell.sinks.delivery.progress import SetAside, SinkProgress
from edge.shell.store import OutboxRow, SinkPosition, SqliteStore, Store
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters
from edge.shell.system.signals import Signals
from tests.edge.shell.service.test_service_sessions import ScriptedLink, new_pipeline

ROW = OutboxRow(1, "edgewarden/gw/anomaly/s", "raised", "spike", 500, "s", b"{}")


class RefusedLate(SinkKeeper):
    """Sinks, one of which refuses an event while the service is stopping."""

    def __init__(self, signals: Signals) -> None:
        super().__init__()
        self._signals = signals

    def turn(self, store: Store) -> None:
        if self._signals.stopping and not self._awaits_commit and not self._positions:
            self._take("out", SinkProgress(SinkPosition(1), [SetAside(ROW, "400")]), 0.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process")
    yield made
    made.close()


def test_a_refusal_during_the_final_delivery_is_stored_and_is_not_an_error(store: SqliteStore) -> None:
    clock, signals = Clock(), Signals()
    link: Any = ScriptedLink(clock)
    service = Service(
        new_pipeline(),
        store,
        link,
        link,
        ServiceOptions(Topics("edgewarden/gw")),
        monotonic=clock,
        signals=signals,
        sinks=RefusedLate(signals),
    )
    signals.stopping = True
    service.run()
    (letter,) = read_dead_letters(store.path, LetterFilter())
    assert (letter["reason"], letter["path"]) == ("sink_refused", "out")
