"""Detectors: array arithmetic with one row per sensor. A new detector is a file and a line in this one.

    base          the interface of a detector
    state         its arrays: grow, reset, hold back, save, load
    parameters    the settings of an operator
    noise         a model of a sensor's noise: the distance that is surprising
    numeric       arithmetic for arrays and for one number, rows of a state, from statistics to decades
    univariate    detectors of one sensor
    daily         detectors of one sensor that judge its days
    states        the states of a machine: their values, durations and usual hours
    contextual    the learned default
    multivariate  detectors of the sensors of one device: correlation, shift

Imports numpy and nothing else; has no I/O, clock, thread or randomness.
"""

from __future__ import annotations

from typing import Any

from detectors.base import Detector
from detectors.contextual import Contextual
from detectors.daily.drift import LevelDrift
from detectors.daily.extremes import Extremes
from detectors.daily.swing import Swing
from detectors.daily.trend import Trend
from detectors.hours import Hours
from detectors.multivariate.base import VectorDetector
from detectors.multivariate.correlation import Correlation
from detectors.multivariate.shift import Shift
from detectors.states import States
from detectors.univariate.cusum import Cusum
from detectors.univariate.ewma import EwmaZScore
from detectors.univariate.flatline import Flatline
from detectors.univariate.limits import Limits
from detectors.univariate.median import StreamingMedian
from detectors.univariate.rate import RateOfChange
from detectors.univariate.seasonal import Seasonal
from detectors.univariate.silence import Silence
from detectors.univariate.volatility import Volatility

ALL = (
    Silence,
    Limits,
    Flatline,
    RateOfChange,
    Volatility,
    EwmaZScore,
    StreamingMedian,
    Cusum,
    Seasonal,
    Extremes,
    LevelDrift,
    Trend,
    Swing,
    Hours,
    States,
    Contextual,
)
DETECTORS: dict[str, type[Detector]] = {each.name: each for each in ALL}
"""Every detector by name, in the order in which users see them."""

DEVICE_DETECTORS: dict[str, type[VectorDetector]] = {each.name: each for each in (Correlation, Shift)}
"""Every detector for the combined sensors of a device, in the same order."""


def make(name: str, **parameters: Any) -> Detector:
    """Create the registered detector of this name with these parameters; others keep their defaults.

    Raises:
        KeyError: No detector has this name.
        ParameterError: A parameter is outside of its range.
    """
    return DETECTORS[name](**parameters)


__all__ = ["DETECTORS", "DEVICE_DETECTORS", "Detector", "make"]
