"""The journal: the readings of a step, packed, so that the step can be gone through again.

An entry holds what was decoded, before admission: going through the entries of a journal in order leads from the state
at their beginning to exactly the state at their end.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from edge.core.messages import Batch


class JournalEntry(msgspec.Struct, array_like=True, frozen=True):
    """One step.

    Attributes:
        interrupted: Whether the service was interrupted just before it.
        new_sensors: Sensors that were first seen in it: name, and what a repetition of its value means.
        slots: Row of each reading's sensor, little-endian 32 bits.
        values: Values, little-endian float64.
        times: Seconds since the epoch, likewise.
        tick: The stream clock at which silences were found without a reading, or None.
    """

    interrupted: bool
    new_sensors: list[tuple[str, str]]
    slots: bytes
    values: bytes
    times: bytes
    tick: float | None = None

    @classmethod
    def of_tick(cls, clock: float) -> bytes:
        """The entry of a moment at which sensors were found silent, packed."""
        return msgspec.msgpack.encode(cls(False, [], b"", b"", b"", clock))

    @classmethod
    def of(cls, batch: Batch, new_sensors: Sequence[tuple[str, str]], *, interrupted: bool) -> bytes:
        """The entry of a batch, packed; 20 bytes a reading."""
        return msgspec.msgpack.encode(
            cls(
                interrupted,
                list(new_sensors),
                batch.slots.astype("<i4").tobytes(),
                batch.values.astype("<f8").tobytes(),
                batch.times.astype("<f8").tobytes(),
            )
        )

    @classmethod
    def from_bytes(cls, packed: bytes) -> JournalEntry:
        """The entry that `of()` packed.

        Raises:
            msgspec.DecodeError: The bytes are damaged.
        """
        return msgspec.msgpack.decode(packed, type=cls)

    def batch(self) -> Batch:
        """The readings, as they were."""
        slots = np.frombuffer(self.slots, "<i4").astype(np.intp)
        values = np.frombuffer(self.values, "<f8").astype(np.float64)
        times = np.frombuffer(self.times, "<f8").astype(np.float64)
        return Batch(slots, values, times, np.arange(len(slots)))
