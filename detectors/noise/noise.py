"""Noise: a model of a sensor's noise that converts residuals to decades of surprise.

A residual is the difference between a reading and a detector's expectation. Its spread is learned slowly, and the
surprise of a residual is the tail of Student's t at residual / spread, with degrees of freedom that reflect the
evidence:

- autocorrelated readings count for less: n (1 - rho) / (1 + rho) independent ones, rho being their autocorrelation at
  lag 1 (Bayley and Hammersley, "The effective number of independent observations in an autocorrelated time series",
  Supplement to the JRSS 8, 1946, doi:10.2307/2983560);
- noise with excess kurtosis k has at least the tail of t with 4 + 6 / k degrees of freedom (the kurtosis of t), where k
  is the excess over twice the standard error sqrt(24 / n) of normal noise.

A residual as large as one seen before can't be rarer than once in all readings: up to the record, the surprise is at
most log10 of their number, so repeated behaviour becomes normal. The record includes an excursion once it has ended,
and one excursion at most doubles it unless an earlier one went as far: twice is a habit. A residual counts as at most
`WINSOR` spreads. Of an incident only the reading that raised it is learned, so one anomaly can't poison the model.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Field, Scores, State
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import (
    NOTHING,
    bounded,
    corrected,
    everywhere,
    log10,
    maximum,
    minimum,
    pick,
    quotient,
    sqrt,
    where,
    whole,
)
from detectors.numeric.surprise import MOST, student_reach, student_tail

WARM_UP = 30.0
"""Number of readings before there is an opinion."""

READINGS_A_DECADE = 25.0
"""After n readings the surprise about a sensor is at most n / 25 decades, because much of its behaviour is still
unseen."""

WINSOR = 6.0

STRETCH = 2.0
"""Maximum factor by which one excursion can raise the record."""

NEARLY = 1.25
"""A residual up to this many times the record counts as seen before."""

SELDOM = 1.5
"""Minimum limit, in decades, for the surprise of residuals seen before, whatever the number of readings."""

MOST_SEEN = 1e4
"""Maximum number of readings that count as evidence for residuals seen before, because the record decays."""

ROOT_OF_3 = 3.0**0.5
LEAST_VARIANCE, LEAST_EXCESS = 1e-200, 1e-3
MOST_RHO = 0.999
KURTOSIS_MEMORY = 1000.0

_USUAL = 3.0 + 2.0 * np.sqrt(24.0 / np.maximum(np.arange(KURTOSIS_MEMORY + 1.0), 1.0))
_MOST_USUAL = float(_USUAL[-1])
"""The kurtosis up to which so many readings may be normal noise: taken from a table, as their number is whole."""

KURTOSIS_PRIOR = 100.0
"""Prior weight of normal noise in readings, because fourth powers of few readings are unreliable."""


def noise_layout() -> dict[str, Field]:
    """The state fields of the model."""
    return {
        "count": Field(),
        "variance": Field(),
        "lag": Field(),
        "fourth": Field(3.0),
        "record": Field(),
        "rival": Field(later=True),
        "peak": Field(),
        "last_residual": Field(learned=False),
    }


class Noise:
    """The noise of the sensors in some rows of a detector's state, as known before this round.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,).
        memory: Memory of the spread, in readings.
    """

    def __init__(self, state: State, slots: Rows, memory: float) -> None:
        self._state = state
        self._slots = slots
        self._memory = memory
        self.count = state["count"][slots]
        self.variance = state["variance"][slots]
        self.spread = sqrt(self.variance)
        self._varies = everywhere(self.variance > 0)
        self._warm = everywhere(self.count >= WARM_UP)
        self._divisor = maximum(self.variance, LEAST_VARIANCE)
        self._lag = state["lag"][slots]
        self.rho = bounded(where(self._varies, self._lag / self._divisor, 0.0), 0.0, MOST_RHO)
        self._fourth = state["fourth"][slots]
        self.record = state["record"][slots]
        self.freedom = self._freedom()

    def _freedom(self) -> Numbers:
        """Degrees of freedom that reflect the evidence, shape (n,)."""
        independent = self.count * (1.0 - self.rho) / (1.0 + self.rho)
        known = everywhere(self.count >= KURTOSIS_MEMORY)
        usual = _MOST_USUAL if known is True else _USUAL.take(whole(minimum(self.count, KURTOSIS_MEMORY)))
        heavy = 4.0 + 6.0 / maximum(self._fourth - usual, LEAST_EXCESS)
        return maximum(minimum(independent - 1.0, heavy), 1.0)

    def score(self, residual: Numbers, spread: Numbers = None) -> Numbers:
        """Decades of surprise of residuals, NaN during the warm-up, shape (n,).

        Args:
            residual: Difference from the expectation.
            spread: Scale of the residuals, if the detector knows a better one than the standard deviation.
        """
        away = abs(residual)
        if spread is None and self._varies is True:
            ratio = away / self.spread
        else:
            ratio = quotient(away, self.spread if spread is None else spread)
        score = student_tail(ratio, self.freedom)
        score = corrected(score, score > SELDOM, with_what_was_seen, away, self.count, self.record)
        if self._varies is not True:
            score = corrected(score, self.variance <= 0, of_what_never_varied, away, self.count)
        most = minimum(self.count / READINGS_A_DECADE, MOST)
        return where(self._warm, minimum(score, most), NOTHING)

    def scores(self, residual: Numbers, expected: Numbers, spread: Numbers = None) -> Scores:
        """The scores of residuals around the expected values, with the band."""
        return self.banded(self.score(residual, spread), expected, spread)

    def banded(self, score: Numbers, expected: Numbers, spread: Numbers = None) -> Scores:
        """Scores with the band around the expected values."""
        scale = self.spread if spread is None else spread

        def reach(index: int | None, decades: float) -> Numbers:
            freedom, its_scale = self.freedom, scale
            if index is not None:
                freedom, its_scale = pick(freedom, index), pick(scale, index)
            return maximum(student_reach(decades, freedom) * its_scale, 0.0)

        return Scores.around(score, where(self._warm, expected, NOTHING), reach)

    def learn(self, residual: Numbers, worth: float = 1.0) -> Numbers:
        """Learn from residuals; returns them limited to the credible range, shape (n,).

        Args:
            residual: Difference from the expectation.
            worth: Weight of a residual for the kurtosis: 1 / n for a mean over n readings, so that an anomaly that
                enters the mean step by step doesn't look like a heavy tail.
        """
        state, slots, varies = self._state, self._slots, self._varies
        bound = WINSOR * self.spread
        below = -bound
        believed = where(varies, bounded(residual, below, bound), residual)
        later = self.count + 1.0
        rate = 1.0 / minimum(later, self._memory)
        square = believed * believed
        last = state["last_residual"][slots]
        bent = bounded(last, below, bound)
        ratio = where(varies, square / self._divisor, ROOT_OF_3)
        quick = where(self._warm, worth / minimum(self.count + KURTOSIS_PRIOR, KURTOSIS_MEMORY), 0.0)
        away = abs(residual)
        state["variance"][slots] = self.variance + rate * (square - self.variance)
        state["lag"][slots] = self._lag + rate * (believed * bent - self._lag)
        state["fourth"][slots] = self._fourth + quick * (ratio * ratio - self._fourth)
        peak = state["peak"][slots]
        ended, rival = (away <= self.spread) * peak, state["rival"][slots]
        seen = maximum(taken_in(self.record, ended, 4.0 * self.spread, self._memory), minimum(ended, rival))
        state["rival"][slots] = maximum(faded(rival, self._memory), ended)
        state["record"][slots] = where(varies, seen, away)
        state["peak"][slots] = (away > self.spread) * maximum(peak, away)
        state["last_residual"][slots] = residual
        state["count"][slots] = later
        return believed


def with_what_was_seen(score: Numbers, away: Numbers, count: Numbers, record: Numbers) -> Numbers:
    """Limit the scores of residuals that were reached before."""
    return where(away <= NEARLY * record, minimum(score, seen_before(count)), score)


def of_what_never_varied(score: Numbers, away: Numbers, count: Numbers) -> Numbers:
    """Scores of the residuals of sensors whose values have never changed."""
    seen = seen_before(count)
    return where(away > 0, seen, minimum(score, seen))


def seen_before(count: Numbers) -> Numbers:
    """Maximum surprise, in decades, of a residual seen before among `count` readings."""
    return log10(minimum(count, MOST_SEEN) + 2.0)


def taken_in(record: Numbers, peak: Numbers, usual: Numbers, memory: float) -> Numbers:
    """A record updated with the peak of an ended excursion (0 if none has ended), which decays over 20 memories."""
    believed = minimum(peak, STRETCH * maximum(record, usual))
    return maximum(faded(record, memory), believed)


def faded(record: Numbers, memory: float) -> Numbers:
    """A record one reading later, which decays over 20 memories."""
    return record * (1.0 - 1.0 / (20.0 * memory))
