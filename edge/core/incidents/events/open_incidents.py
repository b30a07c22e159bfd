"""Open incidents, and the retained topics that describe them to late subscribers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from edge.core.incidents.events.event import Event, timestamp
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.topics import Topics, topic_for
from edge.core.model.packing.encoding import decode, encode

OPEN_LISTED = 500
"""Maximum number of incidents listed in the message with all open ones, which also gives their total."""

ENDED = {Transition.CLEARED.value, Transition.EXPIRED.value}


class OpenIncidents:
    """The open incidents of all sensors.

    Args:
        topics: This gateway's own topics.

    Attributes:
        events: The last event of each, by sensor.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.events: dict[str, Event] = {}

    def state(self) -> bytes:
        """The events, for `load()`."""
        return encode(list(self.events.values()))

    def load(self, state: bytes) -> None:
        """Load these events.

        Raises:
            StateError: They can't be read.
        """
        self.events = {event.sensor: event for event in decode(state, list[Event])}

    def note(self, event: Event) -> dict[str, bytes]:
        """Record an event; returns its sensor's retained topic and the new payload."""
        if event.transition not in ENDED:
            self.events[event.sensor] = event
            return {self._state_topic(event.sensor): event.payload}
        self.events.pop(event.sensor, None)
        return self._over(event.sensor, event.time)

    def over(self, ended: Mapping[str, float]) -> dict[str, bytes]:
        """The retained topics of sensors whose incidents ended, and when, unless another incident is open."""
        topics = [self._over(sensor, time) for sensor, time in ended.items() if sensor not in self.events]
        return {topic: payload for each in topics for topic, payload in each.items()}

    def listed(self) -> dict[str, bytes]:
        """The retained topic that lists all open incidents, worst first."""
        worst = sorted(self.events.values(), key=lambda each: (-each.severity, each.sequence))[:OPEN_LISTED]
        message = {"count": len(self.events), "incidents": [msgspec.Raw(each.payload) for each in worst]}
        return {self._topics.open: msgspec.json.encode(message)}

    def retained(self) -> dict[str, bytes]:
        """Every retained topic that belongs to an open incident, and the list of them."""
        return {self._state_topic(name): event.payload for name, event in self.events.items()} | self.listed()

    def cleared(self, sensors: Iterable[str]) -> dict[str, bytes]:
        """The retained topics of forgotten sensors, with empty payloads."""
        return {self._state_topic(each): b"" for each in sensors}

    def _over(self, sensor: str, time: float) -> dict[str, bytes]:
        ok = {"state": "ok", "sensor": sensor, "since": timestamp(time)}
        return {self._state_topic(sensor): msgspec.json.encode(ok)}

    def _state_topic(self, sensor: str) -> str:
        return self._topics.state(topic_for(sensor, self._topics.anomaly("")))
