"""The step maker: converts incident changes to a step with everything to be published."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.incident_events import IncidentEvents
from edge.core.incidents.events.sensor_events import MOST, Reason
from edge.core.incidents.incident_change import IncidentChange
from edge.core.model.counters import Counters
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import DeadLetter
from edge.core.model.sensors.newcomers import Discovery, Newcomers
from edge.core.model.sensors.sensors import SensorTable
from edge.core.operator.suppression import Finding, Remark, Suppression
from edge.core.persistence.sensor_life import SensorLife
from edge.core.persistence.steps.step import Step


class StepMaker:
    """Creates steps from incident changes and from forgotten sensors.

    Args:
        topics: This gateway's own topics.
        sensors: Names of the sensors.
        counters: Counts events.
        published: Creates events from incident changes.
        watch: The engine with suppression applied.
        newcomers: The sensors not yet reported as found.
        life: Describes sensors and forgets them.
    """

    def __init__(
        self,
        topics: Topics,
        sensors: SensorTable,
        counters: Counters,
        published: IncidentEvents,
        watch: Suppression,
        newcomers: Newcomers,
        life: SensorLife,
    ) -> None:
        self._topics = topics
        self._sensors = sensors
        self._counters = counters
        self._published = published
        self._watch = watch
        self._newcomers = newcomers
        self._life = life

    def report(self, findings: Sequence[Finding], letters: list[DeadLetter], passed: float) -> Step:
        """The step with the events of changes, in their order, and the retained topics that they update.

        Args:
            findings: The incident changes.
            letters: The dead letters.
            passed: The time reached after the incident changes.
        """
        step, run = Step(dead_letters=letters), list[IncidentChange]()
        if not (findings or self._published.grouping.is_due(passed)):
            self._note_shelves(step)
            return step
        for finding in findings:
            if not isinstance(finding, Discovery):
                run.append(finding)
                continue
            self._add(step, self._published.tell(run, -math.inf))
            run = []
            found = self._life.found(finding)
            step.events.append(self._published.reporter.report_sensors("discovered", found, finding.clock))
        self._add(step, self._published.tell(run, passed))
        self._note_shelves(step)
        return step

    def _add(self, step: Step, outcome: tuple[list[Event], dict[str, bytes]]) -> None:
        events, retained = outcome
        if events:
            step.events += events
            self._counters.events.update(event.transition for event in events)
        step.retained |= retained

    def forget(
        self, slots: Sequence[int], time: float, clock: float, reason: Reason, remark: Remark = ("", "")
    ) -> tuple[Step, list[int]]:
        """Forget sensors: their incidents end, their retained topics are cleared, and an event reports it.

        Args:
            slots: Slots of the sensors.
            time: The current time, in seconds since the epoch.
            clock: The stream clock.
            reason: The reason for the event.
            remark: User and comment, if a command caused it.

        Returns:
            The step, and the vacated slots.
        """
        ending = [*slots, *self._watch.devices_of(slots), *self._life.emptied(slots)]
        step = self.report([*self._newcomers.pack(clock), *self._watch.end(ending, remark)], [], clock)
        self._add(step, self._published.forget(ending, clock))
        forgotten = self._life.to_forget(slots)
        for first in range(0, len(forgotten), MOST):
            some = forgotten[first : first + MOST]
            step.events.append(self._published.reporter.report_sensors("forgotten", some, time, reason, remark))
        gone = [self._sensors.names[each] for each in (*slots, *self._life.emptied(slots))]
        step.retained |= self._published.open_incidents.cleared(gone)
        vacant = self._life.forget(slots, time)
        self._note_shelves(step)
        return step, vacant

    def _note_shelves(self, step: Step) -> None:
        if self._watch.shelving.changed:
            self._watch.shelving.changed = False
            step.retained[self._topics.shelved] = self._watch.shelving.listing()
