"""Gather: access to rows of a state, for selected rows, consecutive rows, and a single row.

Numpy reads selected rows one by one, at 2 ns each. In the rounds of a busy plant the rows are consecutive, and those
are read and written as one slice in a fifth of the time. A single reading is processed with scalars instead of arrays.

The arrays of a state therefore have three kinds of views, and `state[name][rows]` means the same in each. For fields
with several elements per sensor, the functions here select the element.
"""

from __future__ import annotations

import itertools
import math
import mmap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from detectors.numeric.arrays import Arrays

ENOUGH = 100
"""Minimum number of rows for which checking whether they are consecutive pays off."""

FEWEST, MANY, SPARE_SHARE = 16, 4096, 1 / 4
"""Arrays begin with the first number of rows. Their room doubles up to the second, then it grows by this share, because
the spare rows of large arrays are much memory."""

MAPPED, HUGE = 16_384, 4 * 2**20
"""Minimum size in bytes of an array that is a mapping of its own, and of one that numpy asks for huge pages for. Those
are left to numpy if they are stored by element, as rounds read a column of all rows; of others they would make rows
resident that nothing was written to."""

ASIDE = 1088
"""Bytes by which each mapped array begins later in its first page than the one before: a core confuses addresses that
are whole pages apart, which cost a tenth of a round."""

_turns = itertools.count()

STRETCH = 16_384
"""Bytes that are looked at together when an array grows: a few pages of memory."""


class Piece:
    """An array viewed for consecutive rows of the present round; all other rows remain accessible.

    Attributes:
        array: The whole array.
        rows: The round's rows, shape (n,).
    """

    __slots__ = ("_piece", "array", "rows")

    def __init__(self, array: NDArray[Any], rows: NDArray[np.intp]) -> None:
        self.array = array
        self.rows = rows
        begin = int(rows[0])
        self._piece = array[begin : begin + len(rows)]

    def __getitem__(self, rows: Any) -> Any:
        return self._piece.copy() if rows is self.rows else self.array[rows]

    def __setitem__(self, rows: Any, values: Any) -> None:
        if rows is self.rows:
            self._piece[:] = values
        else:
            self.array[rows] = values

    def is_of(self, rows: Any) -> bool:
        """Whether these are the round's rows, and not a subset."""
        return rows is self.rows

    def elements(self, first: int, width: int) -> NDArray[Any]:
        """Elements of the round's rows, of shape (width, n), as a view."""
        return self._piece[:, first : first + width].T


class Run:
    """Consecutive rows of arrays.

    Attributes:
        rows: The rows, shape (n,).
        pieces: The arrays viewed for these rows.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> None:
        self.rows = rows
        self.pieces = {name: Piece(array, rows) for name, array in arrays.items()}

    def goes_on_with(self, rows: NDArray[np.intp]) -> bool:
        """Whether the next round has the same rows and can use the same views."""
        same = len(rows) == len(self.rows) and bool((rows == self.rows).all())
        if same:
            self.rows = rows
            for piece in self.pieces.values():
                piece.rows = rows
        return same


class Views:
    """Arrays with one row per sensor, viewed for different rounds.

    Args:
        arrays: The arrays by name; if they are replaced, new views are needed.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = arrays
        self.cells = {name: array.data if array.ndim == 1 else array for name, array in arrays.items()}
        self._run: Run | None = None

    def of(self, rows: NDArray[np.intp] | int) -> Mapping[str, Any]:
        """The arrays viewed for these rows; for a single row, fields with one element per sensor are scalars."""
        if isinstance(rows, int):
            return self.cells
        run = self._run
        if run is not None and (rows is run.rows or run.goes_on_with(rows)):
            return run.pieces
        if len(rows) < ENOUGH or not is_consecutive(rows):
            return self.arrays
        self._run = Run(self.arrays, rows)
        return self._run.pieces


class Familiar:
    """The rows of the last round.

    If the next round has the same rows, the same array object is returned, which is recognised quickly.
    """

    def __init__(self) -> None:
        self._rows = np.zeros(0, dtype=np.intp)

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows, as the same array object as last time if they are equal."""
        if not np.array_equal(rows, self._rows):
            self._rows = rows
        return self._rows


def roomy(rows: int, present: int) -> int:
    """Number of rows to make room for, so that growing costs little in all, if there is room for `present` already."""
    more = present if present < MANY else int(SPARE_SHARE * present)
    return max(FEWEST, rows, present + more)


def filled(shape: tuple[int, ...], value: float, dtype: DTypeLike, order: Literal["F", "C"] = "C") -> NDArray[Any]:
    """An array of equal elements; rows of zeros take no memory before they are written to.

    Pieces of the heap would: zeros are written over what was there before. And of arrays that have grown, pieces that
    are too small for the next ones would stay.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    is_left = size < MAPPED or (size >= HUGE and order == "F")
    array = np.zeros(shape, dtype=dtype, order=order) if is_left else _mapped(shape, dtype, order, size)
    if value != 0:
        array.fill(value)
    return array


