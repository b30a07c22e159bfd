"""Steps across a gap: after a pause a sensor may be elsewhere, however small its steps usually are.

A sensor that wanders goes as far as the square root of the number of readings that are missing. A step within that says
nothing; whether the value is usual is for other detectors to say.
"""

from __future__ import annotations

import math

from edge.core.scoring.opinions import Opinion

FEWEST = 3.0
"""Number of usual intervals that a gap is longer than: one missing reading makes none."""


def without_steps_across(gaps: float, opinions: list[Opinion], value: float) -> list[Opinion]:
    """The opinions, in their order, without surprise at a step that the gap before it explains.

    Args:
        gaps: The time since the previous reading, in usual intervals.
        opinions: Opinions about a reading, the one furthest beyond its level first.
        value: The value, or the pace.
    """
    if not gaps > FEWEST:
        return opinions
    for each in opinions:
        reach = (each.upper - each.lower) / 2.0
        if each.kind == "rate" and abs(value - each.expected) <= reach * math.sqrt(gaps):
            each.score = 0.0
    return sorted(opinions, key=lambda each: -each.ratio)
