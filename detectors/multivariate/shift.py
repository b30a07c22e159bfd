"""Shift: the levels of several sensors of one device move at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Field, State
from detectors.multivariate.base import VectorDetector, center_and_scale, varies
from detectors.numeric.arrays import Floats

RECENT = 10
BEFORE = 60
SHRUNK = 0.2
"""Weight of the diagonal in the covariance."""


@dataclass(frozen=True)
class Shift(VectorDetector):
    """Finds moments at which the levels of a device's sensors move.

    The mean of the last 10 rows is compared with that of the 60 rows before them, for all sensors together, so a
    movement counts by how unusual it is for the whole device. The detector is surprised when a fault begins, and again
    when it ends.

    Catches: shifts of one or several sensors, fast ones best.
    Blind to: a level that has stayed away for 70 rows; drifts slower than that; sensors that never vary, and counters,
        both left out.
    Contamination: in proportion to the share of faulty rows without an incident.
    Warm-up: 2,000 rows, as `warm_up` says.
    State: 33 kB per device of up to 16 sensors.
    Cost: about 50 array operations per round.
    Source: H. Hotelling, "The generalization of Student's ratio", Annals of Mathematical Statistics 2 (3), 1931,
        doi:10.1214/aoms/1177732979.
    Differs: the covariance is that of the movements themselves, shrunk towards its diagonal, and the limit is their
        quantile, because consecutive rows aren't independent.
    """

    name: ClassVar[str] = "shift"
    kind: ClassVar[str] = "level_shift"
    catches: ClassVar[frozenset[str]] = frozenset()
    rows: ClassVar[int] = RECENT + BEFORE
    settled: ClassVar[int] = RECENT + BEFORE
    usual: ClassVar[float] = 0.99

    @property
    def kinds(self) -> int:
        """One: that of the movement."""
        return 1

    def model(self) -> dict[str, Field]:
        """See `VectorDetector`."""
        return {"inverse": Field(width=self.channels * self.channels)}

    def feature(self, rows: Floats) -> Floats:
        """Difference between the recent mean and the one before it, where half of the rows of both have a value."""
        known = np.isfinite(rows)
        values = np.where(known, rows, 0.0)
        before, recent = known[:, :BEFORE].sum(axis=1), known[:, BEFORE:].sum(axis=1)
        moved = values[:, BEFORE:].sum(axis=1) / np.maximum(recent, 1) - values[:, :BEFORE].sum(axis=1) / np.maximum(
            before, 1
        )
        features: Floats = np.where((recent >= RECENT / 2) & (before >= BEFORE / 2) & known[:, -1], moved, np.nan)
        return features

    def fit(self, sample: Floats) -> dict[str, Floats]:
        """Inverse of the shrunk covariance of the movements that vary; 0 for the others."""
        center, scale = center_and_scale(sample)
        used = np.flatnonzero(varies(center, scale))
        inverse = np.zeros((self.channels, self.channels))
        if len(used):
            standard = np.nan_to_num((sample[:, used] - center[used]) / scale[used])
            covariance = np.einsum("ni,nj->ij", standard, standard) / len(sample)
            shrunk = (1.0 - SHRUNK) * covariance + SHRUNK * np.diag(np.diag(covariance))
            scaled = np.linalg.inv(shrunk) / np.outer(scale[used], scale[used])
            inverse[np.ix_(used, used)] = scaled
        return {"inverse": inverse.ravel()}

    def distances(self, model: State, features: Floats) -> Floats:
        """The squared distance from no movement; a channel without a feature counts as not moved."""
        distances: Floats = self._products(model, features).sum(axis=1, keepdims=True)
        return distances

    def parts(self, model: State, features: Floats) -> Floats:
        """Contribution of each channel to the squared distance."""
        parts: Floats = np.maximum(self._products(model, features), 0.0)[:, None]
        return parts

    def _products(self, model: State, features: Floats) -> Floats:
        moved = np.nan_to_num(features)
        inverse = model["inverse"].reshape(-1, self.channels, self.channels)
        products: Floats = moved * np.einsum("nij,nj->ni", inverse, moved)
        return products
