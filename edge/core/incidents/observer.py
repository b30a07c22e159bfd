"""Observing: what the engine made of every reading, for reports and score files.

The engine calls an observer after each round, when the readings have been scored and the incidents moved on. Without
one, nothing is put together. An observer is told the same for the same readings, however they are cut into batches,
except for the order among sensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.base import Scores, no_opinion
from detectors.numeric.arrays import Floats, Numbers, Slots
from edge.core.incidents.state_machine import StateMachine
from edge.core.model.readings.rounds import Round
from edge.core.scoring.levels.calibration import HIGHEST
from edge.core.scoring.profiles import Profile

NOBODY = -1


class ScoredRound(NamedTuple):
    """Readings of sensors that share a profile, no sensor twice; all arrays are of shape (n,).

    Attributes:
        profile: How these sensors are watched.
        slots: Rows of the sensor table.
        times: Seconds since the epoch, UTC.
        values: As they were read.
        score: The surprise that goes farthest beyond its detector's level, in decades; NaN where none had an opinion.
        level: That level, in decades.
        expected: What the most surprised detector that expects something did expect; NaN where there was none.
        lower: Lower end of its band, or NaN.
        upper: Upper end of its band, or NaN.
        floor: The highest of all detectors' lower ends, or NaN: below it somebody is surprised.
        ceiling: The lowest of all detectors' upper ends, or NaN.
        leader: Place among the profile's detectors of the most surprised one, or `NOBODY`.
        started: When the incident began that is open after the reading, or NaN.
        learned: What each detector that scores readings says by what it has learned, shape (detectors, n).
        levels: Their raising levels, likewise.
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
    learned: Floats
    levels: Floats


class Observer(Protocol):
    """Somebody who looks on."""

    def scored(self, scored: ScoredRound) -> None:
        """Take note of a round; the arrays are the observer's to keep."""


def scored_round(
    profile: Profile,
    readings: Round,
    verdicts: Sequence[Scores],
    levels: Sequence[Numbers],
    ruled: Numbers | None,
    trackers: Mapping[int, StateMachine],
) -> ScoredRound:
    """Put together what an observer is told.

    Args:
        profile: Of the sensors.
        readings: The round.
        verdicts: One for each detector of the profile.
        levels: The raising level of each detector that scores readings.
        ruled: The largest score of a limit, or None.
        trackers: The state machines, by slot, as they stand after the round.
    """
    slots, times, values = map(np.atleast_1d, (readings.slots, readings.times, readings.values))
    count = len(slots)
    learned = np.array(
        [each.learned for each, detector in zip(verdicts, profile.detectors, strict=True) if detector.scores_readings]
    ).reshape(-1, count)
    held_against = np.array(levels, dtype=np.float64).reshape(-1, count)
    best, level = _farthest(learned, held_against)
    if ruled is not None:
        best = np.fmax(best, ruled)
    verdicts = verdicts or [no_opinion(times)]
    scores = np.array([each.score for each in verdicts]).reshape(-1, count)
    bands = np.array([(each.expected, each.lower, each.upper) for each in verdicts]).reshape(-1, 3, count)
    leader, _ = _most_surprised(scores)
    bands[:, :, is_pace(readings)] = np.nan
    speaks, knows = _most_surprised(np.where(np.isfinite(bands).any(axis=1), scores, np.nan))
    expected, lower, upper = np.where(knows, bands[speaks, :, np.arange(count)].T, np.nan)
    started = np.full(count, np.nan)
    if trackers:
        for index, slot in enumerate(slots.tolist()):
            tracker = trackers.get(slot)
            if tracker is not None and tracker.incident is not None:
                started[index] = tracker.incident.started
    return ScoredRound(
        profile=profile,
        slots=slots,
        times=times,
        values=values,
        score=best,
        level=level,
        expected=expected,
        lower=lower,
        upper=upper,
        floor=np.fmax.reduce(bands[:, 1], axis=0),
        ceiling=np.fmin.reduce(bands[:, 2], axis=0),
        leader=leader,
        started=started,
        learned=learned,
        levels=held_against,
    )


def is_pace(readings: Round) -> NDArray[np.bool_]:
    """Which readings detectors have seen the pace of, or nothing, so that what they expect isn't a value."""
    values, seen = np.atleast_1d(readings.values), np.atleast_1d(readings.seen)
    return seen != values if seen is not values else np.zeros(len(values), dtype=bool)


def _farthest(learned: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Of each reading the score that is farthest beyond its level, or NaN, and that level."""
    count = learned.shape[1]
    if not len(learned):
        return np.full(count, np.nan), np.full(count, HIGHEST)
    leader, knows = _most_surprised(learned / levels)
    places = np.arange(count)
    level = np.where(knows, levels[leader, places], levels.min(axis=0))
    return np.where(knows, learned[leader, places], np.nan), level


def _most_surprised(scores: Floats) -> tuple[Slots, NDArray[np.bool_]]:
    """Which row is the highest of each column, `NOBODY` where all are NaN, and whether there is one."""
    filled = np.where(np.isnan(scores), -1.0, scores)
    leader = filled.argmax(axis=0)
    knows = np.take_along_axis(filled, leader[np.newaxis], axis=0)[0] >= 0
    return np.where(knows, leader, NOBODY), knows
