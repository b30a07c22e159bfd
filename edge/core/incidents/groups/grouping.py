"""Grouping: incidents with a common cause are reported as one.

Whether incidents have a common cause is decided only from the findings in their order, so the result is the same for
any batching. The groups are:

- sensors that may have stopped at the same moment: of one message, one device or one publisher, with silences that
  begin within the same interval;
- the silent sensors of a device that reports itself gone;
- sensors with similar names, equal except for the last level, that jump or send error values within a few seconds, or
  a tenth of their interval, or that may have frozen at the same moment;
- sensors at any place of a site of which half jumps or freezes at one moment (`site_jumps.py`);
- sensors of like names, such as one of each room or node, that jump in the same direction within two intervals;
- peers that one comparison finds unlike the others, and sensors of like names that no longer follow their devices.

The first finding is reported at once by its own incident, together with all silences due at the same moment. Later
members are reported by an update that waits for more, first a few seconds and then with increasing delays, so that a
plant that stops causes only a handful of events. When incidents of a group end, the others get as much time as their
sensors may be silent; those that remain are then reported on their own, with a reference to the group. What else is
found of its sensors meanwhile is judged by `aftermath.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from edge.core.incidents.groups.aftermath import belongs_again, continues, goes_own_way, only_settles
from edge.core.incidents.groups.answers import ANSWERS, answer
from edge.core.incidents.groups.common_causes import drifts_with_like_ones, kind_of
from edge.core.incidents.groups.incident_group import LONGEST_S, TOGETHER_S, IncidentGroup, bare
from edge.core.incidents.groups.open_groups import OpenGroups
from edge.core.incidents.groups.site_jumps import has_jumped_as_a_whole
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import ENDS, Transition

FIRST_TWO = 2
"""Number of members of a group when it turns out to be one, which is reported within `TOGETHER_S`."""

SINGLY = 5
"""Up to this many remaining incidents are reported individually; more form a separate group."""


class Grouping:
    """The open incidents known to subscribers, and their members.

    Args:
        names: Names of sensors and devices, by slot.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._open = OpenGroups(names)
        self._boundary = math.inf

    @property
    def next_due(self) -> float:
        """The time at which a report may be due if nothing is found before; infinity if there is none."""
        return self._boundary

    def is_due(self, clock: float) -> bool:
        """Whether a report is due when time reaches `clock`."""
        return self._boundary <= clock

    def within(self, scope: Callable[[str], str]) -> None:
        """Let sensors have a common cause only within one scope, given by name."""
        self._open.within(scope)

    def members(self, leader: int) -> Collection[int]:
        """Slots of the open incidents reported by a leader's incident, including its own."""
        group = self._open.led.get(leader)
        return () if group is None else group.members

    def leader(self, slot: int) -> int:
        """The slot whose incident reports that of a sensor."""
        group = self._open.of.get(slot)
        return slot if group is None else group.leader

    def is_told_of_others(self, slot: int) -> bool:
        """Whether the reported incident of a sensor now stands only for others."""
        group = self._open.led.get(slot)
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
            earlier = self._open.earlier_of(each.slot)
            if earlier is not None and continues(earlier, each, drifts=self._drifts(earlier, each)):
                changes += self._rejoin(earlier, each)
                continue
            changes += self._dissolve(each)
            group, scope = self._open.cause_of(each), self._open.scope(self.names[each.slot])
            if group is not None and group is firsts.get(scope):
                self._open.take(group, each)
            elif group is not None:
                changes += self._join(group, each)
            elif (host := self._open.host_of(each)) is not None:
                changes += self._await_others(host, each)
            elif (made := self._open.found(each)) is None:
                changes.append(each)
            elif is_silence and scope not in firsts:
                firsts[scope] = made
            else:
                changes.append(made.event(Transition.RAISED, each.clock, each))
        changes += _raised(firsts)
        return changes + list(self._pass(passed))

    def _join(self, group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Add an incident to a group and yield the reports."""
        is_known = self._open.is_excused(group, change.slot)
        is_worse = self._open.take(group, change) and not is_known
        if (is_worse or change.sensors) and not group.is_quiet:
            yield group.event(Transition.UPDATED, change.clock)
        elif not is_known:
            self._expect(group, change.clock, TOGETHER_S if len(group.everyone) == FIRST_TWO else math.inf)
        yield from self._see_whole(group, change.clock)

    def _drifts(self, group: IncidentGroup, change: IncidentChange) -> bool:
        return drifts_with_like_ones(group, self.names, change)

    def _rejoin(self, group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Add a new incident of a former member; of the leader it is reported unless it follows from the first."""
        is_leader, is_back = change.slot == group.leader, change.is_return
        is_news = is_leader and not belongs_again(group, change, drifts=self._drifts(group, change))
        change = group.own(change)
        if is_leader:
            group.change = bare(change)
        is_worse = self._open.take(group, change)
        if is_news or (is_worse and not (is_back or group.is_quiet)):
            yield group.event(Transition.UPDATED, change.clock, change if is_news else None)
        elif not is_back:
            self._expect(group, change.clock)

    def _await_others(self, host: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Add an incident to a group whose site has jumped as a whole, or let it wait until that is known."""
        if host.is_wide:
            yield from self._join(host, change)
            return
        self._open.sites.wait(host, bare(change))
        self._boundary = min(self._boundary, host.decided)
        yield from self._see_whole(host, change.clock)

    def _see_whole(self, host: IncidentGroup, now: float) -> Iterator[IncidentChange]:
        """Take in the guests of a group if its site has jumped as a whole."""
        if not has_jumped_as_a_whole(host):
            return
        host.is_wide = True
        is_worse = [self._open.take(host, each) for each in self._open.sites.stop_all(host)]
        if any(is_worse) and not host.is_quiet:
            yield host.event(Transition.UPDATED, now)
        else:
            self._expect(host, now, TOGETHER_S)

    def _send_away(self, guests: Iterable[IncidentChange], now: float) -> Iterator[IncidentChange]:
        """Report incidents that have waited for others of their site in vain."""
        for each in guests:
            change = replace(each, clock=max(now, each.clock))
            if (group := self._open.cause_of(change)) is not None:
                yield from self._join(group, change)
            else:
                made = self._open.found(change)
                yield change if made is None else made.event(Transition.RAISED, change.clock, change)

    def _follow(self, change: IncidentChange) -> Iterator[IncidentChange]:
        """The reports of a transition of an open incident."""
        slot, sites = change.slot, self._open.sites
        if change.transition is Transition.UPDATED and sites.is_waiting(slot):
            sites.see(_anew(bare(change)))
            return
        if (guest := sites.stop_waiting(slot)) is not None:
            yield from self._send_away([guest], change.clock)
        group = self._open.of.get(slot)
        if group is None:
            yield change
        elif change.transition in ENDS:
            yield from self._leave(group, group.own(change))
        elif change.transition in ANSWERS:
            yield from answer(group, change)
        elif slot == group.leader:
            change = group.own(change)
            group.change = group.members[slot].change = bare(change)
            group.worsen(change)
            self._open.see_stuck(group, change)
            if group.is_lone or not change.is_return:
                yield group.event(change.transition, change.clock, change)
        elif goes_own_way(group, change, kind_of(change), drifts=self._drifts(group, change)):
            group.members[slot].change = bare(change)
            group.everyone.remove(slot)  # it hasn't ended
            yield from self._tell(group, [slot], change.clock)
        else:
            group.members[slot].follow(bare(change))
            is_worse = not self._open.is_excused(group, slot) and group.worsen(change)
            if is_worse and not (change.is_return or group.is_quiet or group.is_over):
                yield group.event(Transition.UPDATED, change.clock)

    def _leave(self, group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
        """Remove an ended incident from its group, which ends with its last member."""
        slot, now = change.slot, change.clock
        back = max(now, change.observation.time)  # the clock follows the second that is back
        self._open.leave(group, slot)
        if change.transition is Transition.EXPIRED:
            group.adopted.append(slot)
        says_so = slot in group.devices
        if says_so:
            group.devices.remove(slot)
            group.is_waiting = False
        if not group.members:
            was_over = group.is_over
            self._open.remove(group)
            if not was_over:
                yield group.event(change.transition, now, change)
            return
        if group.kind == "jump" and only_settles(change):
            self._expect(group, back)
            return
        group.returned += 1
        for other, each in group.members.items() if not group.is_waiting else ():
            is_known = other in group.devices or self._open.is_excused(group, other)
            if each.grace == math.inf and not is_known and not each.change.is_return:
                each.grace = back + group.patience(each)
                self._boundary = min(self._boundary, each.grace)
        group.is_waiting = True
        if says_so and slot == group.leader:
            yield group.event(change.transition, now, change)
            self._open.outlive(group)
        else:
            self._expect(group, back)

    def _expect(self, group: IncidentGroup, now: float, soon: float = math.inf) -> None:
        """Schedule an update of a group whose end wasn't reported."""
        if not group.is_over:
            self._boundary = min(self._boundary, group.expect_news(now, soon))

    def _dissolve(self, change: IncidentChange) -> Iterator[IncidentChange]:
        """End a group whose leader has a new incident; others are reported unless they may be about to end as well."""
        group = self._open.led.get(change.slot)
        if group is not None and change.slot not in group.members:
            yield group.event(Transition.CLEARED, change.clock)
            late = [slot for slot, each in group.members.items() if each.grace == math.inf]
            yield from self._tell(group, late, change.clock)
            self._open.outlive(group)

    def _tell(self, group: IncidentGroup, slots: Sequence[int], now: float) -> Iterator[IncidentChange]:
        """Report incidents of a group individually, or as a separate group if there are many."""
        cause = (group.leader, group.started)
        behind = self._open.release(group, slots)
        made: IncidentGroup | None = None
        for each in behind:
            if each.is_quiet:
                continue
            change = replace(each.change, transition=Transition.RAISED, clock=max(now, each.change.clock))
            if made is not None and len(behind) > SINGLY:
                self._open.take(made, change)
                continue
            made = self._open.found(change, cause)
            if made is None:
                yield replace(change, cause=cause)
            elif len(behind) <= SINGLY:
                yield made.event(Transition.RAISED, now, change)
        if made is not None and len(behind) > SINGLY:
            yield made.event(Transition.RAISED, now, made.change)

    def _tell_remaining(self, group: IncidentGroup, behind: list[int], now: float) -> Iterator[IncidentChange]:
        """Report those that remain once most have ended; the leader keeps the group's incident."""
        if group.leader in behind:
            group.members[group.leader].grace = math.inf
            behind.remove(group.leader)
            group.due = now
        if len(behind) == len(group.members):
            if not group.is_over:
                yield group.event(Transition.CLEARED, now)
            self._open.remove(group)
        else:
            group.everyone = [slot for slot in group.everyone if slot not in behind]  # these haven't ended
        yield from self._tell(group, behind, now)

    def _pass(self, now: float) -> Iterator[IncidentChange]:
        """Handle everything due up to `now`, in order of time."""
        while self._boundary <= now:
            soonest = min(self._open.every, key=lambda each: each.next_due, default=None)
            self._boundary = math.inf if soonest is None else soonest.next_due
            if soonest is not None and self._boundary <= now:
                yield from self._see_to(soonest, self._boundary)

    def _see_to(self, group: IncidentGroup, now: float) -> Iterator[IncidentChange]:
        """Handle what is due for a group."""
        if group.decided <= now:
            guests = self._open.sites.stop_all(group)
            if not group.members:
                self._open.remove(group)
            yield from self._send_away(guests, now)
        behind = [slot for slot, each in group.members.items() if each.grace <= now]
        if behind and (group.is_over or group.returned >= len(group.members)):
            yield from self._tell_remaining(group, behind, now)
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
        for group in [each for each in self._open.every if each.leader in slots]:
            if not group.is_over:
                changes.append(group.event(Transition.CLEARED, now))
            guests = self._open.sites.stop_all(group)
            self._open.remove(group)
            members = [each.change for each in self._open.release(group, list(group.members))]
            behind = [replace(each, clock=max(now, each.clock)) for each in (*members, *guests)]
            changes += [each for change in behind for each in self.follow([_anew(change)], -math.inf)]
        self._open.forget(slots)
        return changes

    def part(self, slot: int) -> None:
        """Report an open incident that isn't its group's leader on its own from now on."""
        self._open.part(slot)

    def keep(self, slots: Collection[int]) -> None:
        """Remove members whose open incident couldn't be restored from a snapshot."""
        self._open.keep(slots)

    def state(self) -> bytes:
        """The groups, for `load()`."""
        return self._open.state()

    def load(self, state: bytes) -> None:
        """Load these groups.

        Raises:
            StateError: They can't be read.
        """
        self._open.load(state)
        self._boundary = min((each.next_due for each in self._open.every), default=math.inf)


def _raised(firsts: dict[str, IncidentGroup]) -> list[IncidentChange]:
    """The reports of the groups found at one moment, each with all of its members; empties `firsts`."""
    changes = [each.event(Transition.RAISED, each.change.clock, each.change) for each in firsts.values()]
    firsts.clear()
    return changes


def _anew(change: IncidentChange) -> IncidentChange:
    return replace(change, transition=Transition.RAISED)
