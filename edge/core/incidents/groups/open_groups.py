"""Open groups: which open incidents have a common cause, and which of them belongs to which group.

Whether incidents have a common cause is decided only from the findings in their order, so the result is the same for
any batching. What is reported of a group, and when, is decided by `grouping.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from edge.core.incidents.groups.common_causes import happen_together, kind_of
from edge.core.incidents.groups.incident_group import IncidentGroup, Member, Stopped, bare, common_of, stopped
from edge.core.incidents.groups.site_jumps import SiteJumps
from edge.core.incidents.incident_change import IncidentChange
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensors import is_device

MOST_GROUPS = 1000
"""Maximum number of open incidents that others can join; the oldest are closed to new members first."""


class OpenGroups:
    """The groups of open incidents.

    Args:
        names: Names of sensors and devices, by slot.

    Attributes:
        scope: Returns the scope within which sensors may have a common cause, by name; everything by default.
        led: The groups whose incident is open, by leader.
        of: The group of each open incident, by slot.
        over: Groups whose end was reported, and of which only remaining members or guests are awaited.
        sites: The incidents that wait for others of their site.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.scope: Callable[[str], str] = lambda _: ""
        self.led: dict[int, IncidentGroup] = {}
        self.of: dict[int, IncidentGroup] = {}
        self.over: list[IncidentGroup] = []
        self.sites = SiteJumps(names, self.scope)
        self._formerly: dict[int, IncidentGroup] = {}

    def within(self, scope: Callable[[str], str]) -> None:
        """Let sensors have a common cause only within one scope, given by name; for a new instance."""
        self.scope, self.sites = scope, SiteJumps(self.names, scope)

    @property
    def every(self) -> list[IncidentGroup]:
        """All groups."""
        return [*self.led.values(), *self.over]

    def found(self, change: IncidentChange, cause: tuple[int, float] | None = None) -> IncidentGroup | None:
        """A group that others may join; None if its kind never affects several sensors."""
        kind = kind_of(change)
        if kind is None:
            return None
        slot, name = change.slot, self.names[change.slot]
        window = Stopped(math.inf, -math.inf) if is_device(name) else stopped(change)
        group = IncidentGroup(slot, bare(change), kind, common_of(change, name), window, cause=cause)
        self.led[slot] = group
        self.take(group, change)
        for earlier in self.over:
            for other in [each for each in change.sensors if each in earlier.members]:
                self.take(group, earlier.members.pop(other).change)
        self.over = [each for each in self.over if each.members or each.guests]
        if len(self.led) > MOST_GROUPS:
            self._close_oldest()
        return group

    def take(self, group: IncidentGroup, change: IncidentChange) -> bool:
        """Add an incident to a group; returns whether the group's severity class rises."""
        self.of[change.slot] = group
        earlier = self._formerly.pop(change.slot, None)
        if earlier is not None and earlier is not group:
            del earlier.former[change.slot]
        if is_device(self.names[change.slot]):
            known = set(group.concerned)
            group.devices.append(change.slot)
            group.concerned += [each for each in change.sensors if each not in known]
        elif group.kind in {"missing", "flatline"} and group.window.meets(when := stopped(change)):
            group.window = group.window.and_(when)
        return group.take(bare(change))

    def leave(self, group: IncidentGroup, slot: int) -> None:
        """Remove an incident that has ended from its group."""
        member = group.members.pop(slot)
        del self.of[slot]
        if group.members:
            group.former[slot] = member
            self._formerly[slot] = group

    def release(self, group: IncidentGroup, slots: Collection[int]) -> list[Member]:
        """Remove open incidents from their group, to be reported otherwise."""
        for slot in slots:
            del self.of[slot]
        return [group.members.pop(slot) for slot in slots]

    def remove(self, group: IncidentGroup) -> None:
        """Close a group; its guests are still to be reported."""
        if group.is_over:
            self.over.remove(group)
        else:
            del self.led[group.leader]
        for slot in group.former:
            del self._formerly[slot]
        group.former.clear()
        if group.guests:
            group.is_over = True
            self.over.append(group)

    def outlive(self, group: IncidentGroup) -> None:
        """Close a group, whose remaining members are still awaited."""
        self.remove(group)
        if not group.is_over and group.members:
            group.is_over = True
            self.over.append(group)

    def _close_oldest(self) -> None:
        oldest = next((each for each in self.led.values() if each.is_lone and not each.guests), None)
        if oldest is not None:
            self.remove(oldest)
            for slot in oldest.members:
                del self.of[slot]

    def cause_of(self, change: IncidentChange) -> IncidentGroup | None:
        """The group with the same cause as a newly raised incident."""
        kind, name = kind_of(change), self.names[change.slot]
        if kind is None:
            return None
        scope, names = self.scope(name), self.names
        groups = (each for each in reversed(self.led.values()) if self.scope(names[each.leader]) == scope)
        if kind != "missing":
            same = (each for each in groups if each.kind == kind)
            return next((each for each in same if happen_together(each, names, change)), None)
        silent = [each for each in groups if each.kind == kind]
        if is_device(name):
            return next((each for each in silent if not each.members.keys().isdisjoint(change.sensors)), None)
        when = stopped(change)
        gone = (each for each in silent if self.is_excused(each, change.slot))
        return next(gone, None) or next((each for each in silent if each.window.meets(when)), None)

    def see_stuck(self, group: IncidentGroup, change: IncidentChange) -> None:
        """Let the incident of one sensor, which shows in addition that it is stuck, have that in common with others.

        Others that are found later join it, and it refers to an incident of its place, or of its site as a whole, of
        others that froze when it did.

        Args:
            group: Its group.
            change: The update of its incident.
        """
        is_news = change.incident.began_with("flatline", change.observation.time)
        if (
            not is_news
            or not group.is_lone
            or group.kind != "jump"
            or change.incident.limits
            or group.cause is not None
        ):
            return
        when, site = stopped(change), self.sites.site_of(group.leader)
        frozen = (each for each in self.led.values() if each.kind == "flatline" and each.window.meets(when))
        others = (each for each in frozen if site and self.sites.site_of(each.leader) == site)
        first = next((each for each in others if each.is_wide or each.parent == group.parent), None)
        if first is None:
            group.kind, group.window = "flatline", when
        else:
            group.cause = (first.leader, first.started)

    def host_of(self, change: IncidentChange) -> IncidentGroup | None:
        """The group at another place of its site that a newly raised incident may have a cause in common with."""
        return self.sites.host_of(self.led.values(), change)

    def earlier_of(self, slot: int) -> IncidentGroup | None:
        """The open group that a sensor was a member of; None if there is none, or it is one now."""
        return self._formerly.get(slot)

    def is_excused(self, group: IncidentGroup, slot: int) -> bool:
        """Whether a sensor belongs to a device in the group that reports itself gone."""
        name = self.names[slot]
        return any(name.startswith(self.names[device]) for device in group.devices)

    def part(self, slot: int) -> None:
        """Report an open incident that isn't its group's leader on its own from now on."""
        if self.sites.stop_waiting(slot) is not None:
            return
        group = self.of[slot]
        self.release(group, [slot])
        group.everyone.remove(slot)
        if slot in group.devices:
            group.devices.remove(slot)
        if not group.members:
            self.remove(group)

    def keep(self, slots: Collection[int]) -> None:
        """Remove members and guests whose open incident couldn't be restored from a snapshot."""
        for group in self.every:
            for slot in [each for each in group.guests if each not in slots]:
                self.sites.stop_waiting(slot)
            self.release(group, [each for each in group.members if each not in slots])
            if not (group.members or (group.is_over and group.guests)):
                self.remove(group)

    def forget(self, slots: Collection[int]) -> None:
        """Forget that sensors were in any group, because their slots will be those of others."""
        for slot in slots:
            earlier = self._formerly.pop(slot, None)
            if earlier is not None:
                del earlier.former[slot]
        for group in self.every:
            group.devices = [each for each in group.devices if each not in slots]
            group.concerned = [each for each in group.concerned if each not in slots]

    def state(self) -> bytes:
        """The groups, for `load()`."""
        return encode(self.every)

    def load(self, state: bytes) -> None:
        """Load these groups.

        Raises:
            StateError: They can't be read.
        """
        groups = decode(state, list[IncidentGroup])
        self.led = {each.leader: each for each in groups if not each.is_over}
        self.over = [each for each in groups if each.is_over]
        self.of = {slot: group for group in groups for slot in group.members}
        self._formerly = {slot: group for group in groups for slot in group.former}
        self.sites.load(groups)
