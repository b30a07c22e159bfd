"""Arrays of a state give the same results for every way of selecting rows."""

from __future__ import annotations

import gc
import mmap
import os
import weakref
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.numeric.gather import (
    ENOUGH,
    Piece,
    Views,
    add_to_element,
    among,
    element_at,
    exchange,
    filled,
    is_blank,
    lay_blank,
    lay_into,
    part_at,
    put_element,
    put_part,
    roomy,
    rows_at,
)
from detectors.state import StateTable
from detectors.univariate.silence import Silence

ROWS = 2 * ENOUGH
ROUNDS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS)).map(lambda cut: range(cut[0], max(cut))),
        st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=5, unique=True),
        st.integers(0, ROWS - 1).map(lambda row: [*range(row), *range(row + 1, ROWS)]),
    ).filter(len),
    max_size=8,
)


def columns() -> dict[str, np.ndarray]:
    many = np.arange(4.0 * ROWS).reshape(ROWS, 4)
    return {"one": np.arange(ROWS) * 1.0, "many": many, "by_element": np.asfortranarray(many)}


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_rows_are_laid_into_a_larger_array_to_the_last_bit() -> None:
    rows = np.zeros((5_000, 6))
    rows[7, 2], rows[4_000:4_003] = -0.0, np.nan
    rows[-1, -1] = 5.0
    for order in ("C", "F"):
        array = filled((8_000, 6), 0.0, "f8", order)
        lay_into(array, np.asarray(rows, order=order))
        assert array[:5_000].tobytes() == rows.tobytes()
        assert is_blank(array[5_000:])
    one = np.zeros(3)
    lay_into(one, np.array([1.0, 2.0]))
    assert one.tolist() == [1.0, 2.0, 0.0]
    lay_into(filled((16, 4), 0.0, "f8"), np.zeros((0, 4)))


def test_an_array_of_some_pages_is_a_mapping_that_ends_with_it_and_a_small_one_is_not() -> None:
    arrays = [filled((10_000,), value, "f8") for value in (0.0, 0.0, 2.5)]
    assert [array.tolist() for array in arrays] == [[value] * 10_000 for value in (0.0, 0.0, 2.5)]
    assert len({array.ctypes.data % mmap.PAGESIZE for array in arrays}) == len(arrays)
    mappings = [weakref.ref(array.base) for array in arrays]
    assert all(isinstance(each(), mmap.mmap) for each in mappings)
    arrays.clear()
    assert [each() for each in mappings] == [None] * len(mappings)
    assert filled((10,), 0.0, "f8").base is None


def test_only_large_arrays_by_element_are_left_to_numpy_which_asks_for_huge_pages() -> None:
    assert isinstance(filled((10_000, 100), 0.0, "f8").base, mmap.mmap)
    assert filled((10_000, 100), 0.0, "f8", "F").base is None
    assert isinstance(filled((10_000, 10), 0.0, "f8", "F").base, mmap.mmap)


def test_a_mapped_array_is_like_any_other() -> None:
    for order in ("C", "F"):
        array = filled((3_000, 4), 0.0, "f4", order)
        assert (array.shape, array.dtype, array.flags.f_contiguous) == ((3_000, 4), np.dtype("f4"), order == "F")
        array[2_999] = 1.0
        assert array.sum() == 4.0
    assert filled((20_000,), -1.0, "i8").tolist() == [-1] * 20_000


def test_zeros_are_not_written_over_zeros() -> None:
    array = np.zeros((10, 3))
    array.flags.writeable = False
    lay_blank(array, np.array([1, 2]), 0.0)
    array = np.ones((10, 3))
    lay_blank(array, np.array([1, 2]), 0.0)
    lay_blank(array, np.array([4]), 7.0)
    assert array.sum(axis=1).tolist() == [3, 0, 0, 3, 21, 3, 3, 3, 3, 3]


def test_rows_that_were_never_written_take_no_memory_after_an_array_has_grown() -> None:
    for order in ("C", "F"):
        rows = filled((10_000, 1_000), 0.0, "f8", order)
        rows[:20, :20] = 1.0
        before = resident_bytes()
        array = filled((20_000, 1_000), 0.0, "f8", order)
        lay_into(array, rows)
        assert resident_bytes() - before < rows.nbytes / 4
        assert array[19, 19] == 1.0


