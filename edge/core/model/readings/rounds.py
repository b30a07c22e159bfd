"""Rounds: a batch cut so that no sensor stands twice in a piece.

The k-th round holds the k-th reading of every sensor of the batch. A detector can then work on whole arrays at once,
and every sensor still sees its readings one after another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Numbers, Rows

FEW = 8
"""Up to so many readings are quicker looked at one by one."""


def rounds(slots: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield, round by round, the positions in `slots` of the readings that belong to the round.

    Args:
        slots: Slot of each reading, shape (n,), in order of arrival.

    Yields:
        Positions, by slot; together they are 0 to n - 1, each once.
    """
    if len(slots) > 0:
        yield from _rounds_of(runs_of(slots))


def wide_rounds(slots: NDArray[np.intp], least: int) -> tuple[list[NDArray[np.intp]], NDArray[np.intp]]:
    """The rounds of at least so many readings, and the positions of all other readings, ascending.

    A round is never wider than the one before, so all other readings come after those of the rounds.
    """
    if len(slots) < least or len((runs := runs_of(slots)).starts) < least:
        return [], np.arange(len(slots))
    pieces = list(_rounds_of(runs))
    wide = [each for each in pieces if len(each) >= least]
    rest = pieces[len(wide) :]
    return wide, np.sort(np.concatenate(rest)) if rest else np.zeros(0, dtype=np.intp)


class Round(NamedTuple):
    """Readings of sensors that share a profile, no sensor twice: arrays of shape (n,), or a single one's plain numbers.

    Attributes:
        slots: Rows of the sensor table.
        rows: Rows of the profile's tables.
        values: As they were read; of a device, its distance.
        times: Seconds since the epoch, UTC.
        positions: Their positions in the batch.
        now: The stream clock at each of them.
        seen: What detectors are given: the values; of a counter its pace, or NaN where there is none.
    """

    slots: Rows
    rows: Rows
    values: Numbers
    times: Numbers
    positions: Rows
    now: Numbers
    seen: Numbers

    def at(self, index: int) -> Round:
        """One of the readings, as plain numbers."""
        return self if type(self.slots) is int else Round(*(each[index].item() for each in self))


class Runs(NamedTuple):
    """A batch by sensor.

    Attributes:
        order: Positions in the batch, those of a sensor one after another in their order; shape (n,).
        starts: Start of each sensor's readings in `order`, ascending; shape (sensors,).
        lengths: Number of readings of each.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @property
    def turns(self) -> NDArray[np.intp]:
        """Which reading of its sensor each is, from 0, in the order of `order`; shape (n,)."""
        return np.arange(len(self.order)) - np.repeat(self.starts, self.lengths)


def runs_of(slots: NDArray[np.intp]) -> Runs:
    """Put a batch's readings in order by sensor.

    Args:
        slots: Slot of each reading, shape (n,), n at least 1.
    """
    order = np.argsort(slots, kind="stable")
    ordered = slots[order]
    starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    return Runs(order, starts, np.concatenate((starts[1:], [len(slots)])) - starts)


def _rounds_of(runs: Runs) -> Iterator[NDArray[np.intp]]:
    """The rounds of a batch, by slot."""
    if len(runs.starts) == len(runs.order):
        yield runs.order
        return
    turns = runs.turns
    by_turn = np.argsort(turns, kind="stable")
    cuts = np.flatnonzero(np.diff(turns[by_turn])) + 1
    yield from np.split(runs.order[by_turn], cuts)
