"""The log of connections and failed attempts."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from edge.shell.link.reconnecting.connection_log import AGAIN_S, SOON_S, ConnectionLog
from edge.shell.system.logs import RateLimit


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(clock: Clock, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The lines that the service's log would have."""
    caplog.set_level(logging.INFO, "edgewarden.link")
    limit = RateLimit(clock=clock)
    caplog.handler.addFilter(limit)
    yield caplog
    caplog.handler.removeFilter(limit)  # all tests share the handler


def test_a_lasting_failure_is_logged_at_once_and_then_rarely(clock: Clock, lines: pytest.LogCaptureFixture) -> None:
    said = ConnectionLog("broker", 1883, clock)
    for _ in range(100):
        said.failed("Connection refused")
        clock.now += 30.0
    assert len(lines.messages) == 100 * 30 / AGAIN_S
    assert lines.messages[:2] == [
        "connect_failed host=broker port=1883 error='Connection refused'",
        "connect_failed host=broker port=1883 error='Connection refused' left_out=19",
    ]


def test_another_reason_is_logged_at_once(clock: Clock, lines: pytest.LogCaptureFixture) -> None:
    said = ConnectionLog("broker", 1883, clock)
    for _ in range(10):
        said.not_understood("5", "closes")
        said.not_understood("3.1.1", "closes")
        clock.now += 1.0
    said.failed("Connection refused")
    said.refused("Not authorized")
    said.failed("timed out")
    assert [each.split(" host=broker port=1883 ") for each in lines.messages] == [
        ["not_understood", "version=5 reason='closes'"],
        ["not_understood", "version=3.1.1 reason='closes'"],
        ["connect_failed", "error='Connection refused'"],
        ["connect_refused", "reason='Not authorized'"],
        ["connect_failed", "error='timed out'"],
    ]


def test_a_failure_after_a_connection_is_news_at_most_every_few_seconds(
    clock: Clock, lines: pytest.LogCaptureFixture
) -> None:
    said = ConnectionLog("broker", 1883, clock)
    for _ in range(60):
        said.failed("Connection refused")
        said.connected("5", session_present=False)
        clock.now += 1.0
    failures = [each for each in lines.messages if each.startswith("connect_failed")]
    assert len(failures) == 60 / SOON_S
