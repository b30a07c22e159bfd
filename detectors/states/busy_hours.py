"""Busy hours: how much of something happens within an hour.

What is counted fades with the time constant of an hour: changes of state, starts after a rest, or time spent outside
of the usual states. The busiest hour is a record, and exceeding it is scored as a spell beyond the longest one is. A
burst is compared with the record before it, keeps the surprise of its peak until it is over, and is then learned; one
that was surprising extends the record only up to another one as busy: what occurs twice is a habit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.spells import FADING, USUAL, beyond_record

BUSY_S = 3600.0
"""Time constant with which events are forgotten, in seconds."""

MOST_PASSED_S = 100.0 * BUSY_S

SPREAD = 1.0 / 3.0
"""Spread of the logarithms of the busiest hours."""


@dataclass(frozen=True)
class Busyness:
    """What is counted, and the names of its state fields.

    Attributes:
        amount: Its amount in the last hour.
        counted: Time up to which that holds.
        busiest: Largest amount in an hour so far.
        rival: Largest amount of any burst, also of one that was surprising.
        crest: Peak of the burst that goes on, or 0.
        fewest: Minimum amount in an hour to count as busy.
    """

    amount: str
    counted: str
    busiest: str
    rival: str
    crest: str
    fewest: float

    def layout(self, *, later: bool) -> dict[str, Field]:
        """The state fields: 40 bytes per sensor.

        Args:
            later: Whether states saved by earlier versions lack them.
        """
        return {
            name: Field(learned=False, later=later, moment=name == self.counted)
            for name in (self.amount, self.counted, self.busiest, self.rival, self.crest)
        }


CHANGES = Busyness("busy", "counted", "busiest", "rival_busy", "crest", 4.0)
"""Changes of state."""

STARTS = Busyness("starts", "starts_until", "starts_most", "starts_rival", "starts_crest", 2.0)
"""Starts after a rest."""

ASIDE = Busyness("aside", "aside_until", "aside_most", "aside_rival", "aside_crest", 120.0)
"""Seconds spent outside of the states in which a machine usually is."""


def count_busy(
    of: Busyness,
    arrays: Arrays,
    slots: Slots,
    amount: Floats,
    times: Floats,
    hours: Floats,
    known: NDArray[np.bool_],
    fewest: Floats | float = 0.0,
) -> Floats:
    """Count what happens; returns the surprise of its amount in the last hour in decades, shape (n,).

    Args:
        of: What is counted.
        arrays: The detector's state.
        slots: Rows, shape (n,).
        amount: How much of it has happened since the last reading, shape (n,).
        times: Times of the readings, shape (n,).
        hours: Number of hours from which the record is known, shape (n,).
        known: Which sensors can be scored.
        fewest: Minimum amount in an hour to count as busy, if that is more than usual.
    """
    passed = np.clip(times - arrays[of.counted][slots], 0.0, MOST_PASSED_S)
    busy = arrays[of.amount][slots] * np.exp(-passed / BUSY_S) + amount
    arrays[of.amount][slots], arrays[of.counted][slots] = busy, times
    busiest, rival, crest = (arrays[name][slots] for name in (of.busiest, of.rival, of.crest))
    most = np.maximum(busiest, np.maximum(fewest, of.fewest))
    bursts = known & (busy > most)
    over = ~bursts & (crest > 0)
    crest = np.maximum(crest, busy)
    score = np.where(bursts, beyond_record(hours, crest / most, SPREAD), 0.0)
    usual = beyond_record(hours, crest / most, SPREAD) <= USUAL
    believed = np.where(bursts, 0.0, np.where(over, np.where(usual, crest, np.minimum(crest, rival)), busy))
    fades = FADING * (amount > 0)
    arrays[of.busiest][slots] = np.maximum(busiest * (1.0 - fades * ~bursts), believed)
    arrays[of.rival][slots] = np.maximum(rival * (1.0 - fades), np.where(over, crest, 0.0))
    arrays[of.crest][slots] = np.where(bursts, crest, 0.0)
    return score
