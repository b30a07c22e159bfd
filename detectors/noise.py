"""How far out is far? A model of a sensor's noise that turns residuals into decades of surprise.

A residual is what a detector didn't expect of a reading. Its spread is learned slowly, and the surprise of a residual
is the tail of Student's t at residual / spread, with as many degrees of freedom as the evidence is worth:

- readings that resemble their predecessors count for less: n (1 - rho) / (1 + rho) independent ones, rho being their
  autocorrelation at lag 1 (Bayley and Hammersley, "The effective number of independent observations in an
  autocorrelated time series", Supplement to the JRSS 8, 1946, doi:10.2307/2983560);
- a noise with excess kurtosis k has at least the tail of t with 4 + 6 / k degrees of freedom (the kurtosis of t); k is
  what exceeds twice the standard error sqrt(24 / n) that normal noise would show.

What has been as far out before can't be rarer than once in all readings seen: up to the record, the surprise is at
most log10 of their number. So what repeats becomes normal. The record takes in an excursion when it has ended, and at
most doubles by one, unless an earlier one went as far: twice is a habit. A residual counts as `WINSOR` spreads at most.
Of an incident only the reading that raised it is learned, and so one anomaly can't poison what is believed.
"""

from __future__ import annotations

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
)
from detectors.numeric.surprise import MOST, student_reach, student_tail

WARM_UP = 30.0
"""Readings before there is an opinion."""

READINGS_A_DECADE = 25.0
"""A sensor that was seen for n readings surprises by n / 25 decades at most: much of what it does is still unseen."""

WINSOR = 6.0

STRETCH = 2.0
"""Factor by which one excursion can move the record."""

NEARLY = 1.25
"""Up to this many records, a residual counts as seen before."""

SELDOM = 1.5
"""Decades that no number of readings seen brings down: the least that is said of what was seen before."""

MOST_SEEN = 1e4
"""The record fades, so no more readings than these speak for what has been seen before."""

ROOT_OF_3 = 3.0**0.5
KURTOSIS_MEMORY = 1000.0

KURTOSIS_PRIOR = 100.0
"""Readings that speak for normal noise at first, as fourth powers of few readings are wild."""


