"""Detector state: growing, resetting, holding, saving and loading, implemented once for all detectors."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector, Field, Scores
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.gather import Views, filled, is_blank, lay_blank, lay_into

FORMAT = 1


class StateError(ValueError):
    """A saved state belongs to another detector or is damaged."""


class StateTable:
    """The state of one detector for many sensors, one row per sensor.

    Args:
        detector: The detector whose `layout()` defines a row.
        rows: Initial number of sensors to make room for.

    Attributes:
        arrays: The arrays by name, one row per sensor.
        views: The arrays viewed for different rows.
    """

    def __init__(self, detector: Detector, rows: int = 0) -> None:
        self.detector = detector
        self.fields = detector.layout()
        self.rows = rows
        self.replace({name: _fresh(field, rows) for name, field in self.fields.items()})
        self._parameters = {name: repr(each) for name, each in asdict(detector).items()}  # type: ignore[call-overload]
        self._learned = [name for name, field in self.fields.items() if field.learned]

    @property
    def bytes_per_sensor(self) -> int:
        """Size of one row, in bytes."""
        return sum(np.dtype(each.dtype).itemsize * max(1, each.width) for each in self.fields.values())

    def replace(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Replace the arrays by others of the same layout."""
        self.arrays, self.views = arrays, Views(arrays)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all; existing rows are kept."""
        if rows <= self.rows:
            return
        grown = {name: _fresh(field, rows) for name, field in self.fields.items()}
        for name, array in grown.items():
            if self.fields[name].initial == 0:
                lay_into(array, self.arrays[name])
            else:
                array[: self.rows] = self.arrays[name]
        self.rows = rows
        self.replace(grown)

    def reset(self, slots: Slots) -> None:
        """Reset the sensors at `slots`."""
        for name, field in self.fields.items():
            lay_blank(self.arrays[name], slots, field.initial)

    def shift(self, slots: Slots, by: float) -> None:
        """Shift the recorded times of the sensors at `slots` by `by` seconds after a step of their clock."""
        for name, field in self.fields.items():
            if field.moment:
                self.arrays[name][slots] = self.arrays[name][slots] + by

    def update(self, slots: Slots, values: Floats, times: Floats, held: NDArray[np.bool_] | None = None) -> Scores:
        """Run the detector, leaving the learned state of the sensors marked in `held` unchanged.

        Args:
            slots: Distinct rows of the readings' sensors, shape (n,).
            values: Values, shape (n,).
            times: Seconds since the epoch, shape (n,).
            held: True where learning is disabled; shape (n,), or None for nowhere.
        """
        state = self.views.of(slots) if len(slots) else self.arrays
        if held is None or not held.any():
            return self.detector.update(state, slots, values, times)
        kept = slots[held]
        before = {name: self.arrays[name][kept] for name in self._learned}
        scores = self.detector.update(state, slots, values, times)
        for name, rows in before.items():
            self.arrays[name][kept] = rows
        self.detector.held_back(state, kept)
        return scores

    def update_one(self, row: int, value: float, time: float, *, held: bool) -> Scores:
        """Run the detector on one reading, with the result of `update()` as scalars, but faster.

        Args:
            row: Row of the reading's sensor.
            value: Its value.
            time: Seconds since the epoch.
            held: Whether learning is disabled.
        """
        if not self.detector.takes_one:
            return self.update(np.array([row]), np.array([value]), np.array([time]), np.array([held])).alone()
        cells = self.views.cells
        if not held:
            return self.detector.update_one(cells, row, value, time)
        before = {name: np.copy(self.arrays[name][row]) for name in self._learned}
        scores = self.detector.update_one(cells, row, value, time)
        for name, kept in before.items():
            self.arrays[name][row] = kept
        self.detector.held_back(cells, row)
        return scores

    def patience(self, rows: Rows, decades: Numbers) -> Numbers:
        """The maximum silence of sensors, see `Detector`, for several rows or a single one given as a scalar."""
        if type(rows) is not int or self.detector.takes_one:
            return self.detector.patience(self.views.of(rows), rows, decades)
        return float(self.detector.patience(self.arrays, np.array([rows]), decades)[0])

    def to_bytes(self) -> bytes:
        """The whole state as bytes, without pickle; `from_bytes` is its inverse."""
        buffer = io.BytesIO()
        header = np.frombuffer(json.dumps(self.header()).encode(), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, __header__=header, **self.arrays)
        return buffer.getvalue()

    def from_bytes(self, saved: bytes) -> None:
        """Load a saved state; the number of rows becomes the saved one.

        Raises:
            StateError: The bytes are damaged, or were saved by another detector, with other parameters or in another
                format. The present state is unchanged.
        """
        state = SavedState.from_bytes(saved)
        if not state.belongs_to(self):
            raise StateError(f"state of another detector: {state.header}")
        arrays = {
            name: np.asarray(state.arrays[name], order=_order(field))
            if name in state.arrays
            else _fresh(field, state.rows)
            for name, field in self.fields.items()
        }
        self.rows = state.rows
        self.replace(arrays)

    def rows_of(self, rows: slice | Slots) -> SavedState:
        """Some rows, as views if they are consecutive, for `take_rows()` of another table."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        count = len(range(*rows.indices(self.rows))) if isinstance(rows, slice) else len(rows)
        return SavedState(self.header(count), arrays)

    def take_rows(self, saved: SavedState, theirs: Slots, ours: Slots) -> None:
        """Copy rows from a state that `belongs_to()` this table.

        Zeros aren't written over zeros: rows that were never written to take no memory.

        Args:
            saved: The source.
            theirs: Rows of the source, shape (n,).
            ours: Rows of this table, shape (n,).
        """
        for name, array in self.arrays.items():
            rows = saved.arrays[name][theirs] if name in saved.arrays else np.asarray(self.fields[name].initial)
            if array.ndim == 1 or not (is_blank(rows) and is_blank(array[ours])):
                array[ours] = rows

    def header(self, rows: int | None = None) -> dict[str, object]:
        """The header of a saved state: format, detector, parameters, and rows (default: the present number)."""
        return {
            "format": FORMAT,
            "detector": self.detector.name,
            "parameters": self._parameters,
            "rows": self.rows if rows is None else rows,
        }


