"""What was told: open incidents as subscribers know them, against those that a restart arrives at.

What was journaled since the snapshot is gone through again. Where another version or another configuration does so, it
may arrive at other incidents than those that were told at the time. Then one that subscribers know of, and that belongs
to a group of others now, is told by itself to its end; one that isn't open any more is ended; and one that nobody was
told of is raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from edge.core.incidents.events.event import Event, timestamp
from edge.core.incidents.events.open_incidents import ENDED
from edge.core.incidents.events.telling import Telling
from edge.core.model.sensors.sensors import SensorTable
from edge.core.operator.suppression import Suppression

RAISED, EXPIRED = "raised", "expired"


class ToldIncidents:
    """The open incidents that subscribers know of.

    Args:
        telling: As a snapshot has restored it, before what was journaled since is gone through.

    Attributes:
        after: The last sequence that the snapshot knows.
        has_changed: Whether anything had to be brought in line.
    """

    def __init__(self, telling: Telling) -> None:
        self.after = telling.reporter.last_sequence
        self._open = dict(telling.open_incidents.events)
        self._numbers = {each.incident: number_of(each) for each in self._open.values()}
        self._last = self.after
        self.has_changed = False

    def note_all(self, events: Iterable[Event]) -> bool:
        """Take note of what was told since, in order.

        Returns:
            Whether that is all of it: no sequence is missing, as one is where a limit has deleted events.
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

    def reconcile(self, telling: Telling, sensors: SensorTable, watch: Suppression, *, raises: bool) -> list[Event]:
        """Bring what subscribers know, and what is known here, in line.

        Args:
            telling: As it is after what was journaled since the snapshot was gone through.
            sensors: The sensors' names.
            watch: Knows the incidents.
            raises: Whether incidents that nobody was told of are raised.

        Returns:
            What is to be told, numbered.
        """
        mine = telling.open_incidents.events
        events: list[Event] = []
        for sensor, event in self._open.items():
            slot, known = sensors.find(sensor), mine.get(sensor)
            if known is not None and known.incident == event.incident:
                continue
            if known is None and slot is not None and self._is_parted(telling, watch, slot, event):
                mine[sensor] = event
                self.has_changed = True
            else:
                message = f"The incident of {sensor} ends, as nothing holds it open after a restart"
                events.append(self._as(telling, event, EXPIRED, message))
        for sensor, event in list(mine.items()) if raises else ():
            told = self._open.get(sensor)
            if told is None or told.incident != event.incident:
                mine[sensor] = self._as(telling, event, RAISED, event.message)
                events.append(mine[sensor])
        self.has_changed = self.has_changed or bool(events)
        for slot in watch.open_slots() if self.has_changed or raises else ():
            incident = watch.incident(slot)
            identity = mine[name].incident if (name := sensors.names[slot]) in mine else ""
            incident.published = max(incident.published, self._numbers.get(identity, -1) + 1)
        return events

    def _is_parted(self, telling: Telling, watch: Suppression, slot: int, event: Event) -> bool:
        """Let a sensor's incident leave its group, if it is the one that was told; whether it is."""
        if slot not in watch.open_slots() or telling.grouping.leader(slot) == slot:
            return False
        if telling.reporter.identity(slot, watch.incident(slot).started) != event.incident:
            return False
        telling.grouping.part(slot)
        return True

    def _as(self, telling: Telling, event: Event, transition: str, message: str) -> Event:
        """An event like another one of its incident, for another transition."""
        reporter = telling.reporter
        reporter.last_sequence += 1
        told = self._numbers.get(event.incident, -1)
        number = self._numbers[event.incident] = max(told + 1, number_of(event) + (transition == EXPIRED))
        said: dict[str, Any] = json.loads(event.payload)
        identity = f"{event.incident}-{number}-{transition}"
        said |= {
            "id": identity,
            "type": f"io.edgewarden.incident.{transition}.v1",
            "sequence": f"{reporter.last_sequence:020d}",
        }
        is_over = transition == EXPIRED
        ended = timestamp(event.time) if is_over else None
        data = said.setdefault("data", {})
        data |= {"transition": transition, "active": not is_over, "ended": ended, "message": message}
        payload = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return event._replace(
            sequence=reporter.last_sequence, id=identity, transition=transition, message=message, payload=payload
        )


def number_of(event: Event) -> int:
    """The number of an event within its incident; -1 if its id has none."""
    number = event.id.removeprefix(f"{event.incident}-").partition("-")[0]
    return int(number) if number.isdecimal() else -1