def noise_layout() -> dict[str, Field]:
    """The fields that the model needs in a detector's state."""
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
    """The noise of the sensors at some rows of a detector's state, as known before this round.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,).
        memory: Readings that the spread remembers.
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
        self._divisor = maximum(self.variance, 1e-200)
        self._lag = state["lag"][slots]
        self.rho = bounded(where(self._varies, self._lag / self._divisor, 0.0), 0.0, 0.999)
        self._fourth = state["fourth"][slots]
        self._record = state["record"][slots]
        self.freedom = self._freedom()

    def _freedom(self) -> Numbers:
        """Degrees of freedom that the evidence is worth, shape (n,)."""
        independent = self.count * (1.0 - self.rho) / (1.0 + self.rho)
        known = everywhere(self.count >= KURTOSIS_MEMORY)
        readings = KURTOSIS_MEMORY if known is True else minimum(maximum(self.count, 1.0), KURTOSIS_MEMORY)
        usual = 3.0 + 2.0 * sqrt(24.0 / readings)
        heavy = 4.0 + 6.0 / maximum(self._fourth - usual, 1e-3)
        return bounded(minimum(independent - 1.0, heavy), 1.0, 1e4)

    def score(self, residual: Numbers, spread: Numbers = None) -> Numbers:
        """Decades of surprise of residuals, NaN during the warm-up, shape (n,).

        Args:
            residual: What wasn't expected.
            spread: Their scale, if the detector knows a better one than the standard deviation.
        """
        scale = self.spread if spread is None else spread
        away = abs(residual)
        score = student_tail(quotient(away, scale), self.freedom)
        score = corrected(score, score > SELDOM, with_what_was_seen, away, self.count, self._record)
        if self._varies is not True:
            score = corrected(score, self.variance <= 0, _of_what_never_varied, away, self.count)
        most = minimum(self.count / READINGS_A_DECADE, MOST)
        return where(self._warm, minimum(score, most), NOTHING)

    def scores(self, residual: Numbers, expected: Numbers, spread: Numbers = None) -> Scores:
        """The scores of residuals around what was expected, with the band."""
        return self.banded(self.score(residual, spread), expected, spread)

    def banded(self, score: Numbers, expected: Numbers, spread: Numbers = None) -> Scores:
        """Scores with the band around what was expected."""
        scale = self.spread if spread is None else spread

        def reach(index: int | None, decades: float) -> Numbers:
            freedom, its_scale = self.freedom, scale
            if index is not None:
                freedom, its_scale = pick(freedom, index), pick(scale, index)
            return maximum(student_reach(decades, freedom) * its_scale, 0.0)

        return Scores.around(score, where(self._warm, expected, NOTHING), reach)

    def learn(self, residual: Numbers, worth: float = 1.0) -> Numbers:
        """Learn from residuals; returns them as far as they are believed, shape (n,).

        Args:
            residual: What wasn't expected.
            worth: How much of its own a residual says of the kurtosis: 1 / n if it is a mean over n readings, so that
                an anomaly that enters the mean step by step doesn't look like a heavy tail.
        """
        state, slots, varies = self._state, self._slots, self._varies
        bound = WINSOR * self.spread
        believed = where(varies, bounded(residual, -bound, bound), residual)
        rate = 1.0 / minimum(self.count + 1.0, self._memory)
        square = believed * believed
        last = state["last_residual"][slots]
        bent = bounded(last, -bound, bound)
        ratio = where(varies, square / self._divisor, ROOT_OF_3)
        quick = where(self._warm, worth / minimum(self.count + KURTOSIS_PRIOR, KURTOSIS_MEMORY), 0.0)
        away = abs(residual)
        state["variance"][slots] = self.variance + rate * (square - self.variance)
        state["lag"][slots] = self._lag + rate * (believed * bent - self._lag)
        state["fourth"][slots] = self._fourth + quick * (ratio * ratio - self._fourth)
        peak = state["peak"][slots]
        ended, rival = (away <= self.spread) * peak, state["rival"][slots]
        seen = maximum(taken_in(self._record, ended, 4.0 * self.spread, self._memory), minimum(ended, rival))
        state["rival"][slots] = maximum(faded(rival, self._memory), ended)
        state["record"][slots] = where(varies, seen, away)
        state["peak"][slots] = (away > self.spread) * maximum(peak, away)
        state["last_residual"][slots] = residual
        state["count"][slots] = self.count + 1.0
        return believed


def with_what_was_seen(score: Numbers, away: Numbers, count: Numbers, record: Numbers) -> Numbers:
    """Scores of residuals, some of which came as far before."""
    return where(away <= NEARLY * record, minimum(score, seen_before(count)), score)


def _of_what_never_varied(score: Numbers, away: Numbers, count: Numbers) -> Numbers:
    """Scores of the residuals of sensors whose values were always the same so far."""
    seen = seen_before(count)
    return where(away > 0, seen, minimum(score, seen))


def seen_before(count: Numbers) -> Numbers:
    """The most that can surprise of what was seen before among `count` readings, in decades."""
    return log10(minimum(count, MOST_SEEN) + 2.0)


def taken_in(record: Numbers, peak: Numbers, usual: Numbers, memory: float) -> Numbers:
    """A record that takes in the peak of an ended excursion (0 where none has ended), and fades over 20 memories."""
    believed = minimum(peak, STRETCH * maximum(record, usual))
    return maximum(faded(record, memory), believed)


def faded(record: Numbers, memory: float) -> Numbers:
    """A record one reading later: it fades over 20 memories."""
    return record * (1.0 - 1.0 / (20.0 * memory))
