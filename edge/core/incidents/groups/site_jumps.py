"""Site jumps: sensors at several places of one site that jump, or freeze, at one moment.

Two machines of a works that jump in the same second are two incidents. When the mains fail, there is one, of whichever
machines. What jumps elsewhere in a site at the moment of an incident is therefore a guest of that until the moment is
over: of all of them there is one incident as soon as half of the site's sensors have jumped, four at least, and
otherwise there is one of each place. A site is the first level of a name with several, as in `works/press/pressure`.
What freezes at one moment is found after ten readings and more, at each sensor at another one, so a guest waits longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from edge.core.incidents.groups.common_causes import kind_of
from edge.core.incidents.groups.incident_group import IncidentGroup
from edge.core.incidents.incident_change import IncidentChange
from edge.core.model.sensors.sensors import is_device
from edge.core.scoring.opinions import SUDDEN

FEWEST, SHARE = 4, 0.5
"""Minimum number and share of a site's sensors that have jumped as a whole."""

LONGEST_WAIT_S = 60.0
"""Maximum time for which a guest isn't reported."""

FROZEN_INTERVALS, LONGEST_FROZEN_S = 2.0, 600.0
"""The same for one that is stuck: in intervals, and at most in seconds."""


class SiteJumps:
    """The incidents that wait until it is known whether their site has jumped as a whole.

    Args:
        names: Names of sensors and devices, by slot.
        scope: Returns the scope within which sensors may have a common cause, by name.
    """

    def __init__(self, names: Sequence[str], scope: Callable[[str], str]) -> None:
        self._names = names
        self._scope = scope
        self._hosts: dict[int, IncidentGroup] = {}

    def host_of(self, groups: Iterable[IncidentGroup], change: IncidentChange) -> IncidentGroup | None:
        """The group at another place of the site that began suddenly at the moment of a newly raised incident."""
        kind, site = kind_of(change), self.site_of(change.slot)
        if not site or not _is_sudden(change, kind):
            return None
        return next(
            (
                each
                for each in groups
                if each.kind == kind
                and self.site_of(each.leader) == site
                and _is_sudden(each.change, kind)
                and each.shares_moment(change)
            ),
            None,
        )

    def wait(self, host: IncidentGroup, change: IncidentChange) -> None:
        """Let an incident wait as the guest of a group."""
        if not host.guests:
            site = self.site_of(change.slot)
            sensors = (slot for slot, name in enumerate(self._names) if not is_device(name))
            host.site = sum(self.site_of(slot) == site for slot in sensors)
            host.decided = min(host.moment_ends(change), change.clock + LONGEST_WAIT_S)
            if host.kind == "flatline":
                host.decided = change.clock + min(FROZEN_INTERVALS * change.summary.interval, LONGEST_FROZEN_S)
        host.guests[change.slot] = change
        self._hosts[change.slot] = host

    def is_waiting(self, slot: int) -> bool:
        """Whether the incident of a sensor waits."""
        return slot in self._hosts

    def see(self, change: IncidentChange) -> None:
        """Note a later finding about a guest."""
        self._hosts[change.slot].guests[change.slot] = change

    def stop_waiting(self, slot: int) -> IncidentChange | None:
        """The incident of a sensor that waits, which it does no longer; None if it doesn't."""
        host = self._hosts.pop(slot, None)
        return None if host is None else _dismiss(host, [slot])[0]

    def stop_all(self, host: IncidentGroup) -> list[IncidentChange]:
        """The guests of a group, who no longer wait."""
        for slot in host.guests:
            del self._hosts[slot]
        return _dismiss(host, list(host.guests))

    def load(self, groups: Iterable[IncidentGroup]) -> None:
        """Find the guests of these groups."""
        self._hosts = {slot: group for group in groups for slot in group.guests}

    def site_of(self, slot: int) -> str:
        """Scope and first level of a sensor's name; empty if that has only one level."""
        name = self._names[slot]
        first, slash, _ = name.partition("/")
        return f"{self._scope(name)}/{first}" if slash else ""


def has_jumped_as_a_whole(host: IncidentGroup) -> bool:
    """Whether the members and the guests of a group are enough of its site."""
    jumped = len(host.everyone) + len(host.guests)
    return bool(host.guests) and jumped >= max(FEWEST, SHARE * host.site)


def _is_sudden(change: IncidentChange, kind: str | None) -> bool:
    return kind in {"error_value", "flatline"} or (kind == "jump" and not SUDDEN.isdisjoint(change.incident.conditions))


def _dismiss(host: IncidentGroup, slots: Sequence[int]) -> list[IncidentChange]:
    guests = [host.guests.pop(slot) for slot in slots]
    if not host.guests:
        host.decided = float("inf")
    return guests
