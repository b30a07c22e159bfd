"""What a detector is.

A detector looks at one sensor at a time and says how surprising each reading is, given what it has learned of that
sensor. It is a frozen dataclass of parameters with two methods: `layout()` declares the arrays that hold its state,
one row a sensor, and `judge()` scores readings and then learns from them. It has no I/O, clock, thread or
randomness, and knows no thresholds.

Order of calls:

1. `layout()` once. `StateTable` makes, grows, resets, saves and loads the arrays from it.
2. `update(state, slots, values, times)` for every round of readings; no slot stands twice in one call.
3. `patience(state, slots, decades)` whenever somebody wants to know how long a sensor may be silent.

The unit of every score is *decades of surprise*: -log10 of how likely so large a deviation is by chance. 0 is
ordinary, 6 is one in a million, NaN is "no opinion yet". Scores of different detectors therefore compare, and share
one threshold.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, bounded, constant_like, pick
from detectors.parameters import check_parameters

State = Mapping[str, Any]
"""Arrays by name. To a single reading, what has one element a sensor looks like an array of plain floats."""


@dataclass(frozen=True)
class Field:
    """One array of a detector's state.

    Attributes:
        initial: What a sensor of which nothing is known starts from.
        dtype: numpy's name of the element type.
        width: 0 for one element a sensor, n for a row of n elements.
        learned: True for what is believed of a sensor's normal behaviour (a mean, a scale). It is held back while
            an incident is open. False for what merely follows the signal (the last value, a running sum).
        moment: True for a time, which is moved along when the clock that stamps the readings is set.
        later: True for what states that were saved by an earlier version don't have; it begins as that of a new sensor.
        by_element: True if an element of all rows is kept side by side, not all elements of a row: for rounds that look
            at a few elements, mostly the same ones of every sensor.
    """

    initial: float = 0.0
    dtype: str = "f8"
    width: int = 0
    learned: bool = True
    moment: bool = False
    later: bool = False
    by_element: bool = False


class Limit(NamedTuple):
    """A limit of the operator's that a reading has broken.

    Attributes:
        name: The parameter that sets it.
        bound: Its value.
        score: Decades of surprise of a reading beyond it.
    """

    name: str
    bound: float
    score: float


Reach = Callable[[int | None, float], Numbers]
"""How far a band reaches to either side of what was expected: of one reading, by its index, or of all of a round; and
how many decades a value at its ends would have scored."""


class Measure(NamedTuple):
    """What a score is about, where that isn't the value itself.

    Attributes:
        now: As it is, in the unit that the detector's `measure()` says.
        usual: As it usually is, or is at most.
        about: Which of the detector's conditions it is about, if there are several.
        lower: Lower end of the range of values that this condition expects; NaN if it expects none.
        upper: Upper end of it.
    """

    now: float
    usual: float
    about: str = ""
    lower: float = math.nan
    upper: float = math.nan


class Scores:
    """What a detector says of n readings; all arrays are float64 of shape (n,), or plain floats for a single one.

    Attributes:
        score: Decades of surprise, 0 to 300, or NaN for no opinion.
        expected: The value that was expected before the reading was seen, or NaN.
        lower: Lower end of the band: a value there would have scored `BAND_DECADES`; NaN if there is none.
        upper: Upper end of the band.
        learned: The part of the score that follows from what was learned: all of it, but where limits can be set.
        ruled: The part that follows from limits of the operator's, above 0 where one is broken; None if there are none.
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
        """Scores whose band is worked out when somebody asks for it, which is seldom.

        Args:
            score: Decades of surprise.
            expected: The middle of the band.
            reach: Asked at any later time, so it holds nothing that the state's next change changes.
        """
        scores = cls(score, expected, NOTHING, NOTHING)
        scores._band = reach
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
        """What is said of one reading.

        Args:
            index: Its place.
            decades: What a value at the ends of the band would have scored, if the band can be had for any; default:
                `BAND_DECADES`. `MOST_BAND_DECADES` at most.
        """
        expected = pick(self.expected, index)
        if isinstance(self._band, tuple):
            lower, upper = self._band
            return pick(self.score, index), expected, pick(lower, index), pick(upper, index)
        with np.errstate(all="ignore"):
            reach = self._band(index, min(decades or BAND_DECADES, MOST_BAND_DECADES))
        return pick(self.score, index), expected, expected - reach, expected + reach

    def with_score(self, score: Numbers) -> Scores:
        """The same with other scores."""
        scores = Scores(score, self.expected, NOTHING, NOTHING)
        scores._band = self._band
        return scores

    def with_learned(self, learned: Numbers) -> Scores:
        """The same with other scores by what was learned."""
        scores = Scores(self.score, self.expected, NOTHING, NOTHING, learned=learned, ruled=self.ruled)
        scores._band = self._band
        return scores

    def alone(self) -> Scores:
        """The same of a round of one reading, as plain numbers."""
        ruled = None if self.ruled is None else pick(self.ruled, 0)
        return Scores(*(pick(each, 0) for each in self), learned=pick(self.learned, 0), ruled=ruled)

    def spread(self, known: NDArray[np.bool_]) -> Scores:
        """The same for more readings, NaN for those that aren't `known`, of which there are as many as scores."""

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
"""Of a single reading."""

