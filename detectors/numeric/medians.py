"""Medians of rows of which some elements aren't known."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats


def median_of_known(columns: Floats) -> Floats:
    """The median of each row's elements that aren't NaN; NaN if all are.

    Args:
        columns: Finite numbers and NaN, shape (n, columns).
    """
    ordered = np.sort(columns, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    each, last = np.arange(len(ordered)), np.maximum(count - 1, 0)
    median: Floats = (ordered[each, last // 2] + ordered[each, (last + 1) // 2]) / 2
    return median
