"""Tracing: what the engine thought of every reading, for whoever draws it or writes it down.

The engine calls an observer after each round, when the readings have been scored and the incidents moved on. Without
one, nothing is put together. An observer is told the same for the same readings, however they are cut into batches,
except for the order among sensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from detectors.base import Floats, Scores, Slots
from edge.core.groups import Profile
from edge.core.incidents import Tracker

NOBODY = -1


class ScoredRound(NamedTuple):
    """Readings of sensors that share a profile, no sensor twice; all arrays are of shape (n,).

    Attributes:
        profile: How these sensors are watched.
        slots: Rows of the sensor table.
        times: Seconds since the epoch, UTC.
        values: As they were read.
        score: The largest surprise of any detector, in decades; NaN where none had an opinion.
        level: The raising level, in decades.
        expected: What the most surprised detector that expects something did expect; NaN where there was none.
        lower: Lower end of its band, or NaN.
        upper: Upper end of its band, or NaN.
        floor: The highest of all detectors' lower ends, or NaN: below it somebody is surprised.
        ceiling: The lowest of all detectors' upper ends, or NaN.
        leader: Place among the profile's detectors of the most surprised one, or `NOBODY`.
        started: When the incident began that is open after the reading, or NaN.
    """

    profile: Profile
    slots: Slots
    times: Floats
    values: Floats
    score: Floats
    level: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    floor: Floats
    ceiling: Floats
    leader: Slots
    started: Floats


class Observer(Protocol):
    """Somebody who looks on."""

    def scored(self, scored: ScoredRound) -> None:
        """Take note of a round; the arrays are the observer's to keep."""


def scored_round(
    profile: Profile,
    readings: tuple[Slots, Floats, Floats],
    verdicts: Sequence[Scores],
    best: Floats,
    level: Floats,
    trackers: Mapping[int, Tracker],
) -> ScoredRound:
    """Put together what an observer is told.

    Args:
        profile: Of the sensors.
        readings: Their slots, times and values.
        verdicts: One for each detector of the profile.
        best: The largest score of any detector.
        level: The raising level.
        trackers: The state machines, by slot, as they stand after the round.
    """
    slots, times, values = readings
    count = len(slots)
    expected, lower, upper, floor, ceiling = np.full((5, count), np.nan)
    leader = np.full(count, NOBODY, dtype=np.intp)
    highest, highest_with_band = np.full(count, -np.inf), np.full(count, -np.inf)
    for place, verdict in enumerate(verdicts):
        leads = verdict.score > highest
        leader[leads] = place
        highest[leads] = verdict.score[leads]
        has_band = np.isfinite(verdict.expected) | np.isfinite(verdict.lower) | np.isfinite(verdict.upper)
        leads = has_band & (verdict.score > highest_with_band)
        highest_with_band[leads] = verdict.score[leads]
        for mine, theirs in ((expected, verdict.expected), (lower, verdict.lower), (upper, verdict.upper)):
            mine[leads] = theirs[leads]
        floor, ceiling = np.fmax(floor, verdict.lower), np.fmin(ceiling, verdict.upper)
    started = np.full(count, np.nan)
    if trackers:
        for index, slot in enumerate(slots.tolist()):
            tracker = trackers.get(slot)
            if tracker is not None and tracker.incident is not None:
                started[index] = tracker.incident.started
    band = (expected, lower, upper, floor, ceiling)
    return ScoredRound(profile, slots, times, values, best, level, *band, leader, started)
