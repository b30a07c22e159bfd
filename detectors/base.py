"""The detector interface.

A detector scores how surprising each reading of a sensor is, given what it has learned about that sensor. It is a
frozen dataclass of parameters with two methods: `layout()` declares the arrays of its state, with one row per sensor,
and `judge()` scores readings and then learns from them. It has no I/O, clock, thread or randomness, and no thresholds.

Order of calls:

1. `layout()` once. `StateTable` creates, grows, resets, saves and loads the arrays from it.
2. `update(state, slots, values, times)` for every round of readings; slots are distinct within a call.
3. `patience(state, slots, decades)` whenever the maximum silence of a sensor is needed.

The unit of every score is *decades of surprise*: -log10 of the probability of so large a deviation by chance. 0 is
ordinary, 6 is one in a million, NaN is "no opinion yet". Scores of different detectors are therefore comparable and
share one threshold.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, bounded, constant_like, pick
from detectors.parameters import check_parameters

State = Mapping[str, Any]
"""Arrays by name. For a single reading, a field with one element per sensor behaves like an array of plain floats."""


@dataclass(frozen=True)
class Field:
    """One array of a detector's state.

    Attributes:
        initial: Initial value for a new sensor.
        dtype: numpy name of the element type.
        width: 0 for one element per sensor, n for a row of n elements.
        learned: True for learned normal behaviour (a mean, a scale), which is held while an incident is open. False for
            values that merely follow the signal (the last value, a running sum).
        moment: True for a time, which is shifted when the clock that timestamps the readings is stepped.
        later: True for a field missing from states saved by earlier versions; it then starts as for a new sensor.
        by_element: True to store each element of all rows contiguously, instead of each row: for rounds that access few
            elements, mostly the same ones of every sensor.
    """

    initial: float = 0.0
    dtype: str = "f8"
    width: int = 0
    learned: bool = True
    moment: bool = False
    later: bool = False
    by_element: bool = False


class Limit(NamedTuple):
    """An operator-defined limit broken by a reading.

    Attributes:
        name: Parameter that sets the limit.
        bound: Value of the limit.
        score: Score in decades of a reading beyond it.
    """

    name: str
    bound: float
    score: float


Reach = Callable[[int | None, float], Numbers]
"""Returns the distance of the band's ends from the expected value, for one reading by index or for a whole round, at a
given score in decades."""


class Measure(NamedTuple):
    """The quantity that a score is about, if it isn't the value itself.

    Attributes:
        now: Its present value, in the unit given by the detector's `measure()`.
        usual: Its usual value, or usual maximum.
        about: Which of the detector's conditions it concerns, if there are several.
        lower: Lower end of the range of values expected by this condition; NaN if there is none.
        upper: Upper end of that range.
    """

    now: float
    usual: float
    about: str = ""
    lower: float = math.nan
    upper: float = math.nan


_new = object.__new__
"""Creates an object without its initialiser, which takes as long as a small detector's arithmetic."""


