"""Readings that aren't admitted: nothing is learned from them, but they show that their sensor isn't silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, repeat

import numpy as np
from numpy.typing import NDArray

from edge.core.model.readings.messages import Batch, Message
from edge.core.model.readings.pauses import NO_PAUSE

NO_SLOTS = np.zeros(0, dtype=np.intp)
NO_SLOTS.flags.writeable = False

Heard = tuple[int, int]
"""Number of readings in a batch before one that wasn't admitted, and the slot of its sensor."""


def cut(
    batch: Batch, heard: Sequence[Heard], heard_after: Sequence[float] = ()
) -> Iterator[tuple[Batch, NDArray[np.intp], float]]:
    """Split a batch where refused readings arrived; each piece has their slots and the time that had passed.

    Args:
        batch: The readings.
        heard: In the order of their positions.
        heard_after: The time that had passed before each of them, see `Batch`; empty if unknown.
    """
    if not heard:
        yield batch, NO_SLOTS, NO_PAUSE
        return
    done = 0
    each_heard = zip(heard, heard_after or repeat(NO_PAUSE), strict=False)
    for (place, quiet_until), those in groupby(each_heard, key=lambda each: (each[0][0], each[1])):
        slots = np.array([slot for (_, slot), _ in those], dtype=np.intp)
        yield batch.take(np.arange(done, place)), slots, quiet_until
        done = place
    yield batch.take(np.arange(done, len(batch))) if done else batch, NO_SLOTS, NO_PAUSE


def among(heard: Iterable[Heard], kept: NDArray[np.bool_], sensors: int) -> list[Heard]:
    """The entries of `heard` with slots below `sensors`, repositioned for a batch of which some readings were kept.

    Args:
        heard: Positions in the whole batch.
        kept: Whether each of its readings was kept, shape (n,).
        sensors: Number of slots.
    """
    before = np.concatenate(([0], np.cumsum(kept)))
    return [(int(before[place]), slot) for place, slot in heard if slot < sensors]


def within(heard: Iterable[Heard], start: int, end: int, *, is_last: bool) -> list[Heard]:
    """The entries of `heard` from reading `start` up to `end`, including `end` for the last piece."""
    return [(place - start, slot) for place, slot in heard if start <= place < end or (is_last and place == end)]


def without_value(absent: Sequence[str], message: Message, slots: Mapping[str, int], place: int) -> list[Heard]:
    """Known sensors reported without a value after `place` readings; empty for a retained message.

    Args:
        absent: Paths that the message marks as having no value.
        message: The message.
        slots: Slots of the topic's known sensors, by path.
        place: Number of readings of the batch before the message.
    """
    return [] if message.retained else [(place, slots[path]) for path in absent if path in slots]
