"""Aftermath: what a sensor shows after it has jumped or frozen together with others, and whether that is news.

What several sensors suffer together looks different at each of them: one has only jumped, another is where it usually
isn't at this time, a third is away for longer than ever. As long as others suffer as well, this follows from the same
cause, and so does the jump back. What goes much farther than the common jump did, what shows another kind of fault, and
what goes on once the others have recovered is an incident of its own. What several sensors of like names drift to
together isn't over after some time, and each goes as far as it takes.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from edge.core.incidents.groups.common_causes import UNDUE, kind_of
from edge.core.incidents.groups.incident_group import ALIKE_S, IncidentGroup
from edge.core.incidents.incident_change import IncidentChange
from edge.core.scoring.consequence import has_leapt
from edge.core.scoring.opinions import SETTLING

FOLLOWS, FOLLOWS_S = frozenset({"drift", "level_shift", "contextual", "state"}), 6 * 3600.0
"""What shows in time that a value that has jumped stays where it is, and for how long that is no news."""

DRIFTS = FOLLOWS | {"spike"}
"""What shows in time that a value drifts on: it also leaves all that was ever held."""

STILL = frozenset({"flatline", "state"})
"""What a sensor that freezes shows in time: it stays where it usually doesn't."""


def goes_own_way(group: IncidentGroup, change: IncidentChange, kind: str | None, *, drifts: bool) -> bool:
    """Whether an update of a member, which isn't the leader, is about something that the group doesn't report.

    Args:
        group: The group.
        change: The update.
        kind: What the member's incident may share with others now; None if nothing.
        drifts: Whether it drifts with others of like names.
    """
    incident = change.incident
    is_frozen = incident.conditions.keys() <= (STILL | FOLLOWS if incident.course.is_still else STILL)
    if group.kind == "missing" or (group.kind == "flatline" and is_frozen):
        return False
    if group.kind == UNDUE and incident.conditions.keys() <= STILL | FOLLOWS:
        return False
    known = {kind for each in group.members.values() for kind in each.change.incident.conditions}
    news = incident.conditions.keys() - known
    is_other = kind is not None and kind not in {group.kind, UNDUE}
    if is_other or (kind != group.kind and not _follows(group, change, news, drifts=drifts)):
        return True
    if change.observation.time - incident.started <= ALIKE_S or change.is_return:
        return False
    return (_is_farther(group, change) and not drifts) or not _follows(group, change, news, drifts=drifts)


def belongs_again(group: IncidentGroup, change: IncidentChange, *, drifts: bool) -> bool:
    """Whether a new incident of a sensor whose first one has ended is about what its group still reports.

    Args:
        group: The group.
        change: The new incident.
        drifts: Whether it drifts with others of like names.
    """
    if group.kind != "jump" or change.incident.is_held_otherwise:
        return False
    return change.is_return or (
        (drifts or not _is_farther(group, change))
        and _follows(group, change, change.incident.conditions.keys(), drifts=drifts)
    )


def continues(group: IncidentGroup, change: IncidentChange, *, drifts: bool) -> bool:
    """Whether a new incident of a former member is reported by its group: any of the leader's, whose name that has."""
    is_leaders = change.slot == group.leader and kind_of(change) == group.kind
    return is_leaders or belongs_again(group, change, drifts=drifts)


def only_settles(change: IncidentChange) -> bool:
    """Whether an incident that ends says nothing of the level, so that others may well remain at theirs."""
    return change.incident.conditions.keys() <= SETTLING


def _follows(group: IncidentGroup, change: IncidentChange, news: AbstractSet[str], *, drifts: bool) -> bool:
    """Whether these kinds follow from a common jump, or drift, that others still suffer from."""
    incident = change.incident
    if not news or incident.limits or incident.error is not None:
        return not news
    lasted = change.observation.time - min(group.change.incident.started, incident.started)
    others = (each.change for slot, each in group.members.items() if slot != change.slot)
    is_known = news <= DRIFTS if drifts else news <= FOLLOWS and lasted <= FOLLOWS_S
    return is_known and not all(only_settles(each) for each in others)


def _is_farther(group: IncidentGroup, change: IncidentChange) -> bool:
    """Whether a sensor has gone much farther than when it jumped together with others.

    What stands still where it has jumped to hasn't, although it may take some readings until it is known how far it is.
    """
    jump, extent = group.member(change.slot), change.incident.extent
    return (
        jump is not None
        and extent is not None
        and not change.incident.course.is_still
        and (has_leapt(extent.over, jump.over) or has_leapt(extent.under, jump.under))
    )
