"""Reconciliation of open incidents as published with those found by a replay.

After a restart the journal entries since the snapshot are replayed. With another version or configuration the replay
may find other incidents than those published at the time. A published incident that now belongs to a group is then
reported on its own until its end, one that isn't open any more is ended, and one that wasn't published is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from edge.core.incidents.events.event import Event, timestamp
from edge.core.incidents.events.incident_events import IncidentEvents
from edge.core.incidents.events.open_incidents import ENDED
from edge.core.model.sensors.sensors import SensorTable
from edge.core.operator.suppression import Suppression

RAISED, EXPIRED = "raised", "expired"


class PublishedIncidents:
    """The open incidents known to subscribers.

    Args:
        published: The state restored from a snapshot, before the replay.

    Attributes:
        after: The last event number in the snapshot.
        has_changed: Whether anything had to be reconciled.
    """

    def __init__(self, published: IncidentEvents) -> None:
        self.after = published.reporter.last_sequence
        self._open = dict(published.open_incidents.events)
        self._numbers = {each.incident: number_of(each) for each in self._open.values()}
        self._last = self.after
        self.has_changed = False

    def note_all(self, events: Iterable[Event]) -> bool:
        """Record the events published since the snapshot, in order.

        Returns:
            Whether they are complete; a number is missing if a limit has deleted events.
        """
        for each in events:
            if each.sequence != self._last + 1:
                return False
            self._last = each.sequence
            if not each.sensor:
                continue
            self._numbers[each.incident] = max(number_of(each), self._numbers.get(each.incident, 0))
            if each.transition in ENDED:
                self._open.pop(each.sensor, None)
            else:
                self._open[each.sensor] = each
        return True

    def reconcile(
        self, published: IncidentEvents, sensors: SensorTable, watch: Suppression, *, raises: bool
    ) -> list[Event]:
        """Reconcile the published incidents with those found by the replay.

        Args:
            published: The state after the replay.
            sensors: Names of the sensors.
            watch: Knows the open incidents.
            raises: Whether unpublished incidents are raised.

        Returns:
            The events to publish, numbered.
        """
        mine = published.open_incidents.events
        events: list[Event] = []
        for sensor, event in self._open.items():
            slot, known = sensors.find(sensor), mine.get(sensor)
            if known is not None and known.incident == event.incident:
                continue
            if known is None and slot is not None and self._is_parted(published, watch, slot, event):
                mine[sensor] = event
                self.has_changed = True
            else:
                message = f"The incident of {sensor} ends, as nothing holds it open after a restart"
                events.append(self._as(published, event, EXPIRED, message))
        for sensor, event in list(mine.items()) if raises else ():
            earlier = self._open.get(sensor)
            if earlier is None or earlier.incident != event.incident:
                mine[sensor] = self._as(published, event, RAISED, event.message)
                events.append(mine[sensor])
        self.has_changed = self.has_changed or bool(events)
        for slot in watch.open_slots() if self.has_changed or raises else ():
            incident = watch.incident(slot)
            identity = mine[name].incident if (name := sensors.names[slot]) in mine else ""
            incident.published = max(incident.published, self._numbers.get(identity, -1) + 1)
        return events

    def _is_parted(self, published: IncidentEvents, watch: Suppression, slot: int, event: Event) -> bool:
        """Remove a sensor's incident from its group if it was published on its own; returns whether it was."""
        if slot not in watch.open_slots() or published.grouping.leader(slot) == slot:
            return False
        if published.reporter.identity(slot, watch.incident(slot).started) != event.incident:
            return False
        published.grouping.part(slot)
        return True

    def _as(self, published: IncidentEvents, event: Event, transition: str, message: str) -> Event:
        """A copy of an incident's event for another transition."""
        reporter = published.reporter
        reporter.last_sequence += 1
        latest = self._numbers.get(event.incident, -1)
        number = self._numbers[event.incident] = max(latest + 1, number_of(event) + (transition == EXPIRED))
        content: dict[str, Any] = json.loads(event.payload)
        identity = f"{event.incident}-{number}-{transition}"
        content |= {
            "id": identity,
            "type": f"io.edgewarden.incident.{transition}.v1",
            "sequence": f"{reporter.last_sequence:020d}",
        }
        is_over = transition == EXPIRED
        ended = timestamp(event.time) if is_over else None
        data = content.setdefault("data", {})
        data |= {"transition": transition, "active": not is_over, "ended": ended, "message": message}
        payload = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return event._replace(
            sequence=reporter.last_sequence, id=identity, transition=transition, message=message, payload=payload
        )


def number_of(event: Event) -> int:
    """The number of an event within its incident; -1 if its ID has none."""
    number = event.id.removeprefix(f"{event.incident}-").partition("-")[0]
    return int(number) if number.isdecimal() else -1
