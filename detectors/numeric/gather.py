"""Rows of a state: those of chosen sensors, of consecutive ones, and of a single one.

Numpy takes chosen rows one by one, at 2 ns each. The rounds of a busy plant are rows that follow one another, and those
are read and written as one piece, at a fifth of that. A single reading sees plain numbers instead of arrays.

So the arrays of a state are looked at in three ways, and `state[name][rows]` means the same in each. Where a field has
several elements a sensor, the functions here say which of them is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ENOUGH = 100
"""Rows, from which on it pays to find out whether they are consecutive."""


class Piece:
    """An array of which the present round's rows are one piece; all other rows can be had, too."""

    __slots__ = ("_piece", "_run", "array")

    def __init__(self, array: NDArray[Any], run: Run) -> None:
        self.array = array
        self._run = run
        self._piece = array[run.begin : run.end]

    def __getitem__(self, rows: Any) -> Any:
        return self._piece.copy() if rows is self._run.rows else self.array[rows]

    def __setitem__(self, rows: Any, values: Any) -> None:
        if rows is self._run.rows:
            self._piece[:] = values
        else:
            self.array[rows] = values

    def is_of(self, rows: Any) -> bool:
        """Whether these are the round's rows, not some of them."""
        return rows is self._run.rows

    def elements(self, first: int, width: int) -> NDArray[Any]:
        """Some elements of the round's rows, of shape (width, n): a view."""
        return self._piece[:, first : first + width].T


class Run:
    """Consecutive rows of some arrays.

    Attributes:
        rows: The rows, shape (n,).
        begin: The first of them.
        end: The one after the last.
        pieces: The arrays as these rows see them.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], rows: NDArray[np.intp]) -> None:
        self.rows = rows
        self.begin = int(rows[0])
        self.end = self.begin + len(rows)
        self.pieces = {name: Piece(array, self) for name, array in arrays.items()}

    def goes_on_with(self, rows: NDArray[np.intp]) -> bool:
        """Whether the next round has the same rows; it then sees the same pieces."""
        same = len(rows) == len(self.rows) and bool((rows == self.rows).all())
        if same:
            self.rows = rows
        return same


class Views:
    """Arrays with one row a sensor, as different rounds see them.

    Args:
        arrays: The arrays by name; when others take their place, they need new views.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.arrays = arrays
        self.cells = {name: array.data if array.ndim == 1 else array for name, array in arrays.items()}
        self._run: Run | None = None

    def of(self, rows: NDArray[np.intp] | int) -> Mapping[str, Any]:
        """The arrays as some rows see them, or a single one: its numbers are plain, where there is one a sensor."""
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
    """The rows of the last round; if the next one has the same, it gets the same array, which views know at sight."""

    def __init__(self) -> None:
        self._rows = np.zeros(0, dtype=np.intp)

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """These rows, as the same array as last time if they are the same."""
        if not np.array_equal(rows, self._rows):
            self._rows = rows
        return self._rows


def is_consecutive(rows: NDArray[np.intp]) -> bool:
    """Whether each row is the one after the last; rows of shape (n,), n at least 1."""
    return bool(rows[-1] - rows[0] == len(rows) - 1 and (rows[1:] - rows[:-1] == 1).all())


def array_of(table: Any) -> NDArray[Any]:
    """The array, also where it is looked at as a piece."""
    return table.array if type(table) is Piece else table


def element_at(table: Any, at: Any, column: Any) -> Any:
    """An element of each row, or of the single one at a whole number."""
    if type(at) is int:
        return float(table[at, column])
    elements, places = _elements(table, at, column)
    return elements.take(places)


def put_element(table: Any, at: Any, column: Any, values: Any) -> None:
    """Put an element into each row, or into the single one at a whole number."""
    if type(at) is int:
        table[at, column] = values
    else:
        elements, places = _elements(table, at, column)
        elements[places] = values


def exchange(table: Any, at: Any, column: Any, values: Any) -> Any:
    """Put an element into each row, or into the single one at a whole number; returns what was there."""
    if type(at) is int:
        before = float(table[at, column])
        table[at, column] = values
        return before
    elements, places = _elements(table, at, column)
    gone = elements.take(places)
    elements[places] = values
    return gone


def _elements(table: Any, at: NDArray[np.intp], column: Any) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """All elements of a table in a row, and the places of one for each row: quicker than two indices."""
    array = array_of(table)
    if array.flags.f_contiguous:
        return array.T.reshape(-1), column * array.shape[0] + at
    return array.reshape(-1), at * array.shape[1] + column


def rows_at(table: Any, at: Any) -> Any:
    """Rows of a table as a table, one after the other in memory: some rows, or the single one at a whole number."""
    if type(at) is int:
        return table[at : at + 1].copy()
    return table[at] if type(table) is Piece and table.is_of(at) else array_of(table).take(at, axis=0)


def part_at(table: Any, at: Any, part: Any, width: int) -> Any:
    """`width` elements of each row, the `part`-th such: an array of shape (width, m), or plain numbers of a single row.

    It may be a view, which the next `put_part()` changes.

    Args:
        table: A table, best one that is kept `by_element`.
        at: Rows, shape (m,), or a single one at a whole number.
        part: Which elements, for each row or, at a whole number, for all rows.
        width: How many.
    """
    if type(at) is int:
        return table[at, part * width : (part + 1) * width].tolist()
    if type(part) is not int:
        return np.stack([array_of(table)[at, part * width + index] for index in range(width)])
    if type(table) is Piece and table.is_of(at):
        return table.elements(part * width, width)
    return array_of(table).T[part * width : (part + 1) * width].take(at, axis=1)


def put_part(table: Any, at: Any, part: Any, elements: Sequence[Any]) -> None:
    """Write the elements that `part_at()` gives."""
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
    """What was worked out of `rows_at()`: a plain number for a single row."""
    return float(values[0]) if type(at) is int else values
