"""Common base of detectors whose readings are vectors: the combined sensors of one device.

A vector detector treats a device as other detectors treat a sensor, except that a reading is a row of values, one per
channel, with NaN where a channel has none. It computes a feature, also a vector, from the last rows; keeps a sample of
past features; and from time to time fits a model of their ordinary distribution to it. The model gives the ratio of a
feature's distance from the ordinary to the largest usual distance. The ratio is converted to decades by assuming a
power law for the tail: devices have modes that they haven't shown yet, and so no exponential tail.

Source: J. S. Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11 (1), 1985,
    doi:10.1145/3147.3165, for the sample; C. Bergmeir and J. M. Benitez, "On the use of cross-validation for time
    series predictor evaluation", Information Sciences 191, 2012, doi:10.1016/j.ins.2011.12.028, for the usual
    distance, which is that of rows from a model of the other periods.
Differs: places in the sample are assigned by a hash of the row's number instead of randomly, so that the same readings
    always give the same sample; rows older than `MEMORY` rows count as if they were that old.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.base import BAND_DECADES, LARGEST, Detector, Field, Scores, State
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.elementwise import bounded
from detectors.parameters import parameter

MEMORY = 200_000
"""Maximum number of rows represented by the sample."""

SAMPLE = 400
"""Maximum number of features in the sample."""

GROWTH = 1 / 8
"""A model is refitted when the sample represents this share more rows than at the last fit, and at least
`SLOWEST_FAULT` more: a fault in progress must not be half learned. A young model doesn't wait that long, since it knows
less than is to come: half as many rows as it knows are enough, and at least `SHORT_FAULT`."""

SLOWEST_FAULT = 2_000
SHORT_FAULT = 1_000

YOUNG = 1 / 2
PERIODS = 3
"""The usual distance is that of the rows of one period from a model of the others, since a young device will go on to
where it hasn't been. One third is to the other two as the rows until the next fit are to those of this one."""

COURSE_S = 3600.0
"""A sample shorter than this shows how a machine runs, but nothing of where the day will take it: its periods differ
only as its own rows do, so that the usual distance is simply that of all rows from their model."""

COUNTS = 100.0
"""A channel that rises this many times as often as it falls is a counter, whose level is uninformative; it is left
out."""

STEEPNESS = 3.0
"""Exponent of the tail: decades by which a feature ten times as far out is rarer."""


