from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.intake.times.recent_readings import RecentReadings

READINGS = st.lists(st.tuples(st.floats(allow_nan=True), st.floats(0.0, 4e9)), min_size=1, max_size=20)


def fresh() -> RecentReadings:
    made = RecentReadings()
    made.grow(1)
    return made


@given(READINGS)
@example([(0.0, 0.0)])
@example([(-0.0, 0.0), (math.inf, 1_700_000_000.123), (math.nan, 5e-324), (-1.5, 2.0**31)])
def test_readings_are_remembered_in_the_same_way_one_by_one_and_as_arrays(readings: list[tuple[float, float]]) -> None:
    singly, together = fresh(), fresh()
    slots = np.zeros(1, dtype=np.intp)
    for value, time in readings:
        values, times = np.array([value]), np.array([time])
        singly.note_few([0], values, times, [-math.inf])
        together.note(slots, values, times, np.array([-math.inf]))
        assert bool(singly.knows(slots, values, times)[0])
    assert singly.tags.tolist() == together.tags.tolist()
    assert singly.count.tolist() == together.count.tolist()
