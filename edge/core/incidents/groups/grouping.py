"""Grouping: incidents with a common cause are reported as one.

Whether incidents have a common cause is decided only from the findings in their order, so the result is the same for
any batching. The groups are:

- sensors that may have stopped at the same moment: of one message, one device or one publisher, with silences that
  begin within the same interval;
- the silent sensors of a device that reports itself gone;
- sensors with similar names, equal except for the last level, that jump or send error values within a few seconds, or
  a tenth of their interval, or that may have frozen at the same moment;
- sensors of like names, such as one of each room or node, that jump in the same direction within two intervals;
- peers that one comparison finds unlike the others.

The first finding is reported at once by its own incident, together with all silences due at the same moment. Later
members are reported by an update that waits for more, first a few seconds and then with increasing delays, so that a
plant that stops causes only a handful of events. When incidents of a group end, the others get as much time as their
sensors may be silent; those that remain are then reported on their own, with a reference to the group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from edge.core.incidents.groups.common_causes import happen_together, kind_of
from edge.core.incidents.groups.incident_group import LONGEST_S, TOGETHER_S, IncidentGroup, Stopped, common_of, stopped
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensors import is_device

ANSWERS = frozenset({Transition.ACKNOWLEDGED, Transition.SHELVED, Transition.UNSHELVED})

FIRST_TWO = 2
"""Number of members of a group when it turns out to be one, which is reported within `TOGETHER_S`."""

MOST_GROUPS = 1000
"""Maximum number of open incidents that others can join; the oldest are closed to new members first."""

SINGLY = 5
"""Up to this many remaining incidents are reported individually; more form a separate group."""


class Grouping:
    """The open incidents known to subscribers, and their members.

    Args:
        names: Names of sensors and devices, by slot.

    Attributes:
        scope: Returns the scope within which sensors may have a common cause, by name; everything by default.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.scope: Callable[[str], str] = lambda _: ""
        self._groups: dict[int, IncidentGroup] = {}
        self._of: dict[int, IncidentGroup] = {}
        self._over: list[IncidentGroup] = []
        self._boundary = math.inf

    @property
    def next_due(self) -> float:
        """The time at which a report may be due if nothing is found before; infinity if there is none."""
        return self._boundary

    def is_due(self, clock: float) -> bool:
        """Whether a report is due when time reaches `clock`."""
        return self._boundary <= clock

    def members(self, leader: int) -> Collection[int]:
        """Slots of the open incidents reported by a leader's incident, including its own."""
        group = self._groups.get(leader)
        return () if group is None else group.members

    def leader(self, slot: int) -> int:
        """The slot whose incident reports that of a sensor."""
        group = self._of.get(slot)
        return slot if group is None else group.leader

    def is_told_of_others(self, slot: int) -> bool:
        """Whether the reported incident of a sensor now stands only for others."""
        group = self._groups.get(slot)
        return group is not None and slot not in group.members

    def follow(self, findings: Sequence[IncidentChange], passed: float) -> list[IncidentChange]:
        """The reports that result from findings.

        Args:
            findings: The findings in order; all those of one silence deadline must be passed at once.
            passed: Time that has passed after them.
        """
        changes: list[IncidentChange] = []
        firsts: dict[str, IncidentGroup] = {}
        moment = math.nan
        for each in findings:
            is_silence = each.transition is Transition.RAISED and each.order[1] == 0
            if not (is_silence and each.clock == moment):
                changes += _raised(firsts)
                moment = each.clock if is_silence else math.nan
            changes += self._pass(max(each.clock, each.passed))
            if each.transition is not Transition.RAISED:
                changes += self._follow(each)
                continue
            changes += self._dissolve(each)
            group, scope = self._cause_of(each), self.scope(self.names[each.slot])
            if group is not None and group is firsts.get(scope):
                self._take(group, each)
            elif group is not None:
                changes += self._join(group, each)
            elif (made := self._found(each)) is None:
                changes.append(each)
            elif is_silence and scope not in firsts:
                firsts[scope] = made
            else:
                changes.append(made.event(Transition.RAISED, each.clock, each))
        changes += _raised(firsts)
        return changes + list(self._pass(passed))

    def _found(self, change: IncidentChange, cause: tuple[int, float] | None = None) -> IncidentGroup | None:
        """A group that others may join; None if its kind never affects several sensors."""
        kind = kind_of(change)
        if kind is None:
            return None
        slot, name = change.slot, self.names[change.slot]
        window = Stopped(math.inf, -math.inf) if is_device(name) else stopped(change)
        group = IncidentGroup(slot, _bare(change), kind, common_of(change, name), window, cause=cause)
        self._groups[slot] = group
        self._take(group, change)
        for earlier in self._over:
            for other in [each for each in change.sensors if each in earlier.members]:
                self._take(group, earlier.members.pop(other).change)
        self._over = [each for each in self._over if each.members]
        if len(self._groups) > MOST_GROUPS and (oldest := next((g for g in self._groups.values() if g.is_lone), None)):
            self._forget(oldest)
        return group

    def _take(self, group: IncidentGroup, change: IncidentChange) -> bool:
        """Add an incident to a group; returns whether the group's severity class rises."""
        self._of[change.slot] = group
        if is_device(self.names[change.slot]):
            known = set(group.concerned)
            group.devices.append(change.slot)
            group.concerned += [each for each in change.sensors if each not in known]
        elif group.kind in {"missing", "flatline"} and group.window.meets(when := stopped(change)):
            group.window = group.window.and_(when)
        return group.take(_bare(change))

    def _forget(self, group: IncidentGroup) -> None:
        if self._groups.get(group.leader) is group:
            del self._groups[group.leader]
        for slot in group.members:
            del self._of[slot]

    def _cause_of(self, change: IncidentChange) -> IncidentGroup | None:
        """The group with the same cause as a newly raised incident."""
        kind, name = kind_of(change), self.names[change.slot]
        if kind is None:
            return None
        scope, names = self.scope(name), self.names
        groups = (each for each in reversed(self._groups.values()) if self.scope(names[each.leader]) == scope)
        if kind != "missing":
            same = (each for each in groups if each.kind == kind)
            return next((each for each in same if happen_together(each, names[each.leader], change, name)), None)
        silent = [each for each in groups if each.kind == kind]
        if is_device(name):
            return next((each for each in silent if not each.members.keys().isdisjoint(change.sensors)), None)
        when = stopped(change)
        gone = (each for each in silent if self._is_excused(each, change.slot))
        return next(gone, None) or next((each for each in silent if each.window.meets(when)), None)

    def _is_excused(self, group: IncidentGroup, slot: int) -> bool:
        """Whether a sensor belongs to a device in the group that reports itself gone."""
        name = self.names[slot]
        return any(name.startswith(self.names[device]) for device in group.devices)

    def _join(self, group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Add an incident to a group and yield the reports."""
        is_known = self._is_excused(group, change.slot)
        is_worse = self._take(group, change) and not is_known
        if (is_worse or change.sensors) and not group.is_quiet:
            yield group.event(Transition.UPDATED, change.clock)
        elif not is_known:
            soon = TOGETHER_S if len(group.everyone) == FIRST_TWO else math.inf
            self._boundary = min(self._boundary, group.expect_news(change.clock, soon))

    def _follow(self, change: IncidentChange) -> Iterator[IncidentChange]:
        """The reports of a transition of an open incident."""
        group, slot = self._of.get(change.slot), change.slot
        if group is None:
            yield change
        elif change.transition in ENDS:
            yield from self._leave(group, change)
        elif change.transition in ANSWERS:
            yield from _answer(group, change)
        elif slot == group.leader:
            group.change = group.members[slot].change = _bare(change)
            group.worsen(change)
            yield group.event(change.transition, change.clock, change)
        elif group.goes_own_way(change, kind_of(change)):
            group.members[slot].change = _bare(change)
            group.everyone.remove(slot)  # it hasn't ended
            yield from self._tell(group, [slot], change.clock)
        else:
            group.members[slot].change = _bare(change)
            if not self._is_excused(group, slot) and group.worsen(change) and not group.is_quiet and not group.is_over:
                yield group.event(Transition.UPDATED, change.clock)

    def _leave(self, group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Remove an ended incident from its group, which ends with its last member."""
        slot, now = change.slot, change.clock
        back = max(now, change.observation.time)  # the clock follows the second that is back
        del group.members[slot], self._of[slot]
        says_so = slot in group.devices
        if says_so:
            group.devices.remove(slot)
            group.is_waiting = False
        if not group.members:
            self._remove(group)
            if not group.is_over:
                yield group.event(change.transition, now, change)
            return
        group.returned += 1
        for other, each in group.members.items() if not group.is_waiting else ():
            if each.grace == math.inf and other not in group.devices and not self._is_excused(group, other):
                each.grace = back + each.patience
                self._boundary = min(self._boundary, each.grace)
        group.is_waiting = True
        if says_so and slot == group.leader:
            yield group.event(change.transition, now, change)
            self._remove(group)
            group.is_over = True
            self._over.append(group)
        elif not group.is_over:
            self._boundary = min(self._boundary, group.expect_news(back))

    def _remove(self, group: IncidentGroup) -> None:
        if group.is_over:
            self._over.remove(group)
        else:
            del self._groups[group.leader]

    def _dissolve(self, change: IncidentChange) -> Iterator[IncidentChange]:
        """End a group whose leader has a new incident; others are reported unless they may be about to end as well."""
        group = self._groups.get(change.slot)
        if group is not None and change.slot not in group.members:
            yield group.event(Transition.CLEARED, change.clock)
            late = [slot for slot, each in group.members.items() if each.grace == math.inf]
            yield from self._tell(group, late, change.clock)
            self._remove(group)
            if group.members:
                group.is_over = True
                self._over.append(group)

    def _tell(self, group: IncidentGroup, slots: Sequence[int], now: float) -> Iterator[IncidentChange]:
        """Report incidents of a group individually, or as a separate group if there are many."""
        cause = (group.leader, group.change.incident.started)
        behind = [(slot, group.members.pop(slot)) for slot in slots]
        for slot, _ in behind:
            del self._of[slot]
        made: IncidentGroup | None = None
        for _, each in behind:
            if each.is_quiet:
                continue
            change = replace(each.change, transition=Transition.RAISED, clock=max(now, each.change.clock))
            if made is not None and len(behind) > SINGLY:
                self._take(made, change)
                continue
            made = self._found(change, cause)
            if made is None:
                yield replace(change, cause=cause)
            elif len(behind) <= SINGLY:
                yield made.event(Transition.RAISED, now, change)
        if made is not None and len(behind) > SINGLY:
            yield made.event(Transition.RAISED, now, made.change)

    def _pass(self, now: float) -> Iterator[IncidentChange]:
        """Handle everything due up to `now`, in order of time."""
        while self._boundary <= now:
            every = [*self._groups.values(), *self._over]
            soonest = min(every, key=lambda each: each.next_due, default=None)
            self._boundary = math.inf if soonest is None else soonest.next_due
            if soonest is not None and self._boundary <= now:
                yield from self._see_to(soonest, self._boundary)

    def _see_to(self, group: IncidentGroup, now: float) -> Iterator[IncidentChange]:
        """Handle what is due for a group."""
        behind = [slot for slot, each in group.members.items() if each.grace <= now]
        if behind and (group.is_over or group.returned >= len(group.members)):
            if group.leader in behind:
                group.members[group.leader].grace = math.inf
                behind.remove(group.leader)
                group.due = now
            if len(behind) == len(group.members):
                if not group.is_over:
                    yield group.event(Transition.CLEARED, now)
                self._remove(group)
            yield from self._tell(group, behind, now)
        elif behind:
            group.returned, group.is_waiting = 0, False
            for slot in behind:
                group.members[slot].grace = math.inf
        if group.due <= now:
            group.due = math.inf
            if not group.is_quiet:
                yield group.event(Transition.UPDATED, now)
                group.spacing = min(2.0 * group.spacing, LONGEST_S)

    def leave_behind(self, slots: Collection[int], now: float) -> list[IncidentChange]:
        """End the groups led by forgotten sensors; the remaining incidents are reported on their own.

        Args:
            slots: Slots of the sensors, whose own incidents have ended.
            now: The stream clock.
        """
        changes: list[IncidentChange] = []
        for group in [each for each in (*self._groups.values(), *self._over) if each.leader in slots]:
            if not group.is_over:
                changes.append(group.event(Transition.CLEARED, now))
            self._remove(group)
            behind = [replace(each.change, clock=max(now, each.change.clock)) for each in group.members.values()]
            for slot in group.members:
                del self._of[slot]
            changes += [each for change in behind for each in self.follow([_anew(change)], -math.inf)]
        for group in (*self._groups.values(), *self._over):
            group.devices = [each for each in group.devices if each not in slots]
            group.concerned = [each for each in group.concerned if each not in slots]
        return changes

    def part(self, slot: int) -> None:
        """Report an open incident that isn't its group's leader on its own from now on."""
        group = self._of.pop(slot)
        del group.members[slot]
        group.everyone.remove(slot)
        if slot in group.devices:
            group.devices.remove(slot)
        if not group.members:
            self._remove(group)

    def keep(self, slots: Collection[int]) -> None:
        """Remove members whose open incident couldn't be restored from a snapshot."""
        for group in [*self._groups.values(), *self._over]:
            for slot in [each for each in group.members if each not in slots]:
                del group.members[slot], self._of[slot]
            if not group.members:
                self._remove(group)

    def state(self) -> bytes:
        """The groups, for `load()`."""
        return encode([*self._groups.values(), *self._over])

    def load(self, state: bytes) -> None:
        """Load these groups.

        Raises:
            StateError: They can't be read.
        """
        groups = decode(state, list[IncidentGroup])
        self._groups = {each.leader: each for each in groups if not each.is_over}
        self._over = [each for each in groups if each.is_over]
        self._of = {slot: group for group in groups for slot in group.members}
        self._boundary = min((each.next_due for each in groups), default=math.inf)


def _raised(firsts: dict[str, IncidentGroup]) -> list[IncidentChange]:
    """The reports of the groups found at one moment, each with all of its members; empties `firsts`."""
    changes = [each.event(Transition.RAISED, each.change.clock, each.change) for each in firsts.values()]
    firsts.clear()
    return changes


def _anew(change: IncidentChange) -> IncidentChange:
    return replace(change, transition=Transition.RAISED)


def _answer(group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
    """The reports of an operator command on an incident; only commands on the leader's incident count."""
    is_leader = change.slot == group.leader
    if change.transition is Transition.ACKNOWLEDGED:
        if group.is_lone or not (group.acknowledged or group.is_over):
            yield group.event(change.transition, change.clock, change)
        return
    group.members[change.slot].is_quiet = change.shelved
    if is_leader:
        group.is_quiet = change.shelved
        yield group.event(change.transition, change.clock, change)


def _bare(change: IncidentChange) -> IncidentChange:
    """A finding as stored: without its position in a batch."""
    return replace(change, order=(0, change.order[1], 0.0, change.slot), passed=-math.inf)
