"""Learning progress: the state of a sensor's raising level, in the words shown to users."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.profiles import Profile

FEW = 30
"""A sensor with fewer readings is new: no detector has scored it yet."""


def lowest_levels(levels: AlarmLevels, rows: int) -> Floats:
    """The lowest raising level of each sensor's detectors, in decades; 0 while none is learned. Shape (rows,).

    Args:
        levels: The levels of all sensors.
        rows: Number of sensors.
    """
    lowest = np.full(rows, np.inf)
    for each in levels.by_detector.values():
        known = each.level[:rows]
        lowest[: len(known)] = np.minimum(lowest[: len(known)], np.where(known > 0, known, np.inf))
    return np.where(np.isfinite(lowest), lowest, 0.0)


def level_of(profile: Profile, level: float, assumed: float, interval: float) -> tuple[float, str]:
    """A sensor's raising level in decades and its origin: `fixed`, `learned` or `assumed`.

    Args:
        profile: The sensor's profile.
        level: The learned level; 0 while there is none.
        assumed: The interval assumed when it was computed.
        interval: Seconds between two readings; 0 if unknown.
    """
    at_first = float(profile.level_at(np.array([interval]))[0])
    if profile.incidents.threshold is not None:
        return at_first, "fixed"
    return (at_first, "assumed") if level in {0.0, assumed} else (level, "learned")


def learned_word(count: int, how: str) -> str:
    """The progress of learning: `new`, `learning`, `learned` or `fixed`.

    Args:
        count: Number of readings so far.
        how: The origin of the raising level.
    """
    return "new" if count < FEW else {"assumed": "learning"}.get(how, how)
