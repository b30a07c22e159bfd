"""The ranges by which a sensor's differences from what its companions suggest are judged.

The days remembered say what is usual. Until there are two of them, the standard deviation of the differences does, once
there are differences of half a day.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats

NARROWEST, NARROWEST_SPREAD = 3.0, 0.02
"""Minimum width of a usual range: in standard deviations of the differences, and in those of the sensor's means."""

MARGIN, MARGIN_OF_FEW = 0.7, 2.0
"""A deviation is this many widths beyond the usual range; more by the second, divided by the number of days known."""

MOST_DAYS = 14.0
"""Number of days from which more of them narrow the margin no further."""

YOUNG_DAYS, YOUNG_COUNT = 1, 12
"""Up to this number of days remembered a sensor is young: from this number of differences on it is judged by those."""

USUAL, DOUBTFUL, DEVIATING = 2.0, 5.0, 8.0
"""Standard deviations of a young sensor's differences: its usual range, where learning ends and deviations begin."""


class DifferencesSoFar(NamedTuple):
    """What is known of the differences of sensors; all arrays have the same shape.

    Attributes:
        least, most: Usual range.
        entries: Number of days remembered.
        noted: Number of differences.
        rest: Their variance.
        scale: Standard deviation of the sensor's means.
    """

    least: Floats
    most: Floats
    entries: Floats
    noted: Floats
    rest: Floats
    scale: Floats


class DifferenceRanges(NamedTuple):
    """Where differences stand; all arrays have the same shape.

    Attributes:
        low, high: Where deviations begin.
        below, above: Widths of the usual range, as margins are measured.
        doubtful: Absolute difference beyond which nothing is learned; infinite once a sensor isn't young.
    """

    low: Floats
    high: Floats
    below: Floats
    above: Floats
    doubtful: Floats


def difference_ranges(known: DifferencesSoFar) -> DifferenceRanges:
    """The ranges of sensors."""
    young = (known.entries <= YOUNG_DAYS) & (known.noted >= YOUNG_COUNT)
    narrowest = np.maximum(NARROWEST * np.sqrt(known.rest), NARROWEST_SPREAD * known.scale)
    below, above = np.maximum(-2.0 * known.least, narrowest), np.maximum(2.0 * known.most, narrowest)
    margin = np.where(young, MARGIN, MARGIN + MARGIN_OF_FEW / np.clip(known.entries, 1.0, MOST_DAYS))
    far = np.where(young, DEVIATING / NARROWEST * narrowest, 0.0)
    low, high = known.least - margin * below, known.most + margin * above
    return DifferenceRanges(
        np.minimum(low, -far),
        np.maximum(high, far),
        below,
        above,
        np.where(young, DOUBTFUL / NARROWEST * narrowest, np.inf),
    )
