"""Several sensors of one device at once: a correlation that breaks although every sensor looks ordinary.

Rows of readings are standardised by what a warm-up showed, averaged over the last `SMOOTHING` rows, and split by the
warm-up's principal components. How far a row lies along the usual components is Hotelling's T2, how far outside of them
is Q. Each is held against a high quantile of the warm-up's own, and the larger one counts.

Catches: broken correlations, and shifts that several sensors share.
Blind to: what the warm-up already contained; sensors that never varied then, which are left out.
Contamination: nothing is learned after the warm-up.
Source: J. E. Jackson and G. S. Mudholkar, "Control procedures for residuals associated with principal component
    analysis", Technometrics 21 (3), 1979, doi:10.1080/00401706.1979.10489779.
Differs: the limits are quantiles of the warm-up's own rows instead of an assumed distribution's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

SMOOTHING = 30
"""Rows in the mean that is judged."""

SETTLED = 5
"""Rows of the warm-up before its smoothed rows count; their means are of too few."""

EXPLAINED = 0.95
"""Share of the variance that the usual components explain."""

QUANTILE = 0.995

THRESHOLD = 2.9
"""Excess at which a row is an outlier."""


@dataclass(frozen=True)
class Correlations:
    """What a warm-up showed of the sensors of one device.

    Attributes:
        used: The channels that varied, shape (used,).
        center: Their means, shape (used,).
        scale: Their standard deviations, shape (used,).
        smooth_center: Means of the smoothed, standardised channels, shape (used,).
        smooth_scale: Standard deviations of those, shape (used,).
        components: The usual principal components, shape (kept, used).
        variances: The variance along each, shape (kept,).
        most_within: T2 that is still usual.
        most_outside: Q that is still usual.
    """

    used: NDArray[np.intp]
    center: Floats
    scale: Floats
    smooth_center: Floats
    smooth_scale: Floats
    components: Floats
    variances: Floats
    most_within: float
    most_outside: float


def learn(rows: Floats) -> Correlations:
    """What a warm-up shows.

    Args:
        rows: Readings, one row a moment and one column a sensor, shape (n, sensors); n is a few times `SMOOTHING`.

    Raises:
        ValueError: There are too few rows, or fewer than two sensors vary.
    """
    if len(rows) < 2 * SMOOTHING:
        raise ValueError(f"a warm-up takes {2 * SMOOTHING} rows at least, not {len(rows)}")
    used, center, scale = varying(rows)
    if len(used) < 2:
        raise ValueError("fewer than two sensors vary in the warm-up")
    smooth = smoothed((rows[:, used] - center) / scale)
    settled = smooth[SETTLED:]
    smooth_center, smooth_scale = settled.mean(axis=0), np.maximum(settled.std(axis=0), 1e-9)
    variances, vectors = np.linalg.eigh(np.cov(((settled - smooth_center) / smooth_scale).T))
    variances, components = variances[::-1], vectors.T[::-1]
    kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), EXPLAINED)) + 1
    found = Correlations(
        used, center, scale, smooth_center, smooth_scale, components[:kept], variances[:kept], 1.0, 1.0
    )
    within, outside = _apart(found, (smooth - smooth_center) / smooth_scale)
    most_within, most_outside = (float(np.quantile(each[SMOOTHING:], QUANTILE)) for each in (within, outside))
    return Correlations(**{**vars(found), "most_within": most_within, "most_outside": max(most_outside, 1e-12)})


def varying(rows: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """The channels that vary in rows of readings, their means and their standard deviations, each of shape (used,)."""
    center, scale = rows.mean(axis=0), rows.std(axis=0)
    used = np.flatnonzero(scale > 1e-9 * np.maximum(np.abs(center), 1e-9))
    return used, center[used], scale[used]


def excess(found: Correlations, rows: Floats) -> Floats:
    """How far rows are beyond what was usual, as the logarithm of a ratio; 0 is the limit of the usual, shape (n,).

    Args:
        found: What the warm-up showed.
        rows: Readings in the order of time, shape (n, sensors). The first `SMOOTHING` are judged by fewer.
    """
    within, outside = _apart(found, _standardised(found, rows))
    ratio = np.maximum(within / found.most_within, outside / found.most_outside)
    return np.log(np.maximum(ratio, 1e-12))


def blame(found: Correlations, rows: Floats) -> NDArray[np.intp]:
    """The sensor with the largest share in the last row's excess, then the others, by their columns."""
    last = _standardised(found, rows)[-1]
    along = np.einsum("j,kj->k", last, found.components)
    usual = np.einsum("k,kj->j", along, found.components)
    within = np.abs(last * np.einsum("k,kj->j", along / found.variances, found.components)) / found.most_within
    outside = (last - usual) ** 2 / found.most_outside
    share = within if within.sum() > outside.sum() else outside
    ordered: NDArray[np.intp] = found.used[np.argsort(-share, kind="stable")]
    return ordered


def smoothed(rows: Floats) -> Floats:
    """Means of each row and the `SMOOTHING` - 1 before it, as far as they are there; shape as `rows`."""
    padded = np.concatenate([np.zeros((SMOOTHING - 1, rows.shape[1])), rows])
    windows = np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING, axis=0)
    count = np.minimum(np.arange(1, len(rows) + 1), SMOOTHING)
    mean: Floats = np.einsum("ijk->ij", windows) / count[:, None]
    return mean


def _standardised(found: Correlations, rows: Floats) -> Floats:
    smooth = smoothed((rows[:, found.used] - found.center) / found.scale)
    return (smooth - found.smooth_center) / found.smooth_scale


def _apart(found: Correlations, rows: Floats) -> tuple[Floats, Floats]:
    """T2 and Q of standardised rows."""
    along = np.einsum("ij,kj->ik", rows, found.components)
    within = np.einsum("ik,ik,k->i", along, along, 1.0 / found.variances)
    rest = rows - np.einsum("ik,kj->ij", along, found.components)
    return within, np.einsum("ij,ij->i", rest, rest)
