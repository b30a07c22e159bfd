"""Common causes: which incidents of several sensors may be about one thing.

Sensors of one place jump within seconds: a bus, a converter, a power supply. Sensors of like names, each in a place of
its own, jump within a few of their intervals and in the same direction: the rain wets each node of a field, but a node
tells so when it is its turn. Once two have done so, others may follow later.

A slow condition shows at each of them when its own mean, or its own day, has come far enough: a warm evening is a drift
of one disk at noon and of another in the afternoon. It has as much time as it is a condition of. Likewise, sensors of
like names rest at one value from about the same time on, but each is found when it has rested for longer than ever.
What doesn't work on a holiday stands still from its own hour on, and is found as late as it has ever begun.

One frost changes how the pressure of each tyre follows its temperature: sensors of like names that no longer follow
the same ones of their devices, on the same side, within an hour, have a common cause.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from detectors.daily.day_records import SCALES_S
from detectors.daily.drift import DAY, SPAN
from edge.core.incidents.groups.incident_group import IncidentGroup, common_of, froze
from edge.core.incidents.incident_change import IncidentChange
from edge.core.scoring.opinions import OF_LEVELS, OF_TRENDS, Observation, Opinion
from edge.core.scoring.peers.like_names import like_name

JUMPS = OF_LEVELS | {"variance", OF_TRENDS}

UNDUE, OF_HOURS = "state", frozenset({"rest", "hour", "hours"})
"""The kind of what does something else than at this hour in other weeks, and the conditions of `states` that say so."""

UNDUE_S = 3600.0
"""Two sensors do so together if they began, or were found, within this time: hours of the week are what is known."""

LIKE_INTERVALS, LIKE_S = 2.0, 3600.0
"""Two sensors of like names jump together within this many of their intervals, and at most this many seconds."""

LATER_INTERVALS, LATER_S = 12.0, 3 * 3600.0
"""Another one belongs to them within this many of its intervals, and at most this many seconds, after the last one."""

SLOW_S = {**dict(zip(SPAN.values(), SCALES_S.values(), strict=True)), DAY: 12 * 3600.0}
"""Time scale of each condition of `drift`, in seconds: that of its mean, and half a day of what hasn't returned for a
day, since it is found at each sensor's own hour. Two sensors drift together within it, and others join them within
`LATER_TIMES` of it after the last one."""

TREND_S, LATER_TIMES, LONGEST_S = 86_400.0, 2.0, 86_400.0
"""The same for a trend, which is found when a day is over; the factor for others; and at most."""

PARTED_S = 3600.0
"""Sensors of like names part with their companions together within this time, two half hours."""

FEWEST_ALIKE = 3
"""From this many sensors of like names on, the one that leaves the others is found by comparing them."""

MOST_COMPARED = 100
"""Maximum number of members that an incident is compared with by their names."""


def kind_of(change: IncidentChange) -> str | None:
    """The property that several sensors may share; None if the kind concerns one sensor only."""
    kind = change.incident.kind
    if kind in {"missing", "flatline", "peers", "error_value"}:
        return kind
    if kind == UNDUE and not change.incident.limits and _undue(change) is not None:
        return UNDUE
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
    is_place &= change.incident.kind != OF_TRENDS  # those of a day are all found at one moment
    if is_place and group.parent == parent and group.shares_moment(change):
        return True
    if group.kind == "peers":
        return _parts_with_others(group, names, change)
    if group.kind == "flatline":
        return _rests_with_others(group, names, change)
    if group.kind == UNDUE:
        return _is_undue_with_others(group, names, change)
    return group.kind == "jump" and _goes_with_like_ones(group, names, change)


def _some_of(group: IncidentGroup) -> Iterator[IncidentChange]:
    """Findings about the leader and the first members of a group."""
    yield group.change
    yield from (each.change for each in islice(group.members.values(), MOST_COMPARED))


def _parts_with_others(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether a sensor no longer follows the same ones of its device, on the same side, as members of like names."""
    name, its = like_name(names[change.slot]), change.incident.deviation
    if its is None or not its.companions:
        return False
    return any(
        (other := each.incident.deviation) is not None
        and its.companions == other.companions
        and (its.now > its.upper) == (other.now > other.upper)
        and abs(each.incident.started - change.incident.started) <= PARTED_S
        and like_name(names[each.slot]) == name
        for each in _some_of(group)
    )


