"""Correlation: sensors of one device that no longer move together, although each looks ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Field, State
from detectors.multivariate import excursion
from detectors.multivariate.base import VectorDetector, center_and_scale, varies
from detectors.numeric.arrays import Floats, Rows, Slots

EXPLAINED = 0.95
"""Share of the variance explained by the usual components."""

LEAST_NOISE = 1e-3
"""Minimum share of a channel's variance attributed to its own noise when another one's value is inferred from it."""


@dataclass(frozen=True)
class Correlation(VectorDetector):
    """Finds sensors of a device that no longer move together.

    The mean of the last rows is split by the usual principal components. Its distance along them is Hotelling's T2, its
    distance from them is Q; each is compared with its own 99.5th percentile, and the larger ratio counts.
    A channel without a value is assumed to be where the others predict it. Once the cause of an incident has gone,
    drift that occurred meanwhile no longer counts; see `excursion`.

    Catches: broken correlations, and shifts that several sensors share.
    Blind to: what the sample already contains; a lone reading; sensors that never vary and counters, both left out.
    Contamination: in proportion to the share of faulty rows without an incident.
    Warm-up: 2,000 rows, as `warm_up` says.
    State: 31 kB per device of up to 16 sensors.
    Cost: about 80 array operations per round.
    Source: J. E. Jackson and G. S. Mudholkar, "Control procedures for residuals associated with principal component
        analysis", Technometrics 21 (3), 1979, doi:10.1080/00401706.1979.10489779; P. R. C. Nelson, P. A. Taylor and J.
        F. MacGregor, "Missing data methods in PCA and PLS", Chemometrics and Intelligent Laboratory Systems 35 (1),
        1996, doi:10.1016/S0169-7439(96)00007-X, for channels without a value.
    Differs: the limits are quantiles of the sample, by models of other periods, instead of an assumed distribution.
    """

    name: ClassVar[str] = "correlation"
    kind: ClassVar[str] = "correlation"
    catches: ClassVar[frozenset[str]] = frozenset({"broken_correlation"})
    rows: ClassVar[int] = 30
    settled: ClassVar[int] = 5
    unsteady: ClassVar[int] = 25
    usual: ClassVar[float] = 0.995

    @property
    def kinds(self) -> int:
        """T2 and Q."""
        return 2

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {**super().layout(), **excursion.fields(self.channels)}

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        excursion.hold(state, slots)

    def follow(self, state: State, slots: Slots, model: State, features: Floats) -> Floats:
        """Features without the drift during incidents that have ended."""
        most = state["most"][slots]

        def product(one: Floats, other: Floats) -> Floats:
            return self._product(model, most, one, other)

        return excursion.follow(state, slots, features, product)

    def drifted(self, state: State, slots: Slots) -> Floats:
        """See `VectorDetector`."""
        drift: Floats = state["drift"][slots]
        return drift

    def model(self) -> dict[str, Field]:
        """See `VectorDetector`."""
        return {
            "center": Field(width=self.channels),
            "inverse_scale": Field(width=self.channels),
            "components": Field(width=self.channels * self.channels),
            "precision": Field(width=self.channels),
            "noise": Field(1.0),
        }

    def feature(self, rows: Floats) -> Floats:
        """Means over the rows of the channels that have a value in the last row."""
        known = np.isfinite(rows)
        mean = np.where(known, rows, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        features: Floats = np.where(known[:, -1], mean, np.nan)
        return features

    def fit(self, sample: Floats) -> dict[str, Floats]:
        """Principal components of the standardised sample; 0 for channels that don't vary."""
        center, scale = center_and_scale(sample)
        used = varies(center, scale)
        center = np.where(used, center, 0.0)
        inverse_scale = np.where(used, 1.0 / np.where(used, scale, 1.0), 0.0)
        standard = np.nan_to_num((sample - center) * inverse_scale)
        covariance = np.einsum("ni,nj->ij", standard, standard) / len(sample)
        variances, vectors = np.linalg.eigh(covariance)
        variances, components = variances[::-1], vectors.T[::-1]
        explained = np.cumsum(variances)
        kept = int(np.searchsorted(explained, EXPLAINED * explained[-1])) + 1 if explained[-1] > 0 else 0
        is_kept = (np.arange(self.channels) < kept) & (variances > 0)
        rest = max(int(used.sum()) - kept, 1)
        return {
            "center": center,
            "inverse_scale": inverse_scale,
            "components": np.where(is_kept[:, None], components, 0.0).ravel(),
            "precision": np.where(is_kept, 1.0 / np.where(is_kept, variances, 1.0), 0.0),
            "noise": np.array(max(float(variances[kept:].clip(0).sum()) / rest, LEAST_NOISE)),
        }

    def distances(self, model: State, features: Floats) -> Floats:
        """T2 and Q."""
        standard, along, usual = self._split(model, features)
        within = np.einsum("nk,nk,nk->n", along, along, model["precision"])
        rest = standard - usual
        return np.stack([within, np.einsum("ni,ni->n", rest, rest)], axis=1)

    def parts(self, model: State, features: Floats) -> Floats:
        """Contribution of each channel to T2 and to Q."""
        standard, along, usual = self._split(model, features)
        toward = np.einsum("nk,nki->ni", along * model["precision"], self._components(model))
        return np.stack([np.abs(standard * toward), (standard - usual) ** 2], axis=1)

    def _product(self, model: State, most: Floats, one: Floats, other: Floats) -> Floats:
        """The inner product by which differences of features are as long as they are unusual, shape (n,)."""
        components = self._components(model)
        first, second = one * model["inverse_scale"], other * model["inverse_scale"]
        along, other_along = (np.einsum("ni,nki->nk", each, components) for each in (first, second))
        within = np.einsum("nk,nk,nk->n", along, other_along, model["precision"])
        rest = first - np.einsum("nk,nki->ni", along, components)
        outside = np.einsum("ni,ni->n", rest, second)
        product: Floats = within / most[:, 0] + outside / most[:, 1]
        return product

    def _components(self, model: State) -> Floats:
        components: Floats = model["components"].reshape(-1, self.channels, self.channels)
        return components

    def _split(self, model: State, features: Floats) -> tuple[Floats, Floats, Floats]:
        """Standardised features, their scores on each component, and their reconstruction from the components."""
        components = self._components(model)
        standard = (features - model["center"]) * model["inverse_scale"]
        missing = np.isnan(standard) & (model["inverse_scale"] != 0)
        for index in np.flatnonzero(missing.any(axis=1)).tolist():
            noise = float(model["noise"][index])
            standard[index] = _inferred(standard[index], components[index], model["precision"][index], noise)
        standard = np.nan_to_num(standard)
        along = np.einsum("ni,nki->nk", standard, components)
        return standard, along, np.einsum("nk,nki->ni", along, components)


def _inferred(standard: Floats, components: Floats, precision: Floats, noise: float) -> Floats:
    """A row with its missing values filled in, by the most likely scores given the present values."""
    kept = np.flatnonzero(precision > 0)
    known = np.isfinite(standard)
    seen = components[np.ix_(kept, np.flatnonzero(known))]
    system = np.einsum("ki,li->kl", seen, seen) + noise * np.diag(precision[kept])
    scores = np.linalg.solve(system, np.einsum("ki,i->k", seen, standard[known]))
    filled: Floats = np.where(known, standard, np.einsum("k,ki->i", scores, components[kept]))
    return filled
