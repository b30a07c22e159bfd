"""A band is computed on demand, and is the same as if it had been computed immediately."""

from __future__ import annotations

import numpy as np
import pytest
from detector_examples import example

from detectors import DETECTORS
from detectors.state import StateTable

SENSORS = np.arange(5)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_band_is_the_same_for_one_reading_and_for_all_now_and_later(name: str) -> None:
    soon, late = StateTable(example(name), rows=5), StateTable(example(name), rows=5)
    rng = np.random.default_rng(7)
    for step in range(260):
        values, times = rng.normal(size=5), np.full(5, 600.0 * step)
        asked, waiting = soon.update(SENSORS, values, times), late.update(SENSORS, values, times)
        of_all = [each.copy() for each in asked]
        if step < 250:
            continue
        late.update(SENSORS, values + 3.0, times + 1.0)
        soon.update(SENSORS, values + 3.0, times + 1.0)
        for index in range(5):
            assert np.array_equal(waiting.at(index), [each[index] for each in of_all], equal_nan=True)
            assert np.array_equal(asked.at(index), waiting.at(index), equal_nan=True)
        assert all(np.array_equal(mine, theirs, equal_nan=True) for mine, theirs in zip(waiting, of_all, strict=True))
        assert np.array_equal(waiting.with_score(values).lower, asked.lower, equal_nan=True)
