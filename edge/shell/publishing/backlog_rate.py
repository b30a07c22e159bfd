"""The rate of the backlog: a token bucket that bounds the number of backlog events per second."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge.shell.publishing.outbox_cursor import OutboxCursor
from edge.shell.store import OutboxRow

BURST_S = 0.1
"""Averaging time of the rate."""


class BacklogRate:
    """Bounds the rate at which events of the backlog are sent.

    Args:
        per_second: Maximum number of events per second; may be changed at any time.
        monotonic: Seconds that never step.
    """

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self.per_second = per_second
        self._monotonic = monotonic
        self._allowance = 0.0
        self._allowed_at = monotonic()

    def rows(self, backlog: OutboxCursor) -> Iterator[OutboxRow]:
        """The next rows, up to the number allowed now; `sent()` counts them."""
        now = self._monotonic()
        allowance = self._allowance + self.per_second * (now - self._allowed_at)
        self._allowance = min(allowance, 1.0 + BURST_S * self.per_second)
        self._allowed_at = now
        while self._allowance >= 1 and (row := backlog.next()) is not None:
            yield row

    def sent(self) -> None:
        """Record that a row was sent."""
        self._allowance -= 1
