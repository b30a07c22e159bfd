"""Several sensors of one device at once: what detectors have in common whose readings are vectors.

A vector detector looks at a device as any other detector looks at a sensor, only that a reading is a row of values, one
a channel, NaN where a channel has none. From the last rows it makes a feature, also a vector; it keeps a sample of the
features that it has seen, and fits to it, now and then, a model of how they are ordinarily distributed. The model says
how many times as far from the ordinary a feature is as is usual at most. That ratio becomes decades as if the tail
behind the usual were a power law: devices have modes that they haven't shown yet, and so no exponential tail.

Source: J. S. Vitter, "Random sampling with a reservoir", ACM Transactions on Mathematical Software 11 (1), 1985,
    doi:10.1145/3147.3165, for the sample.
Differs: places in the sample are given out by a hash of the row's number instead of by chance, so that the same
    readings always give the same sample; what is older than `MEMORY` rows counts as much as if it were that old.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import BAND_DECADES, LARGEST, Detector, Field, Scores, State
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.elementwise import bounded
from detectors.parameters import parameter

MEMORY = 200_000
"""Rows that the sample stands for at most."""

SAMPLE = 400
"""Features that are kept."""

GROWTH = 1 / 8
"""A model is fitted anew when the sample stands for so many more rows than it did, a share, but not before there are
`SLOWEST_FAULT` more: a fault must not be half learned while it is going on."""

SLOWEST_FAULT = 2_000

COUNTS = 100.0
"""A channel that rises so many times as often as it falls is a counter: its level says nothing, and is left out."""

STEEPNESS = 3.0
"""Decades by which a feature is rarer that is ten times as far out: the exponent of the tail."""


@dataclass(frozen=True)
class VectorDetector(Detector):
    """Base of the detectors whose readings are vectors.

    Attributes:
        rows: Rows of readings that make a feature.
        settled: Rows of a device before its features count.
        unsteady: Features of a device before they say how far out is usual.
        usual: The share of the sample that is usual.
    """

    channels: int = parameter(16, "Sensors of a device that are looked at, the first ones.", at_least=2, at_most=64)
    warm_up: int = parameter(
        2000,
        "Rows of readings of a device before anything is said of it.",
        unit="rows",
        at_least=200,
        at_most=1_000_000,
    )

    rows: ClassVar[int]
    settled: ClassVar[int]
    unsteady: ClassVar[int] = 0
    usual: ClassVar[float]
    relearns: ClassVar[bool] = True

    @abstractmethod
    def model(self) -> dict[str, Field]:
        """The arrays of the model, beside `most`."""

    @abstractmethod
    def feature(self, rows: Floats) -> Floats:
        """The feature of the last rows.

        Args:
            rows: The last `rows` rows of each device, oldest first, NaN where a channel has no value; shape
                (n, rows, channels).

        Returns:
            Shape (n, channels); NaN where a channel has none.
        """

    @abstractmethod
    def fit(self, sample: Floats) -> dict[str, Floats]:
        """What a sample of features is like: the arrays of `model()`, those of one device.

        Args:
            sample: Shape (n, channels), n at most `SAMPLE`; NaN where a channel had none.
        """

    @abstractmethod
    def distances(self, model: State, features: Floats) -> Floats:
        """How far features are from the ordinary, by the kinds of distance that there are.

        Args:
            model: The arrays of `model()`, one row a feature.
            features: Shape (n, channels); NaN where a channel has none.

        Returns:
            Squares of distances, shape (n, kinds), each to be held against its own usual one.
        """

    @abstractmethod
    def parts(self, model: State, features: Floats) -> Floats:
        """How much each channel adds to each distance; shape (n, kinds, channels), 0 or more."""

    @property
    @abstractmethod
    def kinds(self) -> int:
        """Kinds of distance that there are."""

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
            "fitted": Field(),
            "most": Field(1.0, width=self.kinds),
            **self.model(),
        }

    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """Score rows of readings by what was known before them, then learn from them; see `Detector`.

        Args:
            state: The arrays of `layout()`, changed in place at the rows `slots` only.
            slots: Row of each reading's device, shape (n,), no row twice.
            values: Values, shape (n, channels), NaN where a channel has none.
            times: Seconds since the epoch, shape (n,), UTC.
        """
        with np.errstate(all="ignore"):
            known = np.where(np.isfinite(values), bounded(values, -LARGEST, LARGEST), np.nan)
            return self.judge(state, slots, known, times)

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:  # noqa: ARG002
        """See `Detector`; the band is one of distances, 1 being as far out as is usual at most."""
        features = self.feature(self._remember(state, slots, values))
        fitted = state["fitted"][slots] > 0
        model = _rows_of(state, slots, self.model())
        features = self.follow(state, slots, model, features)
        ratio = self._ratios(state, slots, model, features).max(axis=1)
        speaks = fitted & (np.isfinite(features).sum(axis=1) > 1)
        score = np.where(speaks, np.maximum(decades(ratio, self.usual), 0.0), np.nan)
        self._learn(state, slots, features)
        nothing = np.full(len(slots), np.nan)
        edge = np.sqrt(ratio_of(np.array(BAND_DECADES), self.usual))
        return Scores(score, nothing, np.where(speaks, 0.0, np.nan), np.where(speaks, edge, np.nan))

    def shares(self, state: State, slot: int) -> Floats:
        """The share of each channel in the last row's distance, shape (channels,); they add up to 1, or are all 0."""
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
        """How many times the usual distances features are away, shape (n, kinds)."""
        ratios: Floats = self.distances(model, features) / state["most"][slots]
        return ratios

    def _remember(self, state: State, slots: Slots, values: Floats) -> Floats:
        """Take note of rows of readings, as differences from each channel's first value; the last ones of each."""
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

    def _learn(self, state: State, slots: Slots, features: Floats) -> None:
        """Give features a place in the sample, and fit the models that are due."""
        usable = (state["seen"][slots] > self.settled) & (np.isfinite(features).sum(axis=1) > 1)
        if not usable.any():
            return
        slots, features = slots[usable], features[usable]
        count = state["sampled"][slots]
        drawn = np.floor(_scattered(count) * np.minimum(count + 1, MEMORY))
        place = np.where(count < SAMPLE, count, drawn)
        taken = place < SAMPLE
        at = place[taken].astype(np.intp)[:, None] * self.channels + np.arange(self.channels)
        state["sample"][slots[taken][:, None], at] = features[taken]
        state["sampled"][slots] = count + 1
        fitted = state["fitted"][slots]
        wait = bounded(GROWTH * fitted, SLOWEST_FAULT, MEMORY / 16)
        due = count + 1 >= np.where(fitted > 0, fitted + wait, self.warm_up - self.settled)
        for slot in slots[due].tolist():
            self._fit(state, slot)

    def _fit(self, state: State, slot: int) -> None:
        sample = state["sample"][slot].reshape(SAMPLE, self.channels).astype(np.float64)
        sample[:, state["rises"][slot] > COUNTS * state["falls"][slot]] = np.nan
        sample = sample[np.isfinite(sample).any(axis=1)]
        state["fitted"][slot] = state["sampled"][slot]
        steady = sample[self.unsteady :]
        if len(steady) == 0:
            state["most"][slot] = LARGEST
            return
        for name, array in self.fit(sample).items():
            state[name][slot] = array
        model = _rows_of(state, np.full(len(steady), slot), self.model())
        usual = np.quantile(self.distances(model, steady), self.usual, axis=0)
        state["most"][slot] = np.maximum(usual, 1e-12)


