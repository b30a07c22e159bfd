"""Severity of a score on OPC UA's scale of 1 to 1000."""

from __future__ import annotations

import math

WORST_SEVERITY = 1000


def severity_of(score: float, threshold: float) -> int:
    """OPC UA severity from 1 to 1000 of a score: 250 at the threshold, plus 250 for each doubling."""
    if not score > 0:
        return 1
    return max(1, min(WORST_SEVERITY, round(250 * (1 + math.log2(score / threshold)))))


def weighted(severity: int, weight: float) -> int:
    """A severity weighted by the sensor's importance: plus 250 for each doubling, clamped to 1 to 1000."""
    return max(1, min(WORST_SEVERITY, severity + round(250 * math.log2(weight))))


def severity_class(severity: int) -> int:
    """0 INFO (to 250), 1 WARN (to 500), 2 ERROR (to 750), 3 FATAL."""
    return min(3, (severity - 1) // 250)
