"""Medians of groups."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats, Slots


def group_medians(values: Floats, groups: Slots, many: int) -> tuple[Floats, Floats]:
    """Median and number of the values of each group.

    Args:
        values: Values, shape (n,).
        groups: Group of each, or -1 for none, shape (n,).
        many: Number of groups.

    Returns:
        Medians, NaN for empty groups, and numbers; shape (many + 1,), the last one for no group.
    """
    chosen = np.flatnonzero(groups >= 0)
    order = chosen[np.lexsort((values[chosen], groups[chosen]))]
    ordered = np.append(values[order], np.nan)
    sizes = np.bincount(groups[order], minlength=many)
    first = np.cumsum(sizes) - sizes
    lower, upper = first + np.maximum(sizes - 1, 0) // 2, first + sizes // 2
    medians = np.where(sizes > 0, (ordered[lower] + ordered[np.minimum(upper, len(order))]) / 2, np.nan)
    return np.append(medians, np.nan), np.append(sizes, 0).astype(np.float64)
