"""Publishing findings: converts incident changes to numbered events and retained topics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.open_incidents import OpenIncidents
from edge.core.incidents.events.reporting import Reporter
from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition


class IncidentEvents(NamedTuple):
    """Converts incident changes to what subscribers receive.

    Attributes:
        grouping: Groups incidents by cause.
        open_incidents: The open incidents as published.
        reporter: Creates the events.
    """

    grouping: Grouping
    open_incidents: OpenIncidents
    reporter: Reporter

    @property
    def names(self) -> Sequence[str]:
        """Names of sensors and devices, by slot."""
        return self.grouping.names

    def tell(self, findings: Sequence[IncidentChange], passed: float) -> tuple[list[Event], dict[str, bytes]]:
        """The events of changes, in their order, and the retained topics that they update.

        Args:
            findings: The incident changes.
            passed: Time that has passed after them.
        """
        return self._events_of(self.grouping.follow(findings, passed))

    def forget(self, slots: Collection[int], now: float) -> tuple[list[Event], dict[str, bytes]]:
        """The events and retained topics of groups led by forgotten sensors, whose incidents have ended."""
        return self._events_of(self.grouping.leave_behind(slots, now))

    def _events_of(self, changes: Sequence[IncidentChange]) -> tuple[list[Event], dict[str, bytes]]:
        events, retained = list[Event](), dict[str, bytes]()
        for finding in changes:
            before = self.open_incidents.events.get(self.names[finding.slot])
            continues = before is not None and finding.transition is not Transition.RAISED
            event = self.reporter.report(finding, before.incident if before is not None and continues else None)
            events.append(event)
            retained |= self.open_incidents.note(event)
        if events:
            retained |= self.open_incidents.listed()
        return events, retained