def _mapped(shape: tuple[int, ...], dtype: DTypeLike, order: Literal["F", "C"], size: int) -> NDArray[Any]:
    """An array of zeros, `size` bytes in a mapping of its own, which ends with the array."""
    memory = mmap.mmap(-1, size + mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    begin = next(_turns) * ASIDE % mmap.PAGESIZE
    return np.ndarray(shape, dtype=dtype, buffer=memory, offset=begin, order=order)


def is_blank(array: NDArray[Any]) -> bool:
    """Whether all bytes are zero."""
    return not np.ascontiguousarray(array).view(np.bool_).any()


def lay_into(array: NDArray[Any], rows: NDArray[Any]) -> None:
    """Copy rows to the beginning of an array of zeros, but no stretches of zeros, which so go on taking no memory."""
    if rows.ndim == 1:
        array, rows = array[:, None], rows[:, None]
    elif rows.flags.f_contiguous:
        array, rows = array.T, rows.T
    step = max(1, STRETCH // max(1, rows[:1].nbytes))
    for begin in range(0, len(rows), step):
        stretch = rows[begin : begin + step]
        if not is_blank(stretch):
            array[begin : begin + len(stretch), : stretch.shape[1]] = stretch


def lay_blank(array: NDArray[Any], rows: NDArray[np.intp], value: float) -> None:
    """Set rows to their initial value, but write no zeros over zeros, which so go on taking no memory."""
    if value != 0 or not is_blank(array[rows]):
        array[rows] = value


def is_consecutive(rows: NDArray[np.intp]) -> bool:
    """Whether the rows are consecutive; shape (n,), n at least 1."""
    return bool(rows[-1] - rows[0] == len(rows) - 1 and (rows[1:] - rows[:-1] == 1).all())


def as_span(rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """The rows as a slice if they are consecutive, and enough for that to pay off."""
    begin = int(rows[0]) if len(rows) >= ENOUGH and is_consecutive(rows) else None
    return rows if begin is None else slice(begin, begin + len(rows))


def among(mask: Any, *columns: Any) -> tuple[Any, ...]:
    """The elements that a condition holds for, of several columns; scalars as they are."""
    if type(mask) is bool:
        return columns
    chosen = np.flatnonzero(mask)
    return tuple([each.take(chosen) for each in columns])


def array_of(table: Any) -> NDArray[Any]:
    """The underlying array, also of a view."""
    return table.array if type(table) is Piece else table


def whole_arrays(state: Mapping[str, Any]) -> Arrays:
    """The complete arrays of a state, not only the current round's views."""
    return {name: np.asarray(array_of(each)) for name, each in state.items()}


def element_at(table: Any, at: Any, column: Any) -> Any:
    """One element of each row, or of the single row given by an int."""
    if type(at) is int:
        return float(table[at, column])
    elements, places = _elements(table, at, column)
    return elements.take(places)


def put_element(table: Any, at: Any, column: Any, values: Any) -> None:
    """Write one element of each row, or of the single row given by an int."""
    if type(at) is int:
        table[at, column] = values
    else:
        elements, places = _elements(table, at, column)
        elements[places] = values


def add_to_element(table: Any, at: Any, column: Any, number: Any) -> None:
    """Add a number to one element of each row, or of the single row given by an int."""
    if type(at) is int:
        table[at, column] += number
    else:
        elements, places = _elements(table, at, column)
        elements[places] = elements.take(places) + number


def exchange(table: Any, at: Any, column: Any, values: Any) -> Any:
    """Write one element of each row, or of the single row given by an int; returns the old elements."""
    if type(at) is int:
        before = float(table[at, column])
        table[at, column] = values
        return before
    elements, places = _elements(table, at, column)
    gone = elements.take(places)
    elements[places] = values
    return gone


def _elements(table: Any, at: NDArray[np.intp], column: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """All elements of a table as a flat array, and the indices of one for each row: faster than two indices."""
    array = array_of(table)
    if array.flags.f_contiguous:
        return array.T.reshape(-1), column * array.shape[0] + at
    return array.reshape(-1), at * array.shape[1] + column


def rows_at(table: Any, at: Any) -> Any:
    """A contiguous copy of rows, or the single row given by an int."""
    if type(at) is int:
        return table[at : at + 1].copy()
    return table[at] if type(table) is Piece and table.is_of(at) else array_of(table).take(at, axis=0)


def part_at(table: Any, at: Any, part: Any, width: int) -> Any:
    """`width` elements of each row, the `part`-th group: an array of shape (width, m), or scalars for a single row.

    The result may be a view that the next `put_part()` changes.

    Args:
        table: A table, preferably stored `by_element`.
        at: Rows, shape (m,), or an int for a single row.
        part: Which group, for each row or, for an int, for all rows.
        width: Number of elements.
    """
    if type(at) is int:
        return table[at, part * width : (part + 1) * width].tolist()
    if type(part) is not int:
        return np.stack([array_of(table)[at, part * width + index] for index in range(width)])
    if type(table) is Piece and table.is_of(at):
        return table.elements(part * width, width)
    return array_of(table).T[part * width : (part + 1) * width].take(at, axis=1)


def put_part(table: Any, at: Any, part: Any, elements: Sequence[Any]) -> None:
    """Write the elements in the form returned by `part_at()`."""
    first = part * len(elements)
    if type(part) is int and type(table) is Piece and table.is_of(at):
        mine = table.elements(first, len(elements))
        if isinstance(elements, np.ndarray):
            mine[:] = elements
        else:
            for index, values in enumerate(elements):
                mine[index] = values
        return
    array = array_of(table)
    for index, values in enumerate(elements):
        array[at, first + index] = values


def as_one(values: Any, at: Any) -> Any:
    """A result computed from `rows_at()`, as a scalar for a single row."""
    return float(values[0]) if type(at) is int else values