TOGETHER_S = 1e-5
"""Readings of a sensor that are closer bear one time: a clock that counts seconds says nothing of what lies between."""

LARGEST = 1e100
"""Values are cut to this, so that their squares stay finite."""

BAND_DECADES = 3.0
"""The band of a detector holds all but one in a thousand of the ordinary readings."""


def no_opinion(values: Numbers) -> Scores:
    """Scores of readings that a detector has nothing to say of."""
    if type(values) is float:
        return NO_OPINION
    return Scores(*(constant_like(values, NOTHING) for _ in range(4)))


MOST_BAND_DECADES = 12.0


class Detector(ABC):
    """Base of every detector: a frozen dataclass whose fields are its parameters.

    Attributes:
        name: The name in configurations and events.
        kind: The kind of incident that it raises, a word of the event schema.
        catches: The faults that it claims to catch, in the simulator's words.
        lingers: Whether it smooths so much that it is still surprised when its sensor has long returned into its band.
        endures: Whether what it finds is no level that may soon be adopted as normal, such as a value that is stuck.
        relearns: Whether a level that is adopted as normal is learned from nothing, as what was known of the old level
            would blur it; otherwise it is learned beside all that was known.
        scores_readings: Whether it ever says of a reading how surprising it is, by what it has learned.
        floor: The raising level, in decades, below which a reading of an ordinary sensor may well be chance; NaN if its
            scores are true tail probabilities, so that this follows from how many readings there are.
        follows_pace: Whether it looks at the pace of a counter, which rises by its nature, instead of its value.
        takes_one: Whether `judge()` and `patience()` take a single reading as plain numbers, too: `slots` an int,
            `values` and `times` floats. See `detectors.numeric.elementwise`.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    catches: ClassVar[frozenset[str]]
    lingers: ClassVar[bool] = False
    endures: ClassVar[bool] = False
    relearns: ClassVar[bool] = False
    scores_readings: ClassVar[bool] = True
    floor: ClassVar[float] = math.nan
    takes_one: ClassVar[bool] = False

    @property
    def follows_pace(self) -> bool:
        """See the class."""
        return True

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def layout(self) -> dict[str, Field]:
        """The arrays of the state, by name; always the same for equal parameters."""

    @abstractmethod
    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """Score readings by what was known before them, then learn from them; what a detector is.

        Called by `update()` with finite values of moderate size, one or more of them, no slot twice, and with numpy's
        warnings off.
        """

    def update(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """Score readings by what was known before them, then learn from them.

        Args:
            state: The arrays of `layout()`, changed in place at the rows `slots` only.
            slots: Row of each reading's sensor, shape (n,), no row twice.
            values: Values, shape (n,). What isn't finite is scored NaN and not learned; what is beyond
                `LARGEST` is taken for that.
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
        """Score one reading and learn from it, as `update()` would; only if the detector `takes_one`.

        Args:
            state: As `update()` has it, but with memoryviews of the arrays that have one element a sensor.
            slot: Row of the reading's sensor.
            value: What isn't finite is scored NaN and not learned.
            time: Seconds since the epoch, UTC.
        """
        if not math.isfinite(value):
            return NO_OPINION
        return self.judge(state, slot, bounded(value, -LARGEST, LARGEST), time)

    def held_back(self, state: State, slots: Slots) -> None:  # noqa: ARG002
        """Note that nothing was learned from the last readings of these sensors, as an incident is open.

        Args:
            state: The arrays of `layout()`; only fields that aren't `learned` may be changed.
            slots: Their rows, shape (n,).
        """
        return

    def broken(self, state: State, slot: int, score: float) -> list[Limit]:  # noqa: ARG002
        """The operator's limits that a sensor's last reading broke; none where the operator has set none, as here.

        Args:
            state: The arrays of `layout()`, as the reading left them.
            slot: Row of the sensor.
            score: What `Scores.ruled` was for the reading; above 0.
        """
        return []

    def measure(self, state: State, slot: int) -> Measure | None:  # noqa: ARG002
        """What a sensor's last score was about, where that wasn't its value; None here.

        Args:
            state: The arrays of `layout()`, as the reading left them.
            slot: Row of the sensor.
        """
        return None

    def patience(self, state: State, slots: Rows, decades: Numbers) -> Numbers:  # noqa: ARG002
        """Seconds after its last reading at which a sensor's silence is `decades` surprising, shape (n,).

        Infinite where silence means nothing to this detector, as here.
        """
        return math.inf if type(slots) is int else np.full(len(slots), np.inf)