@dataclass(frozen=True)
class VectorDetector(Detector):
    """Base of the detectors whose readings are vectors.

    Attributes:
        rows: Number of rows of readings in a feature.
        settled: Number of rows of a device before its features count.
        unsteady: Number of features of a device before they define the usual distance.
        usual: Share of the sample within the usual distance.
    """

    channels: int = parameter(16, "Sensors of a device that are looked at, the first ones.", at_least=2, at_most=64)
    warm_up: int = parameter(
        2000,
        "Rows of readings of a device before it is scored.",
        unit="rows",
        at_least=200,
        at_most=1_000_000,
    )

    rows: ClassVar[int]
    settled: ClassVar[int]
    unsteady: ClassVar[int] = 0
    usual: ClassVar[float]
    relearns: ClassVar[bool] = True

    def warm_up_s(self, interval: Floats) -> Floats:
        """See `Detector`."""
        return self.warm_up * interval

    @abstractmethod
    def model(self) -> dict[str, Field]:
        """The arrays of the model, in addition to `most`."""

    @abstractmethod
    def feature(self, rows: Floats) -> Floats:
        """The feature of the last rows.

        Args:
            rows: The last `rows` rows of each device, oldest first, NaN where a channel has no value; shape
                (n, rows, channels).

        Returns:
            Shape (n, channels); NaN where a channel has no value.
        """

    @abstractmethod
    def fit(self, sample: Floats) -> dict[str, Floats]:
        """Fit a model to a sample of features: the arrays of `model()` for one device.

        Args:
            sample: Shape (n, channels), n at most `SAMPLE`; NaN where a channel had no value.
        """

    @abstractmethod
    def distances(self, model: State, features: Floats) -> Floats:
        """The distances of features from the ordinary, one for each kind of distance.

        Args:
            model: The arrays of `model()`, one row per feature.
            features: Shape (n, channels); NaN where a channel has no value.

        Returns:
            Squared distances, shape (n, kinds), each to be compared with its own usual distance.
        """

    @abstractmethod
    def parts(self, model: State, features: Floats) -> Floats:
        """Contribution of each channel to each distance; shape (n, kinds, channels), at least 0."""

    @property
    @abstractmethod
    def kinds(self) -> int:
        """Number of kinds of distance."""

    def follow(self, state: State, slots: Slots, model: State, features: Floats) -> Floats:  # noqa: ARG002
        """Features as they are scored and learned, shape (n, channels): here as they are."""
        return features

    def drifted(self, state: State, slots: Slots) -> Floats:  # noqa: ARG002
        """What `follow()` takes from features, shape (n, channels): here nothing."""
        return np.zeros((len(slots), self.channels))

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "origin": Field(math.nan, width=self.channels, learned=False),
            "last": Field(math.nan, dtype="f4", width=self.rows * self.channels, learned=False),
            "seen": Field(learned=False),
            "rises": Field(width=self.channels),
            "falls": Field(width=self.channels),
            "sample": Field(math.nan, dtype="f4", width=SAMPLE * self.channels),
            "sampled": Field(),
            "began": Field(math.nan, moment=True, later=True),
            "fitted": Field(),
            "most": Field(1.0, width=self.kinds),
            **self.model(),
        }

    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """Score rows of readings by what was known before them, then learn from them; see `Detector`.

        Args:
            state: The arrays of `layout()`, modified in place in the rows `slots` only.
            slots: Distinct rows of the readings' devices, shape (n,).
            values: Values, shape (n, channels), NaN where a channel has none.
            times: Seconds since the epoch, shape (n,), UTC.
        """
        with np.errstate(all="ignore"):
            known = np.where(np.isfinite(values), bounded(values, -LARGEST, LARGEST), np.nan)
            return self.judge(state, slots, known, times)

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """See `Detector`; the band is in units of the largest usual distance."""
        features = self.feature(self._remember(state, slots, values))
        fitted = state["fitted"][slots] > 0
        model = _rows_of(state, slots, self.model())
        features = self.follow(state, slots, model, features)
        ratio = self._ratios(state, slots, model, features).max(axis=1)
        speaks = fitted & (np.isfinite(features).sum(axis=1) > 1)
        score = np.where(speaks, np.maximum(decades(ratio, self.usual), 0.0), np.nan)
        self._learn(state, slots, features, times)
        nothing = np.full(len(slots), np.nan)
        edge = np.sqrt(ratio_of(np.array(BAND_DECADES), self.usual))
        return Scores(score, nothing, np.where(speaks, 0.0, np.nan), np.where(speaks, edge, np.nan))

    def shares(self, state: State, slot: int) -> Floats:
        """The share of each channel in the last row's distance, shape (channels,); the sum is 1, or all are 0."""
        slots = np.array([slot])
        with np.errstate(all="ignore"):
            features = self.feature(self._last(state, slots)) - self.drifted(state, slots)
            model = _rows_of(state, slots, self.model())
            worst = int(np.argmax(self._ratios(state, slots, model, features)[0]))
            parts = np.where(np.isfinite(features[0]), self.parts(model, features)[0, worst], 0.0)
        total = parts.sum()
        shares: Floats = parts / total if total > 0 else np.zeros(self.channels)
        return shares

    def _ratios(self, state: State, slots: Slots, model: State, features: Floats) -> Floats:
        """Ratio of the features' distances to the usual ones, shape (n, kinds)."""
        ratios: Floats = self.distances(model, features) / state["most"][slots]
        return ratios

    def _remember(self, state: State, slots: Slots, values: Floats) -> Floats:
        """Store rows of readings as differences from each channel's first value; returns each device's last rows."""
        origin = state["origin"][slots]
        origin = np.where(np.isnan(origin), values, origin)
        state["origin"][slots] = origin
        seen, away = state["seen"][slots], values - origin
        self._count_moves(state, slots, away)
        at = (seen % self.rows).astype(np.intp)[:, None] * self.channels + np.arange(self.channels)
        state["last"][slots[:, None], at] = away
        state["seen"][slots] = seen + 1
        return self._last(state, slots)

    def _count_moves(self, state: State, slots: Slots, values: Floats) -> None:
        """Count how often each channel rises and falls from one row to the next."""
        before = ((state["seen"][slots] - 1) % self.rows).astype(np.intp)[:, None] * self.channels
        last = state["last"][slots[:, None], before + np.arange(self.channels)]
        now = values.astype(last.dtype)
        state["rises"][slots] += now > last
        state["falls"][slots] += now < last

    def _last(self, state: State, slots: Slots) -> Floats:
        """The last rows of readings, oldest first, shape (n, rows, channels)."""
        order = (state["seen"][slots].astype(np.intp)[:, None] + np.arange(self.rows)) % self.rows
        ring = state["last"][slots].reshape(len(slots), self.rows, self.channels)
        rows: Floats = np.take_along_axis(ring, order[:, :, None], axis=1).astype(np.float64)
        return rows

    def _learn(self, state: State, slots: Slots, features: Floats, times: Floats) -> None:
        """Add features to the sample, and fit the models that are due."""
        usable = (state["seen"][slots] > self.settled) & (np.isfinite(features).sum(axis=1) > 1)
        if not usable.any():
            return
        slots, features, times = slots[usable], features[usable], times[usable]
        count = state["sampled"][slots]
        state["began"][slots] = np.where(count == 0, times, state["began"][slots])
        place = _place_of(count)
        taken = place < SAMPLE
        at = place[taken].astype(np.intp)[:, None] * self.channels + np.arange(self.channels)
        state["sample"][slots[taken][:, None], at] = features[taken]
        state["sampled"][slots] = count + 1
        fitted = state["fitted"][slots]
        wait = bounded(GROWTH * fitted, bounded(YOUNG * fitted, SHORT_FAULT, SLOWEST_FAULT), MEMORY / 16)
        due = count + 1 >= np.where(fitted > 0, fitted + wait, self.warm_up - self.settled)
        for slot, time in zip(slots[due].tolist(), times[due].tolist(), strict=True):
            self._fit(state, slot, is_short=time - state["began"][slot] < COURSE_S)

    def _fit(self, state: State, slot: int, *, is_short: bool) -> None:
        sample = state["sample"][slot].reshape(SAMPLE, self.channels).astype(np.float64)
        sample[:, state["rises"][slot] > COUNTS * state["falls"][slot]] = np.nan
        sample = sample[in_order(int(state["sampled"][slot]))]
        sample = sample[np.isfinite(sample).any(axis=1)]
        state["fitted"][slot] = state["sampled"][slot]
        steady = sample[self.unsteady :]
        if len(steady) == 0:
            state["most"][slot] = LARGEST
            return
        for name, array in self.fit(sample).items():
            state[name][slot] = array
        if is_short:
            model = _rows_of(state, np.full(len(steady), slot), self.model())
            distances = self.distances(model, steady)
        else:
            distances = self._distances_of_periods(steady)
        state["most"][slot] = np.maximum(np.quantile(distances, self.usual, axis=0), 1e-12)

    def _distances_of_periods(self, sample: Floats) -> Floats:
        """Distances of each row from a model of the rows of other periods, shape (n, kinds)."""
        periods = np.arange(len(sample)) * PERIODS // len(sample)
        distances = np.zeros((len(sample), self.kinds))
        for period in range(PERIODS):
            others, its = sample[periods != period], sample[periods == period]
            if len(others) and len(its):
                model = {name: np.repeat(array[None], len(its), axis=0) for name, array in self.fit(others).items()}
                distances[periods == period] = self.distances(model, its)
        return distances


