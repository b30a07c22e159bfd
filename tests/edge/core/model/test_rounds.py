from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.readings.rounds import rounds, wide_rounds

SLOTS = st.lists(st.integers(0, 6), max_size=60)


@given(SLOTS)
def test_every_reading_is_in_exactly_one_round(slots: list[int]) -> None:
    positions = [int(each) for piece in rounds(np.array(slots, dtype=np.intp)) for each in piece]
    assert sorted(positions) == list(range(len(slots)))


@given(SLOTS)
def test_no_sensor_is_twice_in_a_round_and_its_readings_keep_their_order(slots: list[int]) -> None:
    seen: dict[int, list[int]] = {}
    for piece in rounds(np.array(slots, dtype=np.intp)):
        members = [slots[position] for position in piece]
        assert len(set(members)) == len(members)
        assert members == sorted(members)
        for position in piece:
            seen.setdefault(slots[position], []).append(int(position))
    assert all(order == sorted(order) for order in seen.values())


@given(SLOTS, st.integers(1, 9))
def test_readings_too_few_for_a_round_come_after_the_wide_ones(slots: list[int], least: int) -> None:
    batch = np.array(slots, dtype=np.intp)
    wide, rest = wide_rounds(batch, least)
    pieces = [list(piece) for piece in rounds(batch)]
    assert [list(piece) for piece in wide] == [piece for piece in pieces if len(piece) >= least]
    assert list(rest) == sorted(position for piece in pieces if len(piece) < least for position in piece)


def test_a_batch_of_different_sensors_is_one_round() -> None:
    assert [list(piece) for piece in rounds(np.array([4, 2, 9]))] == [[1, 0, 2]]


def test_the_third_round_holds_third_readings() -> None:
    pieces = [list(piece) for piece in rounds(np.array([1, 1, 2, 1, 2]))]
    assert pieces == [[0, 2], [1, 4], [3]]
