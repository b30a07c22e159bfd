"""The rules of the Numenta Anomaly Benchmark, version 1.1.

The first 15 % of a file, at most 750 rows, are for learning and never scored. In a window around an anomaly the
earliest detection counts, with a higher value the earlier it is; a window without one costs a miss. A detection outside
of windows costs a false alarm, less if it closely follows a window. One threshold applies to all files. 0 is the score
of no detections, 100 that of every window found at its first row and nothing else.

Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark", 2015,
arXiv:1510.03336; S. Ahmad, A. Lavin, S. Purdy and Z. Agha, Neurocomputing 262, 2017, doi:10.1016/j.neucom.2017.04.070.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PROBATION_SHARE = 0.15
PROBATION_MOST = 5000
STEEPNESS = 5.0
FORGIVEN = 3.0
"""Window lengths after a window beyond which a false detection has its full cost."""


class ScoringProfile(NamedTuple):
    """The weights of an application.

    Attributes:
        name: NAB's name.
        false_alarm: Cost of a detection outside of any window.
        miss: Cost of a window without a detection.
    """

    name: str
    false_alarm: float
    miss: float


PROFILES = (
    ScoringProfile("standard", 0.11, 1.0),
    ScoringProfile("reward_low_FP_rate", 0.22, 1.0),
    ScoringProfile("reward_low_FN_rate", 0.11, 2.0),
)


@dataclass(frozen=True)
class Truth:
    """The value of a detection at each row of a file.

    Attributes:
        worth: -1 to 1, shape (rows,).
        window: Index of the window that a row lies in, or -1, shape (rows,).
        windows: Number of windows in the file.
        probation: Number of rows at the beginning that are never scored.
    """

    worth: Floats
    window: NDArray[np.intp]
    windows: int
    probation: int


class Result(NamedTuple):
    """The score at one threshold.

    Attributes:
        score: Normalised score, at best 100.
        threshold: Rows with at least this score are detections.
        hits: Number of windows with a detection.
        windows: Total number of windows.
        false_rows: Number of detections outside of windows.
    """

    score: float
    threshold: float
    hits: int
    windows: int
    false_rows: int


def truth(rows: int, windows: Sequence[tuple[int, int]]) -> Truth:
    """Compute the value of detections.

    Args:
        rows: Number of rows of the file.
        windows: First and last row of each window, in order and without overlap.
    """
    worth, window = np.full(rows, -1.0), np.full(rows, -1, dtype=np.intp)
    for number, (first, last) in enumerate(windows):
        within = np.arange(first, last + 1)
        worth[within] = _sigmoid((within - last - 1) / (last - first + 1)) / _sigmoid(-1.0)
        window[within] = number
        until = windows[number + 1][0] if number + 1 < len(windows) else rows
        behind = np.arange(last + 1, until)
        distance = (behind - last) / max(last - first, 1)
        worth[behind] = np.where(distance > FORGIVEN, -1.0, _sigmoid(np.minimum(distance, FORGIVEN)))
    probation = math.ceil(min(math.floor(PROBATION_SHARE * rows), PROBATION_SHARE * PROBATION_MOST))
    return Truth(worth, window, len(windows), probation)


def _sigmoid(position: Floats | float) -> Floats:
    value: Floats = 2.0 / (1.0 + np.exp(STEEPNESS * np.asarray(position))) - 1.0
    return value


def at_threshold(files: Sequence[tuple[Truth, Floats]], threshold: float, profile: ScoringProfile) -> Result:
    """Score detectors' outputs at one threshold.

    Args:
        files: Truth and detector's scores of each file.
        threshold: Rows with at least this score are detections.
        profile: The weights.
    """
    total, hits, false_rows, windows = 0.0, 0, 0, 0
    for known, scores in files:
        detected = scores >= threshold
        detected[: known.probation] = False
        outside = detected & (known.window < 0)
        false_rows += int(outside.sum())
        total += profile.false_alarm * float(known.worth[outside].sum())
        windows += known.windows
        for number in range(known.windows):
            inside = known.window == number
            if not inside[known.probation :].any():
                continue
            found = known.worth[detected & inside]
            hits += len(found) > 0
            total += float(found.max()) if len(found) else -profile.miss
    return Result(_normalised(total, windows, profile), threshold, hits, windows, false_rows)


def best_threshold(files: Sequence[tuple[Truth, Floats]], profile: ScoringProfile) -> Result:
    """Score at the best threshold for this profile, as NAB does."""
    scores, gains = [np.array([np.inf])], [np.zeros(1)]
    base = 0.0
    for known, given in files:
        gain = np.where(known.window < 0, profile.false_alarm * known.worth, 0.0)
        for number in range(known.windows):
            rows = np.flatnonzero((known.window == number) & (np.arange(len(given)) >= known.probation))
            if len(rows) == 0:
                continue
            base -= profile.miss
            ordered = rows[np.argsort(-given[rows], kind="stable")]
            best = np.maximum.accumulate(known.worth[ordered])
            gain[ordered] = np.diff(best, prepend=-profile.miss)
        scores.append(given[known.probation :])
        gains.append(gain[known.probation :])
    pooled, gained = np.concatenate(scores), np.concatenate(gains)
    order = np.argsort(-pooled, kind="stable")
    pooled, totals = pooled[order], base + np.cumsum(gained[order])
    ends = np.flatnonzero(np.append(pooled[1:] != pooled[:-1], True))  # equal scores are treated together
    return at_threshold(files, float(pooled[ends[np.argmax(totals[ends])]]), profile)


def _normalised(total: float, windows: int, profile: ScoringProfile) -> float:
    nothing = -profile.miss * windows
    return 100.0 * (total - nothing) / (windows - nothing) if windows else 0.0