def decades(ratio: Floats, usual: float) -> Floats:
    """Decades of surprise of features whose squared distance is `ratio` times the one that a share `usual` stays in."""
    result: Floats = STEEPNESS * np.log10(np.maximum(ratio, 1e-12)) - math.log10(1.0 - usual)
    return result


def ratio_of(score: Floats, usual: float) -> Floats:
    """The ratio whose `decades()` are `score`."""
    ratio: Floats = 10.0 ** ((score + math.log10(1.0 - usual)) / STEEPNESS)
    return ratio


def center_and_scale(sample: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations of the columns of a sample, of what isn't NaN in them; 0 where everything is."""
    known = np.isfinite(sample)
    count = np.maximum(known.sum(axis=0), 1)
    center: Floats = np.where(known, sample, 0.0).sum(axis=0) / count
    scale: Floats = np.sqrt((np.where(known, sample - center, 0.0) ** 2).sum(axis=0) / count)
    return center, scale


def varies(center: Floats, scale: Floats) -> np.ndarray:
    """Which channels vary at all, shape as given."""
    moves: np.ndarray = scale > 1e-6 * np.maximum(np.abs(center), 1e-9)
    return moves


def _scattered(numbers: Floats) -> Floats:
    """Fractions from 0 to 1 that look as if by chance, one for each whole number.

    Source: G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014,
        doi:10.1145/2660193.2660195.
    """
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    fractions: Floats = (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
    return fractions


def _rows_of(state: State, slots: Slots, fields: dict[str, Field]) -> dict[str, Floats]:
    return {name: state[name][slots] for name in fields}
