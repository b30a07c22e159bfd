"""The log of connections and failed attempts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import pairwise

import pytest

from edge.shell.link.reconnecting.connection_log import AGAIN_S, FIRST_AGAIN_S, SOON_S, ConnectionLog
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


def test_a_lasting_failure_is_logged_at_once_and_then_ever_more_rarely_with_the_next_attempt(
    clock: Clock, lines: pytest.LogCaptureFixture
) -> None:
    said = ConnectionLog("broker", 1883, clock)
    moments: list[float] = []
    for second in range(0, 7200, 5):
        before = len(lines.messages)
        said.failed("Connection refused")
        said.pauses(4.26)
        moments += [second] * (len(lines.messages) - before)
        clock.now += 5.0
    assert moments[:5] == [0, 10, 30, 70, 150]
    assert FIRST_AGAIN_S == 10.0
    assert {after - before for before, after in pairwise(moments[7:])} == {AGAIN_S}
    assert lines.messages[:3] == [
        "connect_failed host=broker port=1883 error='Connection refused' next_try_in_s=4.3",
        "connect_failed host=broker port=1883 error='Connection refused' next_try_in_s=4.3 left_out=1",
        "connect_failed host=broker port=1883 error='Connection refused' next_try_in_s=4.3 left_out=3",
    ]


def test_another_reason_is_logged_at_once(clock: Clock, lines: pytest.LogCaptureFixture) -> None:
    said = ConnectionLog("broker", 1883, clock)
    for _ in range(10):
        said.not_understood("5", "closes")
        said.not_understood("3.1.1", "closes")
        said.pauses(1.0)
        clock.now += 0.9
    said.failed("Connection refused")
    said.refused("Not authorized")
    said.failed("timed out")
    said.pauses(1.0)
    assert [each.split(" host=broker port=1883 ") for each in lines.messages] == [
        ["not_understood", "version=5 reason='closes' next_try_in_s=1.0"],
        ["not_understood", "version=3.1.1 reason='closes' next_try_in_s=1.0"],
        ["connect_failed", "error='Connection refused' next_try_in_s=1.0"],
        ["connect_refused", "reason='Not authorized' next_try_in_s=1.0"],
        ["connect_failed", "error='timed out' next_try_in_s=1.0"],
    ]


def test_a_failure_after_a_connection_is_news_at_most_every_few_seconds(
    clock: Clock, lines: pytest.LogCaptureFixture
) -> None:
    said = ConnectionLog("broker", 1883, clock)
    for _ in range(60):
        said.failed("Connection refused")
        said.pauses(1.0)
        said.connected("5", session_present=False)
        clock.now += 1.0
    failures = [each for each in lines.messages if each.startswith("connect_failed")]
    assert len(failures) == 60 / SOON_S
