"""Which MQTT version a link connects with.

`auto` means 5, and 3.1.1 for a broker that refuses 5 or closes the connection on it, as RabbitMQ before 3.13 and NATS
do. What the broker accepted is remembered for a while, so that not every reconnect costs a failed attempt. A broker
that has accepted 5 before may close a connection or two without being offered 3.1.1: it is probably restarting.

Source: MQTT 5.0, section 3.1.2.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

Version = Literal["3.1.1", "5"]
Wanted = Literal["auto", "3.1.1", "5"]
Outcome = Literal["accepted", "unsupported", "closed"]

FALLBACK_S = 3600.0
"""For this long after 3.1.1 was accepted instead of 5, only 3.1.1 is tried."""

CLOSED_IN_A_ROW = 3
"""A broker that has accepted 5 is offered 3.1.1 after it has closed this many attempts without an answer."""


class VersionChoice:
    """Chooses the versions to try, and learns from what became of them.

    Args:
        wanted: The configured version.
        monotonic: Seconds that never step.
    """

    def __init__(self, wanted: Wanted, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wanted = wanted
        self._monotonic = monotonic
        self._fallback_until: float | None = None
        self._accepted_5 = False
        self._closed = 0

    def to_try(self) -> tuple[Version, ...]:
        """The versions to try one after the other, without a pause, until the broker answers to one."""
        if self._wanted != "auto":
            return (self._wanted,)
        if self._fallback_until is not None and self._monotonic() < self._fallback_until:
            return ("3.1.1",)
        if self._accepted_5 and self._closed < CLOSED_IN_A_ROW:
            return ("5",)
        return ("5", "3.1.1")

    def note(self, version: Version, outcome: Outcome) -> None:
        """Record what became of an attempt.

        Args:
            version: The version that was tried.
            outcome: `accepted` if the broker answered in that version, be it to refuse a password; `unsupported` if it
                said that it doesn't know the version; `closed` if it closed the connection without an answer.
        """
        if version == "3.1.1":
            self._fallback_until = self._monotonic() + FALLBACK_S if outcome == "accepted" else None
            return
        if outcome == "closed":
            self._closed += 1
            return
        self._accepted_5 = outcome == "accepted"
        self._closed = 0
        self._fallback_until = None
