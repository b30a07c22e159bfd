"""A consumer of the events: all incidents, which are open, and the last sentence."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

import msgspec

from edge.reports.found import ToldKinds
from simulators.faults.truth import RaisedIncident

LINES = 200

KNOWN_DECADES = 6
"""Nothing is known of rarer events: a sensor has rarely sent a million readings."""


class IncidentLog:
    """Follows the events of a gateway as a subscriber; duplicates have no effect.

    Attributes:
        incidents: Latest data of every incident by ID, in the order of their starts.
        news: The latest events, newest last.
        events: Number of events.
    """

    def __init__(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.news: deque[dict[str, Any]] = deque(maxlen=LINES)
        self.events = 0
        self._seen: set[str] = set()
        self._told: dict[str, ToldKinds] = {}

    def take(self, payload: bytes) -> dict[str, Any] | None:
        """Take an event; returns it if it is new."""
        event: dict[str, Any] = msgspec.json.decode(payload)
        if event["id"] in self._seen:
            return None
        self._seen.add(event["id"])
        self.events += 1
        data = event["data"]
        self.incidents[data["incident"]] = {**data, "sensor": event["subject"]}
        self._told.setdefault(data["incident"], ToldKinds()).hear(data, seconds(event["time"]))
        self.news.append(event)
        return event

    @property
    def open(self) -> list[dict[str, Any]]:
        """The open incidents, most severe first."""
        open_ones = [each for each in self.incidents.values() if each["active"]]
        return sorted(open_ones, key=lambda each: -each["severity"])

    def raised(self) -> list[RaisedIncident]:
        """All incidents, for the comparison with the truth; a device's incident is attributed to its first sensor."""
        return [
            RaisedIncident(
                about(each),
                seconds(each["started"]),
                seconds(each["ended"]),
                each["kind"],
                self._told[identity].joined,
            )
            for identity, each in self.incidents.items()
            if each["started"]
        ]


def about(incident: dict[str, Any]) -> str:
    """The sensor of an incident; for a device, the one with the largest share."""
    shares = incident["contributions"]
    return str(shares[0]["sensor"] if shares else incident["sensor"])


def seconds(moment: str | None) -> Any:
    """An event's timestamp as seconds since the epoch, or None."""
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def why(data: dict[str, Any], most: int | None = None) -> str:
    """The agreeing detectors, the most surprised first, and how rare that is: `ewma, cusum: 1 in 20,000`.

    Args:
        data: The incident's data.
        most: Maximum number of detectors; None for all.
    """
    found = data["detectors"][:most]
    if not found:
        return "-"
    names, decades = ", ".join(each["name"] for each in found), found[0]["score"]
    rare = f"1 in {float(f'{10**decades:.1g}'):,.0f}" if decades < KNOWN_DECADES else "rarer than 1 in a million"
    return f"{names}: {rare}"