def _goes_with_like_ones(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether members with like names have jumped in the same direction not long before."""
    name, way, worst = like_name(names[change.slot]), _direction(change.observation), _worst(change.observation)
    like = [each for each in _some_of(group) if like_name(names[each.slot]) == name]
    if worst is None or not way or not any(_direction(each.observation) == way for each in like):
        return False
    is_second = len({each.slot for each in like}) == 1
    latest = max(each.incident.started for each in like)
    return abs(change.observation.time - latest) <= _joining_s(worst, change.summary.interval, is_second=is_second)


def drifts_with_like_ones(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether a member of a group that didn't begin with a jump goes where several others of like names have gone.

    A winter night takes each cell of a battery farther, one sooner than another. Which of them leaves the others isn't
    shown by how far it has gone, but by the comparison with its peers.
    """
    since = group.change.incident.conditions
    way = _direction(change.observation)
    if group.kind != "jump" or since.get("rate", math.inf) <= min(since.values()) or not way:
        return False
    name = like_name(names[change.slot])
    others = {each.slot for each in _some_of(group) if each.slot != change.slot and _direction(each.observation) == way}
    return sum(like_name(names[each]) == name for each in others) + 1 >= FEWEST_ALIKE


def _joining_s(worst: Opinion, interval: float, *, is_second: bool) -> float:
    """Seconds within which a condition of one sensor may have the cause of one that another showed before."""
    scale = TREND_S if worst.is_trend else SLOW_S.get(worst.about, 0.0) if worst.kind == "drift" else 0.0
    is_late = not is_second or worst.kind == "level_shift"  # a shift is found once it has added up
    intervals, most_s = (LATER_INTERVALS, LATER_S) if is_late else (LIKE_INTERVALS, LIKE_S)
    return min(max(min(intervals * interval, most_s), scale * (1.0 if is_second else LATER_TIMES)), LONGEST_S)


def _rests_with_others(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether a sensor may have frozen when a member of its place did, or one of like name, at the same value."""
    name, its = names[change.slot], froze(change)
    if its is None:
        return False
    place, alike, value = common_of(change, name), like_name(name), change.observation.value
    for each in _some_of(group):
        is_neighbour = bool(place) and common_of(each, names[each.slot]) == place
        is_like = each.observation.value == value and like_name(names[each.slot]) == alike
        if (is_neighbour or is_like) and (other := froze(each)) is not None and other.meets(its):
            return True
    return False


def _undue(change: IncidentChange) -> Opinion | None:
    """What a sensor does at an hour when it usually doesn't; None if that isn't what is wrong with it."""
    worst = _worst(change.observation)
    return worst if worst is not None and worst.kind == UNDUE and worst.about in OF_HOURS else None


def _is_undue_with_others(group: IncidentGroup, names: Sequence[str], change: IncidentChange) -> bool:
    """Whether a sensor does what it usually doesn't at this hour while one of like name, or at rest beside it, does."""
    its, name, time = _undue(change), names[change.slot], change.observation.time
    if its is None:
        return False
    place, alike, way = common_of(change, name), like_name(name), _way(its, change.observation)
    for each in _some_of(group):
        if (other := _undue(each)) is None:
            continue
        rest = its.about == other.about == "rest" and bool(place) and common_of(each, names[each.slot]) == place
        is_like = like_name(names[each.slot]) == alike and _way(other, each.observation) == way
        apart = min(abs(time - each.observation.time), abs(time - its.now - each.observation.time + other.now))
        if (rest or is_like) and apart <= UNDUE_S:
            return True
    return False


def _way(undue: Opinion, observation: Observation) -> float:
    """Direction of what is undue at this hour: a rest is low, whatever there is above it."""
    return -1.0 if undue.about == "rest" else _direction(observation)


def _worst(observation: Observation) -> Opinion | None:
    """The opinion that is farthest beyond its level; None if none is."""
    return next((each for each in observation.opinions if each.exceeds), None)


def _direction(observation: Observation) -> float:
    """1 if a value is surprisingly high, -1 if it is low, 0 if that can't be said."""
    worst = _worst(observation)
    if worst is None:
        return 0.0
    if worst.kind == "drift" or worst.is_trend:
        away = worst.now - worst.usual
    elif math.isfinite(worst.expected):
        away = observation.value - worst.expected
    else:
        away = observation.value - (worst.lower + worst.upper) / 2
    return math.copysign(1.0, away) if away and math.isfinite(away) else 0.0
