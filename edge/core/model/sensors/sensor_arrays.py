"""Sensor arrays: one row per sensor, growing together with spare capacity to amortise the cost."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.gather import Views, filled, lay_into, roomy
from detectors.state import StateError
from edge.core.model.packing.encoding import decode_arrays, encode_arrays


class SensorArrays:
    """Arrays with one row per sensor: all arrays among an object's attributes.

    Attributes:
        LATER: Initial values for arrays that older states lack, by the array's name.
    """

    LATER: ClassVar[Mapping[str, float]] = {}

    _views: Views | None = None
    _initial: Mapping[str, float] = MappingProxyType({})

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        return {name: each for name, each in vars(self).items() if isinstance(each, np.ndarray)}

    def at(self, slots: NDArray[np.intp] | int) -> Mapping[str, Any]:
        """The arrays by name, for reading and writing the rows of these sensors, or of a single one."""
        views = self._views
        if views is None:
            views = self._views = Views(self.arrays)
        return views.cells if type(slots) is int else views.of(slots)

    def replace(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace the arrays of these names."""
        for name, array in arrays.items():
            setattr(self, name, array)
        self._views = None

    def grow_to(self, rows: int, **initial: float) -> None:
        """Grow every array to `rows` rows, with some spare capacity.

        Args:
            rows: Required number of rows.
            initial: Initial values of new rows, by the array's name; 0 for others.
        """
        self._initial = initial
        arrays = self.arrays
        present = min(map(len, arrays.values()))
        if rows <= present:
            return
        room = roomy(rows, present)
        for name, array in arrays.items():
            value = initial.get(name, 0)
            grown = filled((room, *array.shape[1:]), value, array.dtype)
            if value == 0:
                lay_into(grown, array)
            else:
                grown[: len(array)] = array
            arrays[name] = grown
        self.replace(arrays)

    def clear_row(self, slot: int) -> None:
        """Reset a row to its initial values."""
        for name, array in self.arrays.items():
            array[slot] = self._initial.get(name, 0)

    def state(self, first: int, last: int) -> bytes:
        """The rows in the range `first` to `last` (exclusive), for `load()`."""
        return encode_arrays({name: each[first:last] for name, each in self.arrays.items()})

    def load(self, first: int, state: bytes) -> None:
        """Load rows from `first` on; there must be room for them.

        Unknown arrays are ignored.

        Raises:
            StateError: An array is missing or has another type. Nothing has changed.
        """
        saved = decode_arrays(state)
        arrays = self.arrays
        rows = max(map(len, saved.values()), default=0)
        for name, array in arrays.items():
            found = saved.get(name)
            if found is None and name in self.LATER:
                saved[name] = found = np.full((rows, *array.shape[1:]), self.LATER[name], dtype=array.dtype)
            if found is None or found.dtype != array.dtype or found.shape != (rows, *array.shape[1:]):
                raise StateError(f"array {name!r} is missing or of another type")
            if first + rows > len(array):
                raise StateError(f"no room for rows {first} to {first + rows - 1}")
        for name, array in arrays.items():
            array[first : first + rows] = saved[name]
