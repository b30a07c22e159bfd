"""Answers of the operator to an incident of several sensors."""

from __future__ import annotations

from collections.abc import Iterator

from edge.core.incidents.groups.incident_group import IncidentGroup
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition

ANSWERS = frozenset({Transition.ACKNOWLEDGED, Transition.SHELVED, Transition.UNSHELVED})


def answer(group: IncidentGroup, change: IncidentChange) -> Iterator[IncidentChange]:
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
