"""The MQTT version with which a link connects.

`auto` means 5, with 3.1.1 for a broker that refuses 5 or closes the connection on it, as RabbitMQ before 3.13 and NATS
do. The accepted version is remembered for a while, so that not every reconnection costs a failed attempt. If a broker
that has accepted 5 closes one or two connections, 3.1.1 isn't tried: it is probably restarting.

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
"""After 3.1.1 was accepted instead of 5, only 3.1.1 is tried for this long."""

CLOSED_IN_A_ROW = 3
"""Number of attempts closed without an answer after which 3.1.1 is tried with a broker that accepted 5 before."""


class VersionChoice:
    """Chooses the versions to try, and learns from the outcomes.

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
        """The versions to try in sequence, without a pause, until the broker answers one."""
        if self._wanted != "auto":
            return (self._wanted,)
        if self._fallback_until is not None and self._monotonic() < self._fallback_until:
            return ("3.1.1",)
        if self._accepted_5 and self._closed < CLOSED_IN_A_ROW:
            return ("5",)
        return ("5", "3.1.1")

    def note(self, version: Version, outcome: Outcome) -> None:
        """Record the outcome of an attempt.

        Args:
            version: The version that was tried.
            outcome: `accepted` if the broker answered in that version, even to reject a password; `unsupported` if it
                reported that it doesn't support the version; `closed` if it closed the connection without an answer.
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
