"""Jumps of counters: readings that rise by far more than anything counted so far, so that their pace is meaningless.

A counter jumps when its meter is exchanged, its unit changes or its memory is damaged. Dividing the jump by the time
that it took gives a pace that nothing ever had; learned, it would hide every real one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import maximum, minimum

AMOUNT = 10.0
"""A jump is at least this many times as large as the whole rise of the counter so far, or as an average `MEMORY_S`;"""

HASTE = 100.0
"""at this many times its average pace, unlike the rise during a long gap;"""

STEP = 10.0
"""and this many times as large as its previous rise: a second one of the same size is a pace."""

MEMORY_S = 30 * 86_400.0

POWERS = 9
"""Largest power of ten by which a unit changes, as from GWh to Wh."""

EXACT = 1e-3
"""Largest relative error of a change of unit, as the counter continues to count."""

SIZES = (
    *(10.0**digits for digits in range(1, 13)),
    *(2.0**bits / 10.0**decimals for bits in (16, 24, 31, 32) for decimals in range(4)),
)
"""Where counters overflow: after as many digits as the display has, or bits as the register, perhaps in decimals."""

LANDED = 0.1
"""Largest rise at an overflow, as a share of the size."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump of a counter.

    Attributes:
        before: The previous reading.
        lasted: Seconds since then.
        pace: The jump divided by that time, in the unit of the counter's paces: scored, but never reported.
    """

    before: float
    lasted: float
    pace: float


def is_beyond(moved: Numbers, passed: Numbers, risen: Numbers, surveyed: Numbers, step: Numbers) -> Numbers:
    """Whether rises are jumps, shape (n,), or a single one.

    Args:
        moved: The rises, shape (n,).
        passed: Seconds since the previous readings, shape (n,).
        risen: Sums of all rises so far, shape (n,).
        surveyed: Seconds during which they occurred, shape (n,).
        step: Previous rises, shape (n,).
    """
    lasted = maximum(surveyed, 1.0)
    is_much = (risen > 0) & (moved > AMOUNT * risen * minimum(MEMORY_S / lasted, 1.0)) & (moved > STEP * step)
    return is_much & (moved * lasted >= HASTE * risen * passed)


def unit_factor(before: float, after: float) -> float:
    """The power of ten by which a reading was multiplied between two readings, such as 1000 or 0.001; else NaN."""
    if not (before > 0 and after > 0):
        return math.nan
    power = round(math.log10(after / before))
    is_exact = abs(after / before / 10.0**power - 1.0) <= EXACT
    return 10.0**power if is_exact and 0 < abs(power) <= POWERS else math.nan


def overflow(before: float, after: float, most: float) -> float:
    """The size of a counter that has overflowed between two readings, while it rose by at most `most`; else 0.

    >>> overflow(99.982, 0.01, most=0.2)
    100.0
    """
    falls = 0 <= after < before
    sizes = (each for each in SIZES if falls and before <= each and each - before + after <= min(most, LANDED * each))
    return next(sizes, 0.0)
