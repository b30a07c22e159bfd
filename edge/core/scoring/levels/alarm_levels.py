"""Alarm levels: how surprised each of a sensor's detectors must be to raise an incident.

Every detector has a level of its own for each sensor (`edge.core.scoring.levels.calibration`), and its share of the
budget, since a decade of one is not a decade of another: a disturbance that one detector finds makes no other one deaf.
No level falls below the detector's `floor`, or, where it has none, below what chance alone needs.

Time is the time that a sensor has been watched for: absences are left out, and its clock may be set.
"""

from __future__ import annotations

import math
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
from edge.core.scoring.levels.calibration import DAY_S, SETTLED_S, Calibration

ABSENT_S = DAY_S / 4
"""Time without a reading beyond this is no time in which the sensor was watched."""

SHARE = 1 / 3
"""Share of the budget that each detector has. Together they may spend more than all of it if no two of them agree,
which is seldom: most incidents are found by several."""

REFRESH_LEAST_S = 10.0
REFRESH_S = DAY_S / 8
REFRESH_SHARE = 0.02
REFRESH_ALARMS = 0.1
"""Levels are worked out anew after this time, this share of a sensor's age, or as many asked-for incidents; after
`REFRESH_LEAST_S` at the soonest, once an interval is known."""

OF = "."
"""Between the names of a detector and of an array, in what is saved."""

Assume = Callable[[Slots], Floats]
"""The levels that perfect scores would need, in decades, of some of the sensors in question, told by their places."""


class AlarmLevels(SensorArrays):
    """The raising levels of all detectors of every sensor; one row a sensor.

    State: 40 bytes a sensor, and what a `Calibration` has for each detector.

    Attributes:
        time: Of the last reading, seconds since the epoch; NaN before the first.
        watched: Seconds that it has been watched for.
        assumed: The level that perfect scores would need, in decades, when levels were last worked out.
        worked_out: Watched seconds when they were.
        due: Watched seconds when they will be again.
        by_detector: Calibration of each detector's scores, by its name.
    """

    def __init__(self) -> None:
        self.time = np.zeros(0)
        self.watched = np.zeros(0)
        self.assumed = np.zeros(0)
        self.worked_out = np.zeros(0)
        self.due = np.zeros(0)
        self.by_detector: dict[str, Calibration] = {}
        self._rows = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self._rows = max(self._rows, rows)
        self.grow_to(rows, time=np.nan)
        for each in self.by_detector.values():
            each.grow(rows)

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`."""
        super().clear_row(slot)
        for each in self.by_detector.values():
            each.clear_row(slot)

    def of(self, detector: str) -> Calibration:
        """The calibration of a detector's scores."""
        found = self.by_detector.get(detector)
        if found is None:
            found = self.by_detector[detector] = Calibration()
            found.grow(self._rows)
        return found

    def levels(
        self,
        detectors: Sequence[Detector],
        slots: Rows,
        times: Numbers,
        is_open: Any,
        assume: Assume,
        settings: IncidentSettings,
    ) -> list[Numbers]:
        """The raising levels that the next readings are held against, in decades: shape (n,) for each detector.

        Args:
            detectors: Those that score the readings.
            slots: Their sensors, no one twice, shape (n,), or a single one.
            times: Their times, seconds since the epoch, shape (n,).
            is_open: True where an incident is open, whose levels don't change.
            assume: Asked for the sensors whose levels are worked out anew.
            settings: The incident settings, with the alarm budget.
        """
        state = self.at(slots)
        passed = bounded(times - state["time"][slots], 0.0, ABSENT_S)
        watched = state["watched"][slots] + where(passed >= 0, passed, 0.0)
        state["watched"][slots] = watched
        state["time"][slots] = times
        due = where(is_open, False, watched >= state["due"][slots])
        if any_of(due):
            which = np.flatnonzero(due)
            self._work_out(
                detectors, np.atleast_1d(slots)[which], np.atleast_1d(watched)[which], assume(which), settings
            )
        if settings.threshold is not None:
            return [constant_like(times, settings.threshold)] * len(detectors)
        return [self.of(each.name).at(slots)["level"][slots] for each in detectors]

    def note(
        self,
        detectors: Sequence[Detector],
        slots: Rows,
        scores: Sequence[Numbers],
        is_open: Any,
        settings: IncidentSettings,
    ) -> None:
        """Record the scores of these readings, as they were given to `levels()`.

        Args:
            detectors: Those that score the readings.
            slots: Their sensors, shape (n,), or a single one.
            scores: Of each detector, in decades, or NaN, shape (n,).
            is_open: True where an incident is open or being adopted.
            settings: The incident settings, which say when an incident ends.
        """
        watched = self.at(slots)["watched"][slots]
        for detector, score in zip(detectors, scores, strict=True):
            self.of(detector.name).note(slots, score, watched, is_open, settings)

    def raised(self, slot: int, detectors: Sequence[str]) -> None:
        """Record an incident of a sensor that the scores of some detectors have raised."""
        settled = bool(self.watched[slot] >= SETTLED_S)
        for name in detectors:
            self.of(name).raised(slot, settled=settled)
        if settled:
            self.due[slot] = self.watched[slot]

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        self.time[slots] += by

    def take_rows(self, other: AlarmLevels, slots: list[int]) -> None:
        """Take over what another one knows of some sensors."""
        for name, array in self.arrays.items():
            array[slots] = getattr(other, name)[slots]
        for name in {*self.by_detector, *other.by_detector}:
            self.of(name).take_rows(other.of(name), slots)

    def state(self, first: int, last: int) -> bytes:
        """The rows from `first` to before `last`, for `load()`."""
        arrays = {name: each[first:last] for name, each in self.arrays.items()}
        for detector in sorted(self.by_detector):
            for name, array in self.by_detector[detector].arrays.items():
                arrays[f"{detector}{OF}{name}"] = array[first:last]
        return encode_arrays(arrays)

    def load(self, first: int, state: bytes) -> None:
        """Take over rows, from the row `first` on; there must be room for them.

        Raises:
            StateError: They can't be read, as those of earlier versions, which had one level for all detectors.
        """
        mine: dict[str, NDArray[Any]] = {}
        theirs: dict[str, dict[str, NDArray[Any]]] = {}
        for name, array in decode_arrays(state).items():
            detector, _, field = name.rpartition(OF)
            (theirs.setdefault(detector, {}) if detector else mine)[field] = array
        if "level" in mine:
            raise StateError("a level for all detectors together")
        super().load(first, encode_arrays(mine))
        for detector, arrays in theirs.items():
            self.of(detector).load(first, encode_arrays(arrays))

    def _work_out(
        self,
        detectors: Sequence[Detector],
        slots: Slots,
        watched: Floats,
        assumed: Floats,
        settings: IncidentSettings,
    ) -> None:
        allowed = settings.false_alarms_per_sensor_per_day
        lapsed = np.maximum(watched - np.maximum(self.worked_out[slots], SETTLED_S), 0.0)
        for each in detectors:
            floor = assumed if math.isnan(each.floor) else np.minimum(assumed, each.floor)
            self.of(each.name).work_out(slots, watched, lapsed, assumed, floor, SHARE * allowed)
        self.assumed[slots] = assumed
        self.worked_out[slots] = watched
        soon = min(REFRESH_S, REFRESH_ALARMS / allowed * DAY_S)
        later = np.maximum(np.minimum(REFRESH_SHARE * watched, soon), REFRESH_LEAST_S)
        self.due[slots] = watched + np.where(watched > 0, later, 0.0)
