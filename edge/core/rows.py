"""Rows: arrays with one row a sensor, which grow together, with room to spare so that growing is cheap on average."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 16


def arrays_of(owner: object) -> dict[str, NDArray[Any]]:
    """All arrays among an object's attributes, by name."""
    return {name: each for name, each in vars(owner).items() if isinstance(each, np.ndarray)}


def grow(owner: object, rows: int, **initial: float) -> None:
    """Make room for `rows` rows in all in every array of an object.

    Args:
        owner: Whose attributes the arrays are; all have as many rows.
        rows: How many there must be.
        initial: What a new row holds, by the array's name; 0 for the others.
    """
    arrays = arrays_of(owner)
    present = min(map(len, arrays.values()))
    if rows <= present:
        return
    room = max(FEWEST, rows, 2 * present)
    for name, array in arrays.items():
        grown = np.full((room, *array.shape[1:]), initial.get(name, 0), dtype=array.dtype)
        grown[: len(array)] = array
        setattr(owner, name, grown)
