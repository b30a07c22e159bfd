"""Whether the detector `states` finds the same in single readings, in wide rounds, and in its simple counterpart."""

from __future__ import annotations

import numpy as np
from naive_states import NaiveStates
from told_by_states import MONDAY_S

from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from detectors.states import States


def highest_if_alike(first: Floats, second: Floats, every_s: float) -> Floats:
    """The highest scores of two sensors since a Monday, on which all three agree at each reading."""
    one, wide, twins = StateTable(States(), rows=2), StateTable(States(), rows=2), [NaiveStates(States()) for _ in "ab"]
    highest, rows = np.zeros(2), np.arange(2)
    for index, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        time = MONDAY_S + every_s * index
        singly = [one.update_one(row, value, time, held=False).score for row, value in enumerate(pair)]
        together = wide.update(rows, np.array(pair), np.full(2, time)).score
        naive = [twin.step(value, time)[0] for twin, value in zip(twins, pair, strict=True)]
        np.testing.assert_array_equal(singly, together)
        np.testing.assert_allclose(singly, naive, rtol=1e-6, atol=1e-6)
        highest = np.fmax(highest, singly)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, wide.arrays[name], err_msg=name)
    return highest
