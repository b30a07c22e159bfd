"""Incident groups: open incidents that have one cause, of which one is told.

A group is told by the incident of its leader, the sensor or device that was found first. The others are its members;
nobody is told of their incidents while they belong to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from edge.core.incidents.incident_change import IncidentChange, OneCause
from edge.core.incidents.state_machine import Transition
from edge.core.model.words.severity import severity_class

SHORTEST_S, LONGEST_S = 1.0, 3600.0
"""An update waits at least and at most so long for what may follow it; in between, for an interval of the leader's."""

SLACK = 1.5
PATIENCE_SHARE = 0.5
"""A silent sensor stopped by so many of its intervals after its last reading, or by this share of its patience."""


CALM_S, CALM_READINGS = 60.0, 20.0
"""Of sensors that jump together, the calm of one may come so many seconds or intervals after that of another."""


class Stopped(NamedTuple):
    """When a sensor stopped: after the first moment, and by the second."""

    after: float
    by: float

    def meets(self, other: Stopped) -> bool:
        """Whether both may have stopped at one moment."""
        return self.after <= other.by and other.after <= self.by

    def and_(self, other: Stopped) -> Stopped:
        """When both may have stopped."""
        return Stopped(max(self.after, other.after), min(self.by, other.by))


def stopped(change: IncidentChange) -> Stopped:
    """When a sensor that is silent stopped."""
    seen = change.summary.seen
    patience = max(0.0, change.incident.started - seen)
    return Stopped(seen, seen + max(SLACK * change.summary.interval, PATIENCE_SHARE * patience))


@dataclass(slots=True)
class Member:
    """An incident that belongs to a group.

    Attributes:
        change: What was found of it last.
        grace: When it counts as left behind, as others have ended; infinity while none has.
        is_quiet: Whether its sensor is shelved.
    """

    change: IncidentChange
    grace: float = math.inf
    is_quiet: bool = False

    @property
    def patience(self) -> float:
        """How long it may still take when others have ended: as long as its sensor could be silent before."""
        if self.change.incident.kind != "missing":
            return max(CALM_S, CALM_READINGS * self.change.summary.interval)
        return max(SHORTEST_S, self.change.incident.started - self.change.summary.seen)


@dataclass(slots=True)
class IncidentGroup:
    """Open incidents that have one cause.

    Attributes:
        leader: The slot of the sensor or device whose incident is told.
        change: What was found of it last while it was open.
        kind: `missing`, or `flatline`, or `jump`.
        parent: What the names of sensors that jump together begin with.
        window: When all silent ones may have stopped.
        members: The incidents that are still open, by slot, the leader's among them while it is.
        everyone: Slots of all that ever belonged to it.
        devices: Slots of the devices in it that say that they are gone.
        concerned: Slots of their sensors.
        published: Number of the next event.
        severity: The worst of all.
        spacing: Seconds that the next update waits.
        due: When it is due; infinity if there is no news.
        returned: How many have ended since it was last seen that most of them hadn't.
        acknowledged: Whether the operator has seen it.
        is_quiet: Whether the leader is shelved.
        is_waiting: Whether those that are open have had a grace since the last joined.
        is_over: Whether its end was told, and only those that are left behind are waited for.
        cause: The leader of an earlier group that it was left behind by, and when that one's incident began.
    """

    leader: int
    change: IncidentChange
    kind: str
    parent: str
    window: Stopped
    members: dict[int, Member] = field(default_factory=dict)
    everyone: list[int] = field(default_factory=list)
    devices: list[int] = field(default_factory=list)
    concerned: list[int] = field(default_factory=list)
    published: int = 0
    severity: int = 1
    spacing: float = SHORTEST_S
    due: float = math.inf
    returned: int = 0
    acknowledged: bool = False
    is_quiet: bool = False
    is_waiting: bool = False
    is_over: bool = False
    cause: tuple[int, float] | None = None

    @property
    def is_lone(self) -> bool:
        """Whether there never was another one in it."""
        return len(self.everyone) == 1

    @property
    def next_due(self) -> float:
        """When something is to be done if nothing happens."""
        return min([self.due, *(each.grace for each in self.members.values())])

    def take(self, change: IncidentChange) -> bool:
        """Take in an incident; whether it makes the group worse by a class."""
        self.is_waiting = False
        if not self.everyone:
            self.severity, self.published = change.incident.severity, change.number
            self.spacing = min(max(SHORTEST_S, change.summary.interval), LONGEST_S)
        self.members[change.slot] = Member(change)
        self.everyone.append(change.slot)
        return self.worsen(change)

    def worsen(self, change: IncidentChange) -> bool:
        """Take note of the severity of one of the incidents; whether the group is worse by a class."""
        before, self.severity = self.severity, max(self.severity, change.incident.severity)
        return severity_class(self.severity) > severity_class(before)

    def expect_news(self, now: float) -> float:
        """There is something to tell; returns when it is due."""
        self.due = min(self.due, now + self.spacing)
        return self.due

    def number(self, least: int = 0) -> int:
        """The number of an event that is told now."""
        number = max(self.published, least)
        self.published = number + 1
        return number

    def event(self, transition: Transition, now: float, like: IncidentChange | None = None) -> IncidentChange:
        """What is told of the group.

        Args:
            transition: What happens to its incident.
            now: When, by the stream clock.
            like: What was found that it is told for; None if that is nothing new of the leader.
        """
        ends = transition in {Transition.CLEARED, Transition.EXPIRED}
        self.due, self.acknowledged = math.inf, self.acknowledged or transition is Transition.ACKNOWLEDGED
        if like is not None and like.slot == self.leader:
            change = replace(like, transition=transition)
        else:
            time = max(now if like is None else like.observation.time, self.change.observation.time)
            change = replace(
                self.change,
                transition=transition,
                observation=replace(self.change.observation, time=time),
                clock=max(now, self.change.clock),
                remark=("", "") if like is None else like.remark,
                shelved=self.is_quiet,
            )
        change.number, change.cause = self.number(change.number), self.cause
        if not self.is_lone:
            change.incident = replace(change.incident, severity=self.severity, acknowledged=self.acknowledged)
        if self.concerned or not self.is_lone:
            change.sensors = list(dict.fromkeys([*self.concerned, *(self.everyone if ends else self.members)]))
            ended = [slot for slot in self.everyone if slot not in self.members]
            change.one_cause = OneCause(self.kind, list(self.members), ended)
        return change