class Scores:
    """A detector's result for n readings; all arrays are float64 of shape (n,), or plain floats for a single reading.

    Attributes:
        score: Decades of surprise, 0 to 300; NaN for no opinion.
        expected: The value expected before the reading was seen, or NaN.
        lower: Lower end of the band, where a value would have scored `BAND_DECADES`; NaN if there is none.
        upper: Upper end of the band.
        learned: The part of the score based on learned behaviour, which is all of it unless limits can be set.
        ruled: The part based on operator-defined limits, above 0 if one is broken; None if there are none.
    """

    __slots__ = ("_band", "expected", "learned", "ruled", "score")

    def __init__(
        self,
        score: Numbers,
        expected: Numbers,
        lower: Numbers,
        upper: Numbers,
        *,
        learned: Numbers | None = None,
        ruled: Numbers | None = None,
    ) -> None:
        self.score = score
        self.expected = expected
        self.learned = score if learned is None else learned
        self.ruled = ruled
        self._band: tuple[Numbers, Numbers] | Reach = (lower, upper)

    @classmethod
    def around(cls, score: Numbers, expected: Numbers, reach: Reach) -> Scores:
        """Scores whose band is computed on demand, which is rare.

        Args:
            score: Decades of surprise.
            expected: The middle of the band.
            reach: May be called later, so it must not depend on state that changes.
        """
        scores = _new(cls)
        scores.score = scores.learned = score
        scores.expected, scores.ruled, scores._band = expected, None, reach  # noqa: SLF001 - one of this class
        return scores

    @property
    def lower(self) -> Numbers:
        """Lower end of the band."""
        return self._ends()[0]

    @property
    def upper(self) -> Numbers:
        """Upper end of the band."""
        return self._ends()[1]

    def __iter__(self) -> Iterator[Numbers]:
        return iter((self.score, self.expected, *self._ends()))

    def at(self, index: int, decades: float | None = None) -> tuple[float, float, float, float]:
        """The result for one reading.

        Args:
            index: Index of the reading.
            decades: Score of a value at the ends of the band, if the band supports that; default `BAND_DECADES`, at
                most `MOST_BAND_DECADES`.
        """
        expected = pick(self.expected, index)
        if isinstance(self._band, tuple):
            lower, upper = self._band
            return pick(self.score, index), expected, pick(lower, index), pick(upper, index)
        with np.errstate(all="ignore"):
            reach = self._band(index, min(decades or BAND_DECADES, MOST_BAND_DECADES))
        return pick(self.score, index), expected, expected - reach, expected + reach

    def with_score(self, score: Numbers) -> Scores:
        """A copy with other scores."""
        scores = _new(Scores)
        scores.score = scores.learned = score
        scores.expected, scores.ruled, scores._band = self.expected, None, self._band  # noqa: SLF001 - likewise
        return scores

    def with_learned(self, learned: Numbers) -> Scores:
        """A copy with other learned scores."""
        scores = Scores(self.score, self.expected, NOTHING, NOTHING, learned=learned, ruled=self.ruled)
        scores._band = self._band
        return scores

    def alone(self) -> Scores:
        """The scores of a round of one reading, as scalars."""
        ruled = None if self.ruled is None else pick(self.ruled, 0)
        return Scores(*(pick(each, 0) for each in self), learned=pick(self.learned, 0), ruled=ruled)

    def spread(self, known: NDArray[np.bool_]) -> Scores:
        """Expand the scores to a longer round, with NaN for readings that aren't `known`."""

        def among_all(numbers: Numbers) -> Numbers:
            spread = np.full(len(known), NOTHING)
            spread[known] = numbers
            return spread

        score, expected, learned = among_all(self.score), among_all(self.expected), among_all(self.learned)
        ruled = None if self.ruled is None else among_all(self.ruled)
        if isinstance(self._band, tuple):
            lower, upper = map(among_all, self._band)
            return Scores(score, expected, lower, upper, learned=learned, ruled=ruled)
        places, reach = np.cumsum(known) - 1, self._band

        def reach_among_all(index: int | None, decades: float) -> Numbers:
            if index is None:
                return among_all(reach(None, decades))
            return reach(int(places[index]), decades) if known[index] else NOTHING

        spread = Scores(score, expected, NOTHING, NOTHING, learned=learned, ruled=ruled)
        spread._band = reach_among_all
        return spread

    def _ends(self) -> tuple[Numbers, Numbers]:
        """Both ends of the band."""
        if not isinstance(self._band, tuple):
            with np.errstate(all="ignore"):
                reach = self._band(None, BAND_DECADES)
                self._band = (self.expected - reach, self.expected + reach)
        return self._band


NO_OPINION = Scores(NOTHING, NOTHING, NOTHING, NOTHING)
"""The scores of a single reading without an opinion."""

TOGETHER_S = 1e-5
"""Readings of a sensor closer than this share one time: a clock with a resolution of one second has no information
between."""

LARGEST = 1e100
"""Values are clamped to this magnitude, so that their squares stay finite."""

BAND_DECADES = 3.0
"""Score at the ends of a detector's band, which contains all but one in a thousand ordinary readings."""


def no_opinion(values: Numbers) -> Scores:
    """Scores of readings without an opinion."""
    if type(values) is float:
        return NO_OPINION
    return Scores(*(constant_like(values, NOTHING) for _ in range(4)))


MOST_BAND_DECADES = 12.0