@given(ROUNDS)
def test_rows_are_read_and_written_as_if_one_by_one(chosen: list[list[int]]) -> None:
    views, plain = Views(columns()), columns()
    for turn, each in enumerate(chosen):
        rows, numbers = np.array(each), np.arange(len(each)) + 1000.0 * turn
        seen = views.of(rows)
        before = seen["one"][rows]
        assert (before == plain["one"][each]).all()
        seen["one"][rows] = numbers
        assert (before == plain["one"][each]).all(), "what was read stays as it was"
        assert (seen["one"][rows[::2]] == numbers[::2]).all()
        plain["one"][each] = numbers
        for name in ("many", "by_element"):
            table, array, column, half = seen[name], plain[name], turn % 4, turn % 2
            here, there = np.full(len(each), column), np.full(len(each), (column + 1) % 4)
            assert (element_at(table, rows, here) == array[each, column]).all()
            assert (exchange(table, rows, here, numbers) == array[each, column]).all()
            put_element(table, rows, there, -numbers)
            array[each, column], array[each, (column + 1) % 4] = numbers, -numbers
            assert (rows_at(table, rows) == array[each]).all()
            pair = array[:, 2 * half : 2 * half + 2]
            for part, part_of_some in ((half, half), (here % 2, here[::2] % 2)):
                both = part_at(table, rows, part, 2).copy()
                assert (both == pair[each].T).all()
                put_part(table, rows, part, both + 1.0)
                put_part(table, rows[::2], part_of_some, tuple(both[:, ::2]))
                pair[each[1::2]] += 1.0
        assert all((views.arrays[name] == plain[name]).all() for name in plain)


def test_consecutive_rows_are_a_slice_and_a_single_one_is_plain_numbers() -> None:
    views = Views(columns())
    assert type(views.of(np.arange(7, 7 + ENOUGH))["one"]) is Piece
    assert type(views.of(np.arange(7, 7 + ENOUGH)[::-1].copy())["one"]) is np.ndarray
    assert type(views.of(np.delete(np.arange(ROWS), 5))["one"]) is np.ndarray
    assert type(views.of(np.arange(ENOUGH - 1))["one"]) is np.ndarray
    assert type(views.of(3)["one"][3]) is float


def test_an_earlier_view_of_other_rows_remains_valid() -> None:
    views = Views(columns())
    first, second = np.arange(ENOUGH), np.arange(10, 10 + ENOUGH)
    older = views.of(first)["one"]
    views.of(second)["one"][second] = -1.0
    assert (older[first][10:] == -1.0).all()
    older[first] = 5.0
    assert (views.arrays["one"][:ENOUGH] == 5.0).all()


def test_room_doubles_while_there_is_little_and_then_grows_by_a_share() -> None:
    assert [roomy(1, 0), roomy(17, 16), roomy(3000, 2048), roomy(4097, 4096), roomy(90_000, 4096)] == [
        16, 32, 4096, 5120, 90_000,
    ]  # fmt: skip
    room = grown = 16
    while room < 1_000_000:
        room, grown = roomy(room + 1, room), grown + 1
    assert grown < 60


def test_spare_rows_take_no_memory() -> None:
    before = resident_bytes()
    array = filled((20_000, 1_000), 0.0, "f8")
    array[:100] = 1.0
    assert resident_bytes() - before < array.nbytes / 4
    assert filled((3,), np.inf, "f8").tolist() == [np.inf] * 3
    assert filled((3, 2), 0.0, "f4", order="F").flags.f_contiguous


def test_arrays_that_have_grown_are_freed_at_once() -> None:
    table = StateTable(Silence(), rows=200)
    rows = np.arange(150)
    table.update(rows, np.ones(150), np.zeros(150))
    old = weakref.ref(table.arrays["gap"])
    gc.disable()
    try:
        table.grow(400)
        assert old() is None
    finally:
        gc.enable()


def test_elements_are_added_to_and_chosen_alike_in_a_round_and_one_by_one() -> None:
    together, singly = np.zeros((3, 4), dtype=np.float32), np.zeros((3, 4), dtype=np.float32)
    rows, columns, numbers = np.array([2, 0]), np.array([1, 3]), np.array([0.1, 2.5])
    add_to_element(together, rows, columns, numbers)
    for each in zip(rows.tolist(), columns.tolist(), numbers.tolist(), strict=True):
        add_to_element(singly, *each)
    assert together.tobytes() == singly.tobytes()
    assert [each.tolist() for each in among(np.array([False, True]), rows, numbers)] == [[0], [2.5]]
    assert among(True, 2, 0.1) == (2, 0.1)
