"""Sums and spreads of rows: the same to the last bit for one row and for many, however the array is laid out."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats


def sum_of_known(values: Floats) -> Floats:
    """The sum of each row's elements that aren't NaN, along the last axis; 0 if all are.

    They are added one after the other: `np.nansum` adds the columns of an array that is stored by column in another
    order than a single row.
    """
    found: Floats = np.nancumsum(values, axis=-1)[..., -1]
    return found


def spread_of_known(values: Floats, count: Floats) -> Floats:
    """The standard deviation of each row's elements that aren't NaN, or that by successive differences if smaller.

    What moves slowly, such as the range of tides, differs little from one element to the next. Source: J. von Neumann
    et al., "The mean square successive difference", Annals of Mathematical Statistics 12 (2), 1941.

    Args:
        values: Shape (n, elements).
        count: Number of known elements of each row, at least 2, shape (n,).
    """
    mean = sum_of_known(values) / count
    squares = sum_of_known((values - mean[:, None]) ** 2) / (count - 1.0)
    steps = sum_of_known((values[:, 1:] - values[:, :-1]) ** 2) / (count - 1.0) / 2.0
    spread: Floats = np.sqrt(np.minimum(squares, steps))
    return spread
