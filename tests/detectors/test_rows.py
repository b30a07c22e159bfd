"""A state's arrays mean the same however their rows are looked at."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.rows import ENOUGH, Piece, Views, element_at, exchange, put_element, put_rows, rows_at

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
    return {"one": np.arange(ROWS) * 1.0, "many": np.arange(3.0 * ROWS).reshape(ROWS, 3)}


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
        table, column = seen["many"], np.full(len(each), turn % 3)
        assert (element_at(table, rows, column) == plain["many"][each, turn % 3]).all()
        assert (exchange(table, rows, column, numbers) == plain["many"][each, turn % 3]).all()
        put_element(table, rows, (column + 1) % 3, -numbers)
        put_rows(table, rows, rows_at(table, rows) * 2.0)
        plain["one"][each] = numbers
        plain["many"][each, turn % 3], plain["many"][each, (turn + 1) % 3] = numbers, -numbers
        plain["many"][each] *= 2.0
        assert all((views.arrays[name] == plain[name]).all() for name in plain)


def test_consecutive_rows_are_one_piece_and_a_single_one_is_plain_numbers() -> None:
    views = Views(columns())
    assert type(views.of(np.arange(7, 7 + ENOUGH))["one"]) is Piece
    assert type(views.of(np.arange(7, 7 + ENOUGH)[::-1].copy())["one"]) is np.ndarray
    assert type(views.of(np.delete(np.arange(ROWS), 5))["one"]) is np.ndarray
    assert type(views.of(np.arange(ENOUGH - 1))["one"]) is np.ndarray
    assert type(views.of(3)["one"][3]) is float


def test_an_older_look_at_other_rows_stays_right() -> None:
    views = Views(columns())
    first, second = np.arange(ENOUGH), np.arange(10, 10 + ENOUGH)
    older = views.of(first)["one"]
    views.of(second)["one"][second] = -1.0
    assert (older[first][10:] == -1.0).all()
    older[first] = 5.0
    assert (views.arrays["one"][:ENOUGH] == 5.0).all()
