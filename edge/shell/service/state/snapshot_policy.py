"""The snapshot policy: balances the duration of a recovery against that of writing a snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.numeric.arrays import Slots
from edge.core.engine import WIDE
from edge.core.persistence.journal import Part, Readings

RECOVERY_S = 2.0
"""A snapshot is due when replaying the journal since the last one would take this long, in seconds."""

WRITING_SHARE = 0.75
"""Maximum ratio of the CPU time of writing a snapshot to that of a recovery without it."""

OVERDUE = 4.0
"""A snapshot that is overdue by this factor is written at once, however long that takes."""

ENTRY_S, ROUND_S, SINGLE_S, READING_S = 100e-6, 500e-6, 80e-6, 4e-6
"""Duration of replaying a journal entry; a round of readings scored as arrays; a reading scored on its own; and a
reading within a round. Measured on an x86-64 core; only their ratios matter."""


class SnapshotPolicy:
    """Estimates the duration of a recovery.

    Attributes:
        cost_s: Estimated duration of a recovery, in seconds.
        due_s: Cost at which a snapshot is due.
    """

    def __init__(self) -> None:
        self.cost_s = 0.0
        self._begun_s = 0.0
        self.due_s = RECOVERY_S

    @property
    def is_due(self) -> bool:
        """Whether a snapshot should be begun."""
        return self.cost_s >= self.due_s

    @property
    def is_overdue(self) -> bool:
        """Whether it should be written at once."""
        return self.cost_s >= OVERDUE * self.due_s

    def committed(self, parts: Sequence[Part]) -> None:
        """Record a journal entry."""
        self.cost_s += cost_s(parts)

    def begun(self) -> None:
        """Record the beginning of a snapshot: a recovery will replay everything from here on."""
        self._begun_s = self.cost_s

    def completed(self, seconds: float) -> None:
        """Record the completion of the snapshot, with the seconds of CPU that it took."""
        self.cost_s -= self._begun_s
        self.due_s = max(RECOVERY_S, seconds / WRITING_SHARE)

    def hurry(self) -> None:
        """Make a snapshot due at once."""
        self.cost_s = max(self.cost_s, self.due_s)


def cost_s(parts: Sequence[Part]) -> float:
    """Estimated duration of replaying one journal entry, in seconds."""
    slots = [each.batch.slots for each in parts if isinstance(each, Readings) and len(each)]
    if slots:
        return ENTRY_S + _cost_of(np.concatenate(slots) if len(slots) > 1 else slots[0])
    return ENTRY_S if parts else 0.0


def _cost_of(slots: Slots) -> float:
    """Estimated duration of scoring readings of these sensors, shape (n,), in seconds.

    A round holds one reading of each sensor that has one left, so the number of wide rounds is the number of readings
    of the sensor with the `WIDE`-th most.
    """
    if len(slots) < WIDE:
        return SINGLE_S * len(slots)
    counts = np.sort(np.unique(slots, return_counts=True)[1])
    rounds = int(counts[-WIDE]) if len(counts) >= WIDE else 0
    singles = int(np.maximum(counts - rounds, 0).sum())
    return ROUND_S * rounds + SINGLE_S * singles + READING_S * (len(slots) - singles)
