"""Incident groups: open incidents with a common cause, of which one is reported.

A group is reported by the incident of its leader, the sensor or device found first. The others are its members, whose
incidents aren't reported while they belong to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from edge.core.incidents.incident_change import CommonCause, IncidentChange
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.notation.severity import severity_class

SHORTEST_S, LONGEST_S = 1.0, 3600.0
"""Minimum and maximum delay of an update; in between it is one interval of the leader."""

TOGETHER_S, TOGETHER_SHARE = 5.0, 0.1
"""Sensors jump or send error values together within this many seconds or this share of their interval, at most within
one interval."""

SLACK = 1.5
PATIENCE_SHARE = 0.5
"""A silent sensor stopped by this many intervals, or this share of its patience, after its last reading."""

ALIKE_S = 3600.0
"""For this long after sensors have jumped or frozen together, what is found of any of them belongs to that."""

MOST_SHOWN = 3
"""Maximum number of members whose values are told."""

CALM_S, CALM_READINGS = 60.0, 20.0
"""When sensors jump together, their calm may begin this many seconds or intervals apart."""

BY_HOURS_S = 6 * 3600.0
"""What is unusual for the hour ends when each sensor's own hours are over."""

SLOWLY_S = 86_400.0
"""What drifts away together comes back together, but each sensor when its own mean is back, within this time."""


class Stopped(NamedTuple):
    """The range of times within which a sensor stopped: after the first, up to the second."""

    after: float
    by: float

    def meets(self, other: Stopped) -> bool:
        """Whether both may have stopped at the same moment."""
        return self.after <= other.by and other.after <= self.by

    def and_(self, other: Stopped) -> Stopped:
        """The range within which both may have stopped."""
        return Stopped(max(self.after, other.after), min(self.by, other.by))


def froze(change: IncidentChange) -> Stopped | None:
    """When a stuck sensor froze, at the latest when it had stayed as long as ever; None if it isn't stuck."""
    stuck = next((each for each in change.observation.opinions if each.kind == "flatline" and each.exceeds), None)
    if stuck is None:
        return None
    each_s = change.observation.stretch or change.summary.interval
    began = change.observation.time - stuck.now * each_s
    return Stopped(began, began + SLACK * each_s + stuck.usual * each_s)


def stopped(change: IncidentChange) -> Stopped:
    """When a silent or stuck sensor stopped."""
    if (when := froze(change)) is not None:
        return when
    seen, interval = change.summary.seen, change.summary.interval
    patience = max(0.0, change.incident.started - seen)
    return Stopped(seen, seen + max(SLACK * interval, PATIENCE_SHARE * patience))


def common_of(change: IncidentChange, name: str) -> str:
    """What the names of sensors with the same cause have in common: for peers what makes them that."""
    deviation = change.incident.deviation
    return name.rpartition("/")[0] if deviation is None else deviation.group


def _moment_of(change: IncidentChange) -> float:
    """Seconds within which another incident has the moment of this one."""
    interval = change.summary.interval
    return min(max(TOGETHER_S, TOGETHER_SHARE * interval), interval)


def bare(change: IncidentChange) -> IncidentChange:
    """A finding as stored: without its position in a batch."""
    return replace(change, order=(0, change.order[1], 0.0, change.slot), passed=-math.inf)


@dataclass(slots=True)
class Member:
    """An incident in a group.

    Attributes:
        change: Its last finding.
        grace: Time after which it counts as remaining because others have ended; infinity while none has, and for what
            is back and only isn't calm yet.
        is_quiet: Whether its sensor is shelved.
        over: How far above its usual range it was soon after it had joined, in widths of that.
        under: How far below.
    """

    change: IncidentChange
    grace: float = math.inf
    is_quiet: bool = False
    over: float = 0.0
    under: float = 0.0

    @classmethod
    def of(cls, change: IncidentChange) -> Member:
        """A new member with this finding."""
        member = cls(change)
        member.reach(change)
        return member

    def follow(self, change: IncidentChange) -> None:
        """Note a later finding."""
        if change.observation.time - self.change.incident.started <= ALIKE_S:
            self.reach(change)
        if change.is_return:
            self.grace = math.inf
        self.change = change

    def reach(self, change: IncidentChange) -> None:
        """Note how far its sensor has gone by a finding."""
        extent = change.incident.extent
        if extent is not None:
            self.over, self.under = max(self.over, extent.over), max(self.under, extent.under)

    @property
    def patience(self) -> float:
        """Time allowed after others have ended: as long as its sensor could be silent before."""
        if self.change.incident.kind != "missing":
            return max(CALM_S, CALM_READINGS * self.change.summary.interval)
        return max(SHORTEST_S, self.change.incident.started - self.change.summary.seen)


