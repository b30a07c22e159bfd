"""Adoption: what was learned of a sensor moves along with a level that is taken as normal.

After a probe was replaced or a unit changed, the courses, hours and ranges of the sensor are what they were, elsewhere.
Learned in addition, the distance between the two levels would become the sensor's usual variation, and hide everything
smaller for weeks. All values are stored relative to an origin, so moving this moves them. What merely follows the
signal is already at the new level and stays there.

When the sensor returns, what was learned returns with it.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Field
from detectors.numeric.arrays import Arrays

FAR = 3.0
"""A level has moved if the residuals lie this many times as far away as they usually do, and as they scatter now."""

NEAR = 1 / 4
"""A value has returned if it is nearer than this share of the former move to where that would place it."""


def adoption_layout() -> dict[str, Field]:
    """The state fields of moves."""
    return {"moved": Field(later=True)}


def move(arrays: Arrays, row: int, value: float) -> None:
    """Move what was learned of a sensor to its present level, if that is another one.

    Args:
        arrays: The detector's state.
        row: Row of the sensor.
        value: Its last value.
    """
    by = _distance(arrays, row, value)
    if not by:
        return
    arrays["moved"][row] = 0.0 if by == -arrays["moved"][row] else by
    arrays["origin"][row] += by
    arrays["expected"][row] += by
    arrays["level"][row] -= by
    pending = arrays["pending"][row]
    arrays["sum"][row] -= by * pending
    for name in ("top", "bottom"):
        arrays[name][row] -= by if pending else 0.0
    residuals, recent = arrays["residuals"][row], arrays["recent"][row]
    is_new = (recent - arrays["mean"][row]) / by > 1 / 2
    arrays["residuals"][row] = np.where(residuals / by > 1 / 2, residuals - by, residuals)
    arrays["recent"][row] = recent = np.where(is_new, recent - by, recent)
    arrays["low"][row] = min([arrays["low"][row], *recent[is_new]])
    arrays["high"][row] = max([arrays["high"][row], *recent[is_new]])
    arrays["smooth"][row] = arrays["stream_mean"][row]
    arrays["recent_most"][row] = arrays["residual_most"][row] = math.inf  # their sums are worked out anew


def _distance(arrays: Arrays, row: int, value: float) -> float:
    """How far to move; 0 for not at all."""
    before, reach = arrays["moved"][row], arrays["reach"][row]
    if before and reach > 0 and abs(value - arrays["expected"][row] + before) < NEAR * abs(before):
        return float(-before)
    residuals = arrays["residuals"][row]
    mean, usual = float(residuals.mean()), math.sqrt(arrays["residual_square"][row])
    return mean if reach > 0 and abs(mean) >= FAR * max(usual, float(residuals.std())) else 0.0
