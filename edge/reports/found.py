"""What counts as found, in a backtest, the demo and the acceptance benchmark alike.

A fault is found by an incident raised within its time; else by an update within it that tells a new kind of condition
of an incident which was open before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

ROUNDING_S = 0.001
"""Events and labels may have times in milliseconds; smaller differences are ignored."""


class FaultTime(Protocol):
    """A time in which something is wrong, in seconds since the epoch, UTC."""

    @property
    def start(self) -> float:
        """When it begins."""

    @property
    def end(self) -> float:
        """When it ends."""


def is_within(time: float, fault: FaultTime, after_s: float = 0.0) -> bool:
    """Whether a time lies within a fault's, or up to so many seconds after it."""
    return fault.start - ROUNDING_S <= time <= fault.end + after_s + ROUNDING_S


def was_open_before(raised: float, ended: float, fault: FaultTime) -> bool:
    """Whether an incident that was open from one time to another was when a fault began."""
    return raised < fault.start - ROUNDING_S and ended >= fault.start


class ToldKinds:
    """Follows the events of one incident.

    Attributes:
        joined: Times of the updates that told a kind which no event of the incident had told before, in seconds since
            the epoch, UTC.
    """

    def __init__(self) -> None:
        self.joined: tuple[float, ...] = ()
        self._kinds: frozenset[str] = frozenset()

    def hear(self, data: Mapping[str, Any], time: float) -> None:
        """Take an event.

        Args:
            data: The event's data, as in its schema.
            time: Time of the event in seconds since the epoch, UTC.
        """
        kinds = frozenset({data["kind"], *(each["kind"] for each in data["conditions"])})
        if data["transition"] == "updated" and self._kinds and not kinds <= self._kinds:
            self.joined += (time,)
        self._kinds |= kinds
