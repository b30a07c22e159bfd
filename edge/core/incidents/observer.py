"""Observers: receive the engine's results for every reading, for reports and score files.

The engine calls an observer after each round, once the readings are scored and the incidents updated. Without an
observer nothing is assembled. The same readings give the same calls for any division into batches, except for the order
among sensors.
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
    """Readings of distinct sensors that share a profile; all arrays have shape (n,).

    Attributes:
        profile: Profile of the sensors.
        slots: Rows in the sensor table.
        times: Seconds since the epoch, UTC.
        values: Values as read.
        score: Score furthest beyond its detector's level, in decades; NaN if no detector scored the reading.
        level: That level, in decades.
        expected: Value expected by the detector with the highest score that expects one; NaN if there is none.
        lower: Lower end of its band, or NaN.
        upper: Upper end of its band, or NaN.
        floor: Highest lower end of all detectors, or NaN: below it at least one is surprised.
        ceiling: Lowest upper end of all detectors, or NaN.
        leader: Index of the detector with the highest score in the profile, or `NOBODY`.
        started: Start of the incident that is open after the reading, or NaN.
        learned: Scores of each scoring detector by learned behaviour, shape (detectors, n).
        levels: Their raising levels, shape (detectors, n).
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
    """The observer interface."""

    def scored(self, scored: ScoredRound) -> None:
        """Receive a round; the observer may keep the arrays."""


def scored_round(
    profile: Profile,
    readings: Round,
    verdicts: Sequence[Scores],
    levels: Sequence[Numbers],
    ruled: Numbers | None,
    trackers: Mapping[int, StateMachine],
) -> ScoredRound:
    """Assemble the argument of `Observer.scored()`.

    Args:
        profile: Profile of the sensors.
        readings: The round.
        verdicts: Scores by each detector of the profile.
        levels: Raising levels of each scoring detector.
        ruled: Highest score of a limit, or None.
        trackers: State machines by slot, after the round.
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
    """Whether detectors received a pace or no input, so that their expectation isn't a value."""
    values, seen = np.atleast_1d(readings.values), np.atleast_1d(readings.seen)
    return seen != values if seen is not values else np.zeros(len(values), dtype=bool)


def _farthest(learned: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """For each reading the score furthest beyond its level, or NaN, and that level."""
    count = learned.shape[1]
    if not len(learned):
        return np.full(count, np.nan), np.full(count, HIGHEST)
    leader, knows = _most_surprised(learned / levels)
    places = np.arange(count)
    level = np.where(knows, levels[leader, places], levels.min(axis=0))
    return np.where(knows, learned[leader, places], np.nan), level


def _most_surprised(scores: Floats) -> tuple[Slots, NDArray[np.bool_]]:
    """The row with the highest score in each column, `NOBODY` if all are NaN, and whether there is one."""
    filled = np.where(np.isnan(scores), -1.0, scores)
    leader = filled.argmax(axis=0)
    knows = np.take_along_axis(filled, leader[np.newaxis], axis=0)[0] >= 0
    return np.where(knows, leader, NOBODY), knows
