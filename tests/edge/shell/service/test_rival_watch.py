from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from edge.core.incidents.events.gaps import Gap
from edge.shell.service.watches.rival_watch import INTERVAL_S, RivalWatch


class FakeLink:
    def __init__(self) -> None:
        self.connected = True
        self.reconnecting = SimpleNamespace(takeovers=0)


@pytest.fixture
def link() -> Any:
    return FakeLink()


def gap(first: float, last: float) -> Gap:
    return Gap("readings", "client_id_in_use", None, first, last)


def test_without_another_client_there_is_nothing_to_report(link: Any) -> None:
    assert RivalWatch(link).gap(1.0, 2.0, 3.0) is None


def test_a_gap_by_another_client_lasts_from_the_last_reading_until_we_are_back(link: Any) -> None:
    watch = RivalWatch(link)
    link.reconnecting.takeovers, link.connected = 1, False
    assert watch.gap(100.0, 105.0, 5.0) is None
    link.connected = True
    assert watch.gap(100.0, 110.0, 10.0) == gap(100.0, 110.0)
    assert watch.gap(111.0, 112.0, 12.0) is None


def test_repeated_losses_are_reported_together(link: Any) -> None:
    watch = RivalWatch(link)
    link.reconnecting.takeovers = 1
    assert watch.gap(100.0, 110.0, 0.0) == gap(100.0, 110.0)
    link.reconnecting.takeovers = 2
    assert watch.gap(120.0, 130.0, 20.0) is None
    link.reconnecting.takeovers = 3
    assert watch.gap(140.0, 150.0, 40.0) is None
    assert watch.gap(160.0, 170.0, INTERVAL_S) == gap(120.0, 150.0)
