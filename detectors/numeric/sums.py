"""Sums of rows: the same to the last bit for one row and for many, however the array is laid out in memory."""

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
