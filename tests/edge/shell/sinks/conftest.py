"""Fixtures of sinks."""

from __future__ import annotations

import pytest

from edge.shell.sinks.delivery import runner


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.2)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.FIRST_S", 0.1)
    monkeypatch.setattr(runner, "LOOK_S", 0.2)