@dataclass(slots=True)
class IncidentGroup:
    """Open incidents with a common cause.

    Attributes:
        leader: Slot of the sensor or device whose incident is reported.
        change: The leader's last finding while its incident was open.
        kind: `missing`, `flatline`, `error_value`, `peers` or `jump`.
        parent: Common name prefix of sensors that jump, freeze or send error values together.
        window: Range within which all silent or stuck members may have stopped.
        members: Open incidents by slot, including the leader's while it is open.
        former: Those that have ended.
        adopted: Slots of those that have ended because their level was taken as normal.
        everyone: Slots of all members that it ever had.
        devices: Slots of its devices that report themselves gone.
        concerned: Slots of the sensors of these devices.
        published: Number of the next event.
        severity: Highest severity of all.
        spacing: Delay of the next update in seconds.
        due: Time of the next update; infinity if nothing changed.
        returned: Number of members that ended since most of them were last seen open.
        acknowledged: Whether the operator has acknowledged it.
        is_quiet: Whether the leader is shelved.
        is_waiting: Whether the open members have had a grace period since the last one joined.
        is_over: Whether its end was reported, and only remaining members are awaited.
        cause: Leader and incident start of the earlier group that this one remained from.
        guests: Incidents at other places of its site, until it is known whether that has jumped as a whole.
        decided: When that is decided at the latest; infinity if nobody waits.
        site: Number of the site's sensors when the first one began to wait.
        is_wide: Whether the site has jumped as a whole.
    """

    leader: int
    change: IncidentChange
    kind: str
    parent: str
    window: Stopped
    members: dict[int, Member] = field(default_factory=dict)
    former: dict[int, Member] = field(default_factory=dict)
    adopted: list[int] = field(default_factory=list)
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
    guests: dict[int, IncidentChange] = field(default_factory=dict)
    decided: float = math.inf
    site: int = 0
    is_wide: bool = False

    @property
    def started(self) -> float:
        """When its incident began."""
        return self.change.incident.started

    @property
    def is_lone(self) -> bool:
        """Whether it never had a second member."""
        return len(self.everyone) == 1

    @property
    def next_due(self) -> float:
        """The next time at which an action is due without new findings."""
        return min([self.due, self.decided, *(each.grace for each in self.members.values())])

    def patience(self, member: Member) -> float:
        """Time allowed to a member after others have ended, in seconds."""
        if self.kind == "jump" and self.change.incident.is_slide and not self.is_lone:
            return SLOWLY_S
        return BY_HOURS_S if self.kind == "state" else member.patience

    def member(self, slot: int) -> Member | None:
        """The incident of a sensor that is a member or was one; None for others."""
        return self.members.get(slot, self.former.get(slot))

    def take(self, change: IncidentChange) -> bool:
        """Add an incident; returns whether the group's severity class rises."""
        self.is_waiting = False
        if not self.everyone:
            self.severity, self.published = change.incident.severity, change.number
            self.spacing = min(max(SHORTEST_S, change.summary.interval), LONGEST_S)
        self.members[change.slot] = Member.of(change)
        if self.former.pop(change.slot, None) is None:
            self.everyone.append(change.slot)
        if change.slot in self.adopted:
            self.adopted.remove(change.slot)
        return self.worsen(change)

    def own(self, change: IncidentChange) -> IncidentChange:
        """A finding about the leader as part of the group's incident, which may be older than that of its sensor."""
        known = self.change.incident
        if change.slot != self.leader or change.incident.started == known.started:
            return change
        conditions = {**known.conditions, **change.incident.conditions}
        return replace(change, incident=replace(change.incident, started=known.started, conditions=conditions))

    def worsen(self, change: IncidentChange) -> bool:
        """Record the severity of a member; returns whether the group's severity class rises."""
        before, self.severity = self.severity, max(self.severity, change.incident.severity)
        return severity_class(self.severity) > severity_class(before)

    def shares_moment(self, change: IncidentChange) -> bool:
        """Whether a newly raised incident of the same kind and place began when this one did."""
        if abs(change.observation.time - self.started) <= _moment_of(change):
            return True
        return self.kind == "flatline" and self.window.meets(stopped(change))

    def moment_ends(self, change: IncidentChange) -> float:
        """The end of the moment at which this one began, for sensors like that of another incident."""
        return self.started + _moment_of(change)

    def expect_news(self, now: float, soon: float = math.inf) -> float:
        """Schedule an update, in at most `soon` seconds; returns when it is due."""
        self.due = min(self.due, now + min(self.spacing, soon))
        return self.due

    def number(self, least: int = 0) -> int:
        """The number of an event published now."""
        number = max(self.published, least)
        self.published = number + 1
        return number

    def event(self, transition: Transition, now: float, like: IncidentChange | None = None) -> IncidentChange:
        """The group as an incident change to report.

        Args:
            transition: The transition of its incident.
            now: The stream clock.
            like: The finding that caused the report; None if it is nothing new from the leader.
        """
        ends = transition in ENDS
        self.due, self.acknowledged = math.inf, self.acknowledged or transition is Transition.ACKNOWLEDGED
        if like is not None and like.slot == self.leader:
            change = replace(self.own(like), transition=transition)
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
            change.one_cause = CommonCause(self.kind, list(self.members), ended, list(self.adopted), self._worst())
        return change

    def _worst(self) -> list[IncidentChange]:
        """The last findings about the most severe members, in the order in which they were found if they are equal."""
        findings = [each.change for each in self.members.values()]
        return sorted(findings, key=lambda each: -each.incident.severity)[:MOST_SHOWN]
