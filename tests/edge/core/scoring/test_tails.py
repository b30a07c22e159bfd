"""Tails: sorting peaks, and the sums over them."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.scoring.levels.tails import MANY, ascending


@pytest.mark.parametrize("count", [1, 2, 4, 8, 16])
def test_columns_of_any_content_are_sorted(count: int) -> None:
    """A network that sorts all columns of zeros and ones sorts any numbers."""
    each = np.arange(max(MANY, 2**count))
    columns = ((each >> np.arange(count)[:, None]) & 1).astype(np.float32)
    assert (ascending(columns) == np.sort(columns, axis=0)).all()
    numbers = np.random.default_rng(1).normal(size=(count, 1000)).astype(np.float32)
    assert (ascending(numbers) == np.sort(numbers, axis=0)).all()
    assert (ascending(numbers[:, :3]) == ascending(numbers)[:, :3]).all()
