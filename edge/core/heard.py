"""Who was heard: readings that aren't taken teach nothing, but whoever sent them isn't silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from edge.core.messages import Batch

Heard = tuple[int, int]
"""How many readings of a batch come before one that wasn't taken, and the slot of its sensor."""


def cut(batch: Batch, heard: Iterable[Heard]) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
    """A batch in pieces, each with the slots of those who were heard right after it.

    Args:
        batch: The readings.
        heard: In the order of the readings before them.
    """
    done = 0
    for place, those in groupby(heard, key=itemgetter(0)):
        yield batch.take(np.arange(done, place)), np.array([slot for _, slot in those], dtype=np.intp)
        done = place
    yield batch.take(np.arange(done, len(batch))) if done else batch, np.zeros(0, dtype=np.intp)


def among(heard: Iterable[Heard], kept: NDArray[np.bool_], sensors: int) -> list[Heard]:
    """Those of `heard` whose slot lies below `sensors`, placed in a batch of which only some readings were kept.

    Args:
        heard: Placed in the whole batch.
        kept: Which of its readings were kept, shape (n,).
        sensors: How many slots there are.
    """
    before = np.concatenate(([0], np.cumsum(kept)))
    return [(int(before[place]), slot) for place, slot in heard if slot < sensors]