class Detector(ABC):
    """Base of every detector: a frozen dataclass whose fields are its parameters.

    Attributes:
        name: The name in configurations and events.
        kind: The kind of incident that it raises, a word of the event schema.
        catches: The faults that it should catch, in the simulator's terms.
        lingers: Whether it smooths so strongly that it stays surprised long after its sensor has returned into its
            band.
        knows_times: Whether it knows what is usual at each time of day, so that a value that it takes as usual is so.
        endures: Whether its findings, such as a stuck value, aren't levels that may soon be adopted as normal.
        relearns: Whether an adopted level is learned from scratch, because the old level would blur it; otherwise it is
            learned in addition, or as `adopt()` prepares it.
        stays: Fields with times from which it follows how long a sensor has been as it is; without a value it isn't.
        scores_readings: Whether it scores readings by learned behaviour.
        floor: Raising level in decades below which an ordinary sensor's reading may well be chance; NaN if its scores
            are true tail probabilities, so that the level follows from the number of readings.
        follows_pace: Whether it scores a counter's pace instead of its value, which rises by nature.
        is_daily: Whether it has another opinion each day, not with each reading, so that chance has few occasions.
        takes_one: Whether `judge()` and `patience()` also accept a single reading as scalars: `slots` an int, `values`
            and `times` floats. See `detectors.numeric.elementwise`.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    catches: ClassVar[frozenset[str]]
    lingers: ClassVar[bool] = False
    knows_times: ClassVar[bool] = False
    endures: ClassVar[bool] = False
    relearns: ClassVar[bool] = False
    stays: ClassVar[tuple[str, ...]] = ()
    scores_readings: ClassVar[bool] = True
    floor: ClassVar[float] = math.nan
    is_daily: ClassVar[bool] = False
    takes_one: ClassVar[bool] = False

    @property
    def follows_pace(self) -> bool:
        """See the class attribute."""
        return True

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def layout(self) -> dict[str, Field]:
        """The arrays of the state, by name; always the same for equal parameters."""

    @abstractmethod
    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """Score readings by what was known before them, then learn from them; implemented by each detector.

        Called by `update()` with at least one finite value of moderate size, distinct slots, and no numpy warnings.
        """

    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """Score readings by what was known before them, then learn from them.

        Args:
            state: The arrays of `layout()`, modified in place in the rows `slots` only.
            slots: Distinct rows of the readings' sensors, shape (n,).
            values: Values, shape (n,). Non-finite values are scored NaN and not learned; those beyond `LARGEST` are
                clamped to it.
            times: Seconds since the epoch, shape (n,), UTC.
        """
        if len(values) == 0:
            return no_opinion(values)
        with np.errstate(all="ignore"):
            if np.abs(values).max() <= LARGEST:
                return self.judge(state, slots, values, times)
            known = np.isfinite(values)
            if not known.any():
                return no_opinion(values)
            believed = bounded(values[known], -LARGEST, LARGEST)
            return self.judge(state, slots[known], believed, times[known]).spread(known)

    def update_one(self, state: State, slot: int, value: float, time: float) -> Scores:
        """Score one reading and learn from it, with the result of `update()`; only if the detector `takes_one`.

        Args:
            state: As for `update()`, but with memoryviews of the arrays with one element per sensor.
            slot: Row of the reading's sensor.
            value: A non-finite value is scored NaN and not learned.
            time: Seconds since the epoch, UTC.
        """
        if -LARGEST <= value <= LARGEST:
            return self.judge(state, slot, value, time)
        if not math.isfinite(value):
            return NO_OPINION
        return self.judge(state, slot, bounded(value, -LARGEST, LARGEST), time)

    def held_back(self, state: State, slots: Rows) -> None:  # noqa: ARG002
        """Note that nothing was learned from the last readings of these sensors, as an incident is open.

        Args:
            state: The arrays of `layout()`; only fields that aren't `learned` may be changed.
            slots: Their rows, shape (n,), or a single one.
        """
        return

    def returns(self, arrays: Arrays, row: int) -> None:  # noqa: B027
        """Note that a sensor's next reading ends a silence that was reported."""

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """Prepare a sensor's whole state for a level taken as normal, given its last value; nothing by default."""
        return

    def pauses(self, arrays: Arrays, row: int) -> bool:  # noqa: ARG002
        """Whether a sensor's last reading can't show that what was found while it was at work is over.

        Args:
            arrays: The complete arrays of the state, after the reading.
            row: Row of the sensor.
        """
        return False

    def broken(self, state: State, slot: int, score: float) -> list[Limit]:  # noqa: ARG002
        """The operator-defined limits broken by a sensor's last reading; none by default.

        Args:
            state: The arrays of `layout()` after the reading.
            slot: Row of the sensor.
            score: `Scores.ruled` of the reading, above 0.
        """
        return []

    def measure(self, state: State, slot: int) -> Measure | None:  # noqa: ARG002
        """The quantity that a sensor's last score was about, if that wasn't its value; None by default.

        Args:
            state: The arrays of `layout()` after the reading.
            slot: Row of the sensor.
        """
        return None

    def warm_up_s(self, interval: Floats) -> Floats:
        """Seconds before a sensor's scores show how often they occur, shape (n,).

        0, the default, for a detector that scores soon or limits the surprise about a young sensor itself.

        Args:
            interval: Seconds between two readings of each sensor, shape (n,).
        """
        return np.zeros(len(interval))

    def patience(self, state: State, slots: Rows, decades: Numbers) -> Numbers:  # noqa: ARG002
        """Seconds of silence that score `decades`, shape (n,); infinite, the default, if silence isn't assessed."""
        return math.inf if type(slots) is int else np.full(len(slots), np.inf)
