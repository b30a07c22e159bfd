"""Fixtures of sinks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from http_receivers import NotifyReceiver

from edge.shell.sinks.delivery import runner


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.2)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.FIRST_S", 0.1)
    monkeypatch.setattr(runner, "LOOK_S", 0.2)


@pytest.fixture
def notify_receiver() -> Iterator[NotifyReceiver]:
    """A receiver of notifications."""
    made = NotifyReceiver()
    made.start()
    yield made
    made.close()
