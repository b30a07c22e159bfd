"""Alarm levels: the score at which each detector of a sensor raises an incident.

Every detector has its own level for each sensor (`edge.core.scoring.levels.calibration`) and its own share of the
budget, because a decade of one isn't a decade of another: a disturbance found by one detector doesn't desensitise the
others. No level falls below the detector's `floor` or, if it has none, below what chance alone requires.

Time is observed time: absences are left out, and steps of the sensor's clock don't matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors.base import Detector
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, bounded, constant_like, where
from detectors.state import StateError
from edge.core.model.packing.encoding import decode_arrays, encode_arrays
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.levels.calibration import SETTLED_S
from edge.core.scoring.levels.calibrations import Calibrations
from edge.core.scoring.levels.tails import DAY_S

ABSENT_S = DAY_S / 4
"""Time without a reading beyond this doesn't count as observed."""

SHARE = 1 / 3
"""Each detector's share of the budget. Together they could exceed it if no two of them ever agreed, which is rare: most
incidents are found by several."""

REFRESH_LEAST_S = 10.0
REFRESH_S = DAY_S / 8
REFRESH_SHARE = 0.02
REFRESH_ALARMS = 0.1
"""Levels are recomputed after this time, this share of a sensor's age, or this many budgeted incidents, but not before
`REFRESH_LEAST_S`, once the interval is known."""

OF = "."
"""Separator between detector name and array name in the saved state."""

LevelAt = Callable[[Floats], Floats]
"""Returns the levels that perfect scores would require, in decades, given the seconds between a sensor's readings."""


class AlarmLevels(SensorArrays):
    """The raising levels of all detectors for every sensor; one row per sensor.

    State: 40 bytes per sensor, plus a `Calibration` for each detector.

    Attributes:
        time: Time of the last reading, seconds since the epoch; NaN before the first.
        watched: Observed time in seconds.
        assumed: The level that perfect scores would require, in decades, at the last computation.
        worked_out: Observed time at the last computation, in seconds.
        due: Observed time at the next computation, in seconds.
        by_detector: The calibration of each detector's scores.
    """

    def __init__(self) -> None:
        self.time = np.zeros(0)
        self.watched = np.zeros(0)
        self.assumed = np.zeros(0)
        self.worked_out = np.zeros(0)
        self.due = np.zeros(0)
        self.by_detector = Calibrations()

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, time=np.nan)
        self.by_detector.grow(rows)

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`."""
        super().clear_row(slot)
        self.by_detector.clear_row(slot)

    def levels(
        self,
        detectors: Sequence[Detector],
        slots: Rows,
        times: Numbers,
        is_open: Any,
        intervals: Numbers,
        level_at: LevelAt,
        settings: IncidentSettings,
    ) -> Any:
        """The raising levels for the next readings, in decades, shape (detectors, n); not to be modified.

        Args:
            detectors: The detectors that score the readings.
            slots: Their distinct sensors, shape (n,), or a single one.
            times: Their times, seconds since the epoch, shape (n,).
            is_open: Whether an incident is open, during which levels don't change, shape (n,).
            intervals: Seconds between two readings of the sensors, shape (n,).
            level_at: Called for the sensors whose levels are recomputed.
            settings: The incident settings, with the alarm budget.
        """
        state = self.at(slots)
        passed = bounded(times - state["time"][slots], 0.0, ABSENT_S)
        watched = state["watched"][slots] + where(passed >= 0, passed, 0.0)
        state["watched"][slots] = watched
        state["time"][slots] = times
        is_fixed = is_open & (state["assumed"][slots] > 0)  # unless what was learned has been discarded meanwhile
        due = where(is_fixed, False, watched >= state["due"][slots])
        if any_of(due):
            which = np.flatnonzero(due)
            chosen = (np.atleast_1d(each)[which] for each in (slots, watched, intervals))
            self._work_out(detectors, level_at, settings, *chosen)
        if settings.threshold is not None:
            levels = [constant_like(times, settings.threshold)] * len(detectors)
            return levels if type(slots) is int else np.array(levels).reshape(len(detectors), len(slots))
        return self.by_detector.levels(detectors, slots)

    def note(
        self,
        detectors: Sequence[Detector],
        slots: Rows,
        scores: Sequence[Numbers],
        is_open: Any,
        settings: IncidentSettings,
    ) -> None:
        """Record the scores of the readings last passed to `levels()`.

        Args:
            detectors: The detectors that score the readings.
            slots: Their sensors, shape (n,), or a single one.
            scores: Scores of each detector in decades, or NaN, shape (detectors, n).
            is_open: Whether an incident is open or being adopted, shape (n,).
            settings: The incident settings, which define when an incident ends.
        """
        self.by_detector.note(detectors, slots, scores, self.at(slots)["watched"][slots], is_open, settings)

    def raised(self, slot: int, detectors: Sequence[str]) -> None:
        """Record an incident of a sensor raised by the scores of these detectors."""
        settled = bool(self.watched[slot] >= SETTLED_S)
        for name in detectors:
            self.by_detector.raised(name, slot, settled=settled)
        if settled:
            self.due[slot] = self.watched[slot]

    def shift(self, slots: Slots, by: float) -> None:
        """Shift the times of sensors by `by` seconds after a step of the clock that timestamps them."""
        self.time[slots] += by

    def take_rows(self, other: AlarmLevels, slots: list[int]) -> None:
        """Copy the levels of some sensors from another instance."""
        for name, array in self.arrays.items():
            array[slots] = getattr(other, name)[slots]
        self.by_detector.take_rows(other.by_detector, slots)

    def state(self, first: int, last: int) -> bytes:
        """The rows in the range `first` to `last` (exclusive), for `load()`."""
        arrays = {name: each[first:last] for name, each in self.arrays.items()}
        for detector in sorted(self.by_detector):
            for name, array in self.by_detector[detector]._asdict().items():
                arrays[f"{detector}{OF}{name}"] = array[first:last]
        return encode_arrays(arrays)

    def load(self, first: int, state: bytes) -> None:
        """Load rows from `first` on; there must be room for them.

        Raises:
            StateError: They can't be read, as with states of earlier versions, which had one level for all detectors.
        """
        mine: dict[str, NDArray[Any]] = {}
        theirs: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in decode_arrays(state).items():
            detector, _, field = name.rpartition(OF)
            (theirs.setdefault(detector, {}) if detector else mine)[field] = array
        if "level" in mine:
            raise StateError("a level for all detectors together")
        super().load(first, encode_arrays(mine))
        self.by_detector.load(first, theirs)

    def _work_out(
        self,
        detectors: Sequence[Detector],
        level_at: LevelAt,
        settings: IncidentSettings,
        slots: Slots,
        watched: Floats,
        intervals: Floats,
    ) -> None:
        allowed, assumed = settings.false_alarms_per_sensor_per_day, level_at(intervals)
        gaps = np.minimum(intervals, ABSENT_S)
        scored = np.array([np.maximum(watched - each.warm_up_s(gaps), 0.0) for each in detectors])
        lapsed = np.maximum(watched - np.maximum(self.worked_out[slots], SETTLED_S), 0.0)
        self.by_detector.work_out(detectors, slots, watched, scored, lapsed, assumed, SHARE * allowed)
        self.assumed[slots] = assumed
        self.worked_out[slots] = watched
        soon = min(REFRESH_S, REFRESH_ALARMS / allowed * DAY_S)
        later = np.maximum(np.minimum(REFRESH_SHARE * watched, soon), REFRESH_LEAST_S)
        self.due[slots] = watched + np.where(watched > 0, later, 0.0)
