"""Rounds: a batch cut so that no sensor stands twice in a piece.

The k-th round holds the k-th reading of every sensor of the batch. A detector can then work on whole arrays at once,
and every sensor still sees its readings one after another.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def rounds(slots: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield, round by round, the positions in `slots` of the readings that belong to the round.

    Args:
        slots: Slot of each reading, shape (n,), in order of arrival.

    Yields:
        Positions, ascending; together they are 0 to n - 1, each once.
    """
    count = len(slots)
    if count == 0:
        return
    by_slot = np.argsort(slots, kind="stable")
    ordered = slots[by_slot]
    first = np.empty(count, dtype=bool)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    if first.all():
        yield np.arange(count)
        return
    starts = np.flatnonzero(first)
    turn = np.arange(count) - np.repeat(starts, np.diff(np.append(starts, count)))
    by_turn = np.lexsort((by_slot, turn))
    positions = by_slot[by_turn]
    cuts = np.flatnonzero(np.diff(turn[by_turn])) + 1
    yield from np.split(positions, cuts)