class SavedState:
    """Rows of a detector's state, readable without knowing the detector.

    Args:
        header: Their `StateTable.header()`.
        arrays: The arrays by name, one row per sensor.

    Raises:
        StateError: The number of rows is missing from the header.
    """

    def __init__(self, header: Any, arrays: dict[str, NDArray[Any]]) -> None:
        rows = header.get("rows") if isinstance(header, dict) else None
        if type(rows) is not int:
            raise StateError(f"damaged state: its header is {header!r}")
        self.header = header
        self.arrays = arrays
        self.rows = rows

    @classmethod
    def from_bytes(cls, saved: bytes) -> SavedState:
        """Decode the result of `StateTable.to_bytes()`.

        Raises:
            StateError: The bytes are damaged.
        """
        try:
            with np.load(io.BytesIO(saved), allow_pickle=False) as archive:
                arrays: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files}
            header = json.loads(arrays.pop("__header__").tobytes())
        except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
            raise StateError(f"damaged state: {error}") from error
        return cls(header, arrays)

    def belongs_to(self, table: StateTable) -> bool:
        """Whether this was saved by the same detector, possibly an earlier version of it, with the same parameters."""
        fields = table.fields
        missing = fields.keys() - self.arrays.keys()
        if self.header != table.header(self.rows) or not self.arrays.keys() <= fields.keys():
            return False
        if not all(fields[name].later for name in missing):
            return False
        return all(
            array.shape == _shape(fields[name], self.rows) and array.dtype == np.dtype(fields[name].dtype)
            for name, array in self.arrays.items()
        )


def _shape(field: Field, rows: int) -> tuple[int, ...]:
    return (rows, field.width) if field.width else (rows,)


def _fresh(field: Field, rows: int) -> NDArray[np.generic]:
    return filled(_shape(field, rows), field.initial, field.dtype, _order(field))


def _order(field: Field) -> Literal["F", "C"]:
    return "F" if field.by_element else "C"
