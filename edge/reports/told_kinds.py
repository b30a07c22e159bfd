"""The kinds of conditions that an incident's events have told, and when further ones joined it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
