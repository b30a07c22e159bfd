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

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.parameters import check_parameters

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]
State = Mapping[str, NDArray[Any]]


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
    """

    initial: float = 0.0
    dtype: str = "f8"
    width: int = 0
    learned: bool = True
    moment: bool = False


class Scores(NamedTuple):
    """What a detector says of n readings; all arrays are float64 of shape (n,).

    Attributes:
        score: Decades of surprise, 0 to 300, or NaN for no opinion.
        expected: The value that was expected before the reading was seen, or NaN.
        lower: Lower end of the band: a value there would have scored `BAND_DECADES`; NaN if there is none.
        upper: Upper end of the band.
    """

    score: Floats
    expected: Floats
    lower: Floats
    upper: Floats


LARGEST = 1e100
"""Values are cut to this, so that their squares stay finite."""

BAND_DECADES = 3.0
"""The band of a detector holds all but one in a thousand of the ordinary readings."""


def bounded(values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Values, cut to what lies between two bounds; NaN stays NaN. As `numpy.clip`, in a third of its time for few."""
    within: Floats = np.minimum(np.maximum(values, low), high)
    return within


def no_opinion(count: int) -> Scores:
    """Scores of `count` readings that a detector has nothing to say of."""
    nothing = np.full(count, np.nan)
    return Scores(nothing, nothing.copy(), nothing.copy(), nothing.copy())


class Detector(ABC):
    """Base of every detector: a frozen dataclass whose fields are its parameters.

    Attributes:
        name: The name in configurations and events.
        kind: The kind of incident that it raises, a word of the event schema.
        catches: The faults that it claims to catch, in the simulator's words.
        lingers: Whether it smooths so much that it is still surprised when its sensor has long returned into its band.
        relearns: Whether a level that is adopted as normal is learned from nothing, as what was known of the old level
            would blur it; otherwise it is learned beside all that was known.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    catches: ClassVar[frozenset[str]]
    lingers: ClassVar[bool] = False
    relearns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_parameters(self)

    @abstractmethod
    def layout(self) -> dict[str, Field]:
        """The arrays of the state, by name; always the same for equal parameters."""

    @abstractmethod
    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
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
        known = np.isfinite(values)
        if not known.all():
            scores = no_opinion(len(values))
            if known.any():
                inner = self.update(state, slots[known], values[known], times[known])
                for mine, theirs in zip(scores, inner, strict=True):
                    mine[known] = theirs
            return scores
        if len(values) == 0:
            return no_opinion(0)
        with np.errstate(all="ignore"):
            return self.judge(state, slots, bounded(values, -LARGEST, LARGEST), times)

    def patience(self, state: State, slots: Slots, decades: float | Floats) -> Floats:  # noqa: ARG002
        """Seconds after its last reading at which a sensor's silence is `decades` surprising, shape (n,).

        Infinite where silence means nothing to this detector, as here.
        """
        return np.full(len(slots), np.inf)
