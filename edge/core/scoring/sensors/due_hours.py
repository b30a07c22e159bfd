"""Due hours: the hours of the day in which a sensor has reported on each of the last days.

A solar inverter that rests at night is silent for twelve hours each day, so a silence of twelve hours is usual. By day
it isn't: an hour is *due* if the sensor has reported in it for a week, weekends included. A silence that begins before
due hours and lasts for two whole ones, and for twice as long as any in due hours before, is too long.

Hours are those of the stream clock, since silence depends on arrival. A sensor that reports at all hours has no due
hours: its longest gap says how long it may be silent.

Hours in which the service may have missed readings are unknown: they count neither as reported nor as missed. From the
beginning of such an absence until it is over, a sensor's last hour has the opposite sign if it hasn't reported again;
afterwards it is the hour in which the absence ended and a half, so that a reading may still count for that hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, floor, maximum, minimum, nowhere, where
from detectors.numeric.gather import array_of

HOUR_S = 3600.0
HOURS = 24

DUE = 7
"""An hour is due after this many days in a row."""

MOST_DAYS = 28
"""Days beyond this don't count."""

REPORTED = 14
"""Number of days that a silence that was reported takes away from each of its hours; any other one takes all of them.
What happens every week is therefore reported three times at most."""

WHOLE_HOURS = 2.0
"""Number of whole due hours without a reading that make a silence."""

LONGEST = 2.0
"""Minimum length of such a silence, relative to the longest gap within due hours."""

FADING = 2e-5
"""Share by which that gap decays at each reading."""


def take_arrival(state: Mapping[str, Any], slots: Rows, clock: Numbers) -> None:
    """Take readings into account, before the statistics record them.

    Args:
        state: The arrays of the sensor statistics.
        slots: The readings' distinct sensors, shape (n,), or a single one.
        clock: The stream clock at each, shape (n,).
    """
    hour, before = floor(clock / HOUR_S), state["hour"][slots]
    until = state["due_until"][slots]
    gap = clock - state["seen"][slots]
    within = nowhere((clock <= until) & (before >= 0))
    if within is not False:
        longest = state["due_gap"][slots]
        believed = where(state["silences"][slots] > 0, minimum(gap, LONGEST * longest), gap)
        state["due_gap"][slots] = where(within, maximum(longest * (1.0 - FADING), believed), longest)
    entered = hour != before
    if any_of(entered):
        which = np.flatnonzero(entered)
        arrays = {name: np.asarray(array_of(state[name])) for name in ("days", "hour", "due_until", "silences")}
        _enter(arrays, np.atleast_1d(slots)[which], np.atleast_1d(hour)[which])


def due_deadline(state: Mapping[str, Any], slots: Rows, clock: Numbers) -> Numbers:
    """The stream clock at which silences that begin now are too long by the due hours; infinite if there are none.

    Args:
        state: The arrays of the sensor statistics.
        slots: Sensors that report, shape (n,), or a single one.
        clock: The stream clock, shape (n,).
    """
    return soonest_within(state["hour"][slots], clock, state["due_gap"][slots], state["due_until"][slots])


def soonest_within(hour: Numbers, clock: Numbers, gap: Numbers, until: Numbers) -> Numbers:
    """The stream clock at which silences since `clock` are too long; infinite if that is behind the due hours.

    Args:
        hour: The hour that includes `clock`, shape (n,), or a single one.
        clock: Beginning of the silences, shape (n,).
        gap: Longest time between two readings within due hours, in seconds, shape (n,).
        until: End of the due hours, shape (n,).
    """
    deadline = maximum((hour + 1.0 + WHOLE_HOURS) * HOUR_S, clock + LONGEST * gap)
    return where(deadline <= until, deadline, np.inf)


def begin_absence(arrays: Mapping[str, NDArray[Any]], clock: float) -> None:
    """Forget the hours that sensors have missed until an absence begins at stream clock `clock`."""
    hour = arrays["hour"]
    last = np.floor(clock / HOUR_S)
    missing = np.flatnonzero((hour > 0) & (hour < last - 1))
    _miss(arrays, missing, np.full(len(missing), last))
    suspend(arrays, last + 1)


def suspend(arrays: Mapping[str, NDArray[Any]], before: float) -> None:
    """Make the hours unknown that follow each sensor's last one, if that lies before an hour since the epoch."""
    hour = arrays["hour"]
    hour[:] = np.where((hour > 0) & (hour < before), -hour, hour)


def end_absence(arrays: Mapping[str, NDArray[Any]], clock: float) -> None:
    """Let the hours after stream clock `clock` count again, at which an absence is over."""
    hour = arrays["hour"]
    hour[:] = np.where(hour < 0, np.maximum(-hour, np.floor(clock / HOUR_S) + 0.5), hour)


def due_end(days: NDArray[Any], clock: Numbers) -> Floats:
    """The stream clock at the end of the due hours that include `clock`, shape (n,); 0 if it isn't due.

    Args:
        days: Number of days on which the sensors have reported in each hour of the day, shape (n, 24).
        clock: Stream clocks, shape (n,), or a common one.
    """
    hour = np.broadcast_to(np.floor(np.asarray(clock) / HOUR_S), len(days))
    due = days[np.arange(len(days)), np.mod(hour, HOURS).astype(np.intp)] >= DUE
    ends = np.zeros(len(days))
    chosen = np.flatnonzero(due)
    ends[chosen] = _due_until(days[chosen], hour[chosen])
    return ends


def _due_until(days: NDArray[Any], hour: Floats) -> Floats:
    """The stream clock at the end of the due hours that follow an hour of each sensor; 0 if there are none."""
    columns = (np.mod(hour, HOURS).astype(np.intp)[:, None] + 1 + np.arange(HOURS)) % HOURS
    following = np.take_along_axis(days, columns, axis=1) >= DUE
    run = np.where(following.all(axis=1), 0, (~following).argmax(axis=1))
    return np.where(run > 0, (hour + 1.0 + run) * HOUR_S, 0.0)


def _miss(arrays: Mapping[str, NDArray[Any]], slots: Slots, hour: Floats) -> None:
    """Forget the hours between sensors' last ones and `hour`, in which they have missed a reading."""
    before, days = arrays["hour"][slots], arrays["days"][slots]
    passed = np.where(before > 0, hour - before, 0.0)[:, None]
    later = np.mod(np.arange(HOURS) - before[:, None] - 1.0, HOURS) + 1.0  # hours from the last one to that of a column
    told = arrays["silences"][slots] > 0
    left = np.where(told[:, None], np.maximum(days.astype(np.int64) - REPORTED, 0), 0)
    arrays["days"][slots] = np.where(later < passed, left, days).astype(days.dtype)


def _enter(arrays: Mapping[str, NDArray[Any]], slots: Slots, hour: Floats) -> None:
    """Count the hours that sensors enter, and forget those in which they have missed a reading."""
    _miss(arrays, slots, hour)
    days = arrays["days"][slots]
    each, column = np.arange(len(slots)), np.mod(hour, HOURS).astype(np.intp)
    is_new = hour != -arrays["hour"][slots]
    days[each, column] = np.minimum(days[each, column] + is_new, MOST_DAYS)
    arrays["days"][slots], arrays["hour"][slots] = days, hour
    arrays["due_until"][slots] = _due_until(days, hour)
