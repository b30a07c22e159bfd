"""Common causes: which incidents of several sensors may be about one thing.

Sensors of one place jump within seconds: a bus, a converter, a power supply. Sensors of like names, each in a place of
its own, jump within a few of their intervals and in the same direction: the rain wets each node of a field, but a node
tells so when it is its turn. Once two have done so, others may follow later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from edge.core.incidents.groups.incident_group import IncidentGroup, common_of
from edge.core.incidents.incident_change import IncidentChange
from edge.core.scoring.opinions import OF_LEVELS, Observation
from edge.core.scoring.peers.like_names import like_name

JUMPS = OF_LEVELS | {"variance"}

LIKE_INTERVALS, LIKE_S = 2.0, 3600.0
"""Two sensors of like names jump together within this many of their intervals, and at most this many seconds."""

LATER_INTERVALS, LATER_S = 12.0, 3 * 3600.0
"""Another one belongs to them within this many of its intervals, and at most this many seconds, after the last one."""

MOST_COMPARED = 100
"""Maximum number of members that an incident is compared with by their names."""


def kind_of(change: IncidentChange) -> str | None:
    """The property that several sensors may share; None if the kind concerns one sensor only."""
    kind = change.incident.kind
    if kind in {"missing", "flatline", "peers", "error_value"}:
        return kind
    return "jump" if kind in JUMPS and not change.incident.limits else None


def happen_together(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether a newly raised incident, which isn't a silence, has the cause of a group of its kind.

    Args:
        group: The group.
        names: Names of sensors and devices, by slot.
        change: The incident.
    """
    parent = common_of(change, names[change.slot])
    is_place = bool(parent) or group.kind == "error_value"  # names of one level: error values say enough
    if is_place and group.parent == parent and group.shares_moment(change):
        return True
    return group.kind == "jump" and _goes_with_like_ones(group, names, change)


def _goes_with_like_ones(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether members with like names have jumped in the same direction not long before."""
    name, way, interval = like_name(names[change.slot]), _direction(change.observation), change.summary.interval
    some = [each.change for each in islice(group.members.values(), MOST_COMPARED)]
    like = [each for each in (group.change, *some) if like_name(names[each.slot]) == name]
    if not way or not any(_direction(each.observation) == way for each in like):
        return False
    is_second = len({each.slot for each in like}) == 1
    intervals, most_s = (LIKE_INTERVALS, LIKE_S) if is_second else (LATER_INTERVALS, LATER_S)
    latest = max(each.incident.started for each in like)
    return abs(change.observation.time - latest) <= min(intervals * interval, most_s)


def _direction(observation: Observation) -> float:
    """1 if a value is surprisingly high, -1 if it is low, 0 if that can't be said."""
    worst = next((each for each in observation.opinions if each.exceeds), None)
    if worst is None:
        return 0.0
    if worst.kind == "drift":
        away = worst.now - worst.usual
    elif math.isfinite(worst.expected):
        away = observation.value - worst.expected
    else:
        away = observation.value - (worst.lower + worst.upper) / 2
    return math.copysign(1.0, away) if away and math.isfinite(away) else 0.0