def decades(ratio: Floats, usual: float) -> Floats:
    """Decades of surprise of features whose squared distance is `ratio` times the one that contains a share `usual`."""
    result: Floats = STEEPNESS * np.log10(np.maximum(ratio, 1e-12)) - math.log10(1.0 - usual)
    return result


def ratio_of(score: Floats, usual: float) -> Floats:
    """The ratio at which `decades()` is `score`."""
    ratio: Floats = 10.0 ** ((score + math.log10(1.0 - usual)) / STEEPNESS)
    return ratio


def center_and_scale(sample: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations of the columns of a sample, ignoring NaN; 0 where all values are NaN."""
    known = np.isfinite(sample)
    count = np.maximum(known.sum(axis=0), 1)
    center: Floats = np.where(known, sample, 0.0).sum(axis=0) / count
    scale: Floats = np.sqrt((np.where(known, sample - center, 0.0) ** 2).sum(axis=0) / count)
    return center, scale


def varies(center: Floats, scale: Floats) -> np.ndarray:
    """Whether each channel varies at all, in the shape given."""
    moves: np.ndarray = scale > 1e-6 * np.maximum(np.abs(center), 1e-9)
    return moves


def _scattered(numbers: Floats) -> Floats:
    """Pseudorandom fractions from 0 to 1, one for each integer.

    Source: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
        doi:10.1145/2660193.2660195.
    """
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    fractions: Floats = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    return fractions


def in_order(count: int) -> NDArray[np.intp]:
    """The places of a sample in the order of their rows, of which there were `count`; those before `MEMORY` first."""
    rows = np.arange(max(count - MEMORY, 0), count, dtype=np.float64)
    newest = np.full(SAMPLE, -1.0)
    place = _place_of(rows)
    taken = place < SAMPLE
    np.maximum.at(newest, place[taken].astype(np.intp), rows[taken])
    return np.argsort(newest[: min(count, SAMPLE)], kind="stable")


def _place_of(rows: Floats) -> Floats:
    """The place in the sample for rows by their numbers; `SAMPLE` or more if they have none."""
    places: Floats = np.where(rows < SAMPLE, rows, np.floor(_scattered(rows) * np.minimum(rows + 1, MEMORY)))
    return places


def _rows_of(state: State, slots: Slots, fields: dict[str, Field]) -> dict[str, Floats]:
    return {name: state[name][slots] for name in fields}
