"""Rounds: pieces of a batch in which no sensor occurs twice.

The k-th round holds the k-th reading of every sensor in the batch. Detectors can then process whole arrays at once,
while every sensor still sees its readings in sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Numbers, Rows

FEW = 8
"""Up to this many readings are processed faster one by one."""


def rounds(slots: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield the positions of each round's readings in `slots`.

    Args:
        slots: Slot of each reading, shape (n,), in order of arrival.

    Yields:
        Positions sorted by slot; over all rounds each of 0 to n - 1 occurs once.
    """
    if len(slots) > 0:
        yield from _rounds_of(runs_of(slots))


def wide_rounds(slots: NDArray[np.intp], least: int) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """The rounds with at least `least` readings, and the ascending positions of all other readings.

    Rounds never become wider, so all other readings come after these rounds.
    """
    if len(slots) < least or len((runs := runs_of(slots)).starts) < least:
        return [], np.arange(len(slots))
    pieces = list(_rounds_of(runs))
    wide = [each for each in pieces if len(each) >= least]
    rest = pieces[len(wide) :]
    return wide, np.sort(np.concatenate(rest)) if rest else np.zeros(0, dtype=np.intp)


class Round(NamedTuple):
    """Readings of distinct sensors that share a profile: arrays of shape (n,), or scalars for a single reading.

    Attributes:
        slots: Rows in the sensor table.
        rows: Rows in the profile's tables.
        values: Values as read; for a device, its distance.
        times: Seconds since the epoch, UTC.
        positions: Positions in the batch.
        now: The stream clock at each reading.
        seen: The detectors' input: the value, or for a counter its pace or NaN.
    """

    slots: Rows
    rows: Rows
    values: Numbers
    times: Numbers
    positions: Rows
    now: Numbers
    seen: Numbers

    def at(self, index: int) -> Round:
        """One of the readings, as scalars."""
        return self if type(self.slots) is int else Round(*(each[index].item() for each in self))


class Runs(NamedTuple):
    """A batch grouped by sensor.

    Attributes:
        order: Positions in the batch, grouped by sensor and in order within each group; shape (n,).
        starts: Start of each sensor's readings in `order`, ascending; shape (sensors,).
        lengths: Number of readings of each sensor, shape (sensors,).
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @property
    def turns(self) -> NDArray[np.intp]:
        """Index of each reading among its sensor's readings, from 0, in the order of `order`; shape (n,)."""
        return np.arange(len(self.order)) - np.repeat(self.starts, self.lengths)


def runs_of(slots: NDArray[np.intp]) -> Runs:
    """Group a batch's readings by sensor.

    Args:
        slots: Slot of each reading, shape (n,), n at least 1.
    """
    order = np.argsort(slots, kind="stable")
    ordered = slots[order]
    starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    return Runs(order, starts, np.concatenate((starts[1:], [len(slots)])) - starts)


def _rounds_of(runs: Runs) -> Iterator[NDArray[np.intp]]:
    """The rounds of a batch, each sorted by slot."""
    if len(runs.starts) == len(runs.order):
        yield runs.order
        return
    turns = runs.turns
    by_turn = np.argsort(turns, kind="stable")
    cuts = np.flatnonzero(np.diff(turns[by_turn])) + 1
    yield from np.split(runs.order[by_turn], cuts)
