"""Several sensors of one device at once: the moment at which their level moves.

The mean of the last `RECENT` rows is held against that of the `BEFORE` rows before them, along all sensors together, so
that a movement counts by how unusual it is for all of them. It is surprised when a fault begins, and when it ends.

Catches: shifts of one or several sensors, quick ones most.
Blind to: a level that stays away, once it has done so for `RECENT + BEFORE` rows; drifts slower than that; sensors that
    never varied in the warm-up, which are left out.
Warm-up: thousands of rows, as those that overlap say the same. In 5,000 rows of mere noise, 5 to 53 movements were told
    after a warm-up of 400 rows, 1 to 4 after one of 4,000.
Contamination: nothing is learned after the warm-up, but the rows before a movement may be those of another one.
Source: H. Hotelling, "The generalization of Student's ratio", Annals of Mathematical Statistics 2 (3), 1931,
    doi:10.1214/aoms/1177732979.
Differs: the covariance is that of the warm-up's own movements, shrunk towards its diagonal, and the limit a quantile of
    theirs, as rows that follow each other are not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.multivariate import varying

RECENT = 10
BEFORE = 60
SHRUNK = 0.2
"""Weight of the diagonal in the covariance."""

QUANTILE = 0.99

THRESHOLD = 0.5
"""Excess at which the level has moved."""

REST = 30
"""Rows after a movement in which no other one is told: it is still passing through the means."""


@dataclass(frozen=True)
class Movements:
    """What a warm-up showed of how far the level of a device's sensors moves.

    Attributes:
        used: The channels that varied, shape (used,).
        center: Their means, shape (used,).
        scale: Their standard deviations, shape (used,).
        inverse: Inverse of the shrunk covariance of the movements of the standardised channels, shape (used, used).
        most: The squared distance that is still usual.
    """

    used: NDArray[np.intp]
    center: Floats
    scale: Floats
    inverse: Floats
    most: float


def learn(rows: Floats) -> Movements:
    """What a warm-up shows.

    Args:
        rows: Readings, one row a moment and one column a sensor, shape (n, sensors).

    Raises:
        ValueError: There are fewer than `2 * (RECENT + BEFORE)` rows, or no sensor varies.
    """
    if len(rows) < 2 * (RECENT + BEFORE):
        raise ValueError(f"a warm-up takes {2 * (RECENT + BEFORE)} rows at least, not {len(rows)}")
    used, center, scale = varying(rows)
    if len(used) == 0:
        raise ValueError("no sensor varies in the warm-up")
    unweighted = Movements(used, center, scale, np.eye(len(used)), 1.0)
    covariance = np.atleast_2d(np.cov(_movements(unweighted, rows).T))
    shrunk = (1.0 - SHRUNK) * covariance + SHRUNK * np.diag(np.diag(covariance))
    inverse: Floats = np.linalg.inv(shrunk).astype(np.float64)
    found = Movements(used, center, scale, inverse, 1.0)
    most = float(np.quantile(_distance(found, rows)[RECENT + BEFORE :], QUANTILE))
    return Movements(used, center, scale, inverse, max(most, 1e-12))


def excess(found: Movements, rows: Floats) -> Floats:
    """How far the level has moved beyond what was usual, as the logarithm of a ratio; 0 is the limit, shape (n,).

    Args:
        found: What the warm-up showed.
        rows: Readings in the order of time, shape (n, sensors). The first `RECENT + BEFORE` have nothing to be held
            against, and are as far below the limit as can be.
    """
    return np.log(np.maximum(_distance(found, rows) / found.most, 1e-12))


def moments(surprise: Floats, threshold: float = THRESHOLD) -> NDArray[np.bool_]:
    """Rows at which a movement is told, no two within `REST` rows, shape (n,)."""
    told = np.zeros(len(surprise), dtype=bool)
    again = 0
    for row in np.flatnonzero(surprise >= threshold).tolist():
        if row >= again:
            told[row] = True
            again = row + REST
    return told


def _distance(found: Movements, rows: Floats) -> Floats:
    """Squared distances of movements from none, shape (n,); 0 for the first rows."""
    distance = np.zeros(len(rows))
    if len(rows) > RECENT + BEFORE:
        moved = _movements(found, rows)
        distance[RECENT + BEFORE :] = np.einsum("ij,jk,ik->i", moved, found.inverse, moved)
    return distance


def _movements(found: Movements, rows: Floats) -> Floats:
    """By how much the recent mean differs from the one before, shape (n - RECENT - BEFORE, used)."""
    standard = (rows[:, found.used] - found.center) / found.scale
    sums = np.concatenate([np.zeros((1, len(found.used))), np.cumsum(standard, axis=0)])
    last = np.arange(RECENT + BEFORE, len(rows)) + 1
    recent = (sums[last] - sums[last - RECENT]) / RECENT
    before = (sums[last - RECENT] - sums[last - RECENT - BEFORE]) / BEFORE
    moved: Floats = recent - before
    return moved
