"""Time fields: the time of readings in a field with an unusual name, such as `zeit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.core.intake.decoders.notation.times import TimeError, read_time

FEWEST = 3
"""Minimum number of documents that show such a field."""

NEAR_S = 60.0
"""Maximum distance of each time from its arrival: one that is ahead by more would be refused."""


def time_field(documents: Sequence[tuple[object, float]]) -> str | None:
    """The only field whose values are times near the arrival that never go back; None if there is none, or several.

    Args:
        documents: Documents with their arrival times, in order, none of which has a field with a usual name.
    """
    objects = [(each, arrived) for each, arrived in documents if isinstance(each, dict)]
    if len(objects) < max(FEWEST, len(documents)):
        return None
    found = [key for key in objects[0][0] if key and _advances([(each.get(key), arrived) for each, arrived in objects])]
    return found[0] if len(found) == 1 else None


def _advances(values: Sequence[tuple[Any, float]]) -> bool:
    try:
        times = [read_time(value, arrived=arrived) for value, arrived in values]
    except TimeError:
        return False
    are_near = all(abs(time - arrived) <= NEAR_S for time, (_, arrived) in zip(times, values, strict=True))
    return are_near and times == sorted(times) and times[0] < times[-1]
