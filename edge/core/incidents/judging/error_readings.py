"""Error values and jumps of counters among readings: they are reported and end a silence, but aren't learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.base import Scores
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.elementwise import any_of
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import MachineInput
from edge.core.model.readings.messages import Batch
from edge.core.model.readings.rounds import Round
from edge.core.scoring.errors.counter_returns import below_zero
from edge.core.scoring.errors.error_values import ERROR, ORDINARY, ErrorValues
from edge.core.scoring.errors.jumps import Jump
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import Observation
from edge.core.scoring.paces import Paces
from edge.core.scoring.profiles import Group
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

JUMP = 3
"""Class of a reading, besides those of error values: a jump of a counter."""


class ErrorReadings:
    """Separates the readings that aren't ordinary, and processes error values.

    Args:
        members: The group of each sensor, and its row there, by slot.
        values: Knows which values are error values.
        statistics: Statistics of the sensors.
        levels: Determines how long a silence may last.
        tracking: Notified of error values.
        paces: Knows which sensors are counters.
        see_strange: The detectors' input for a strange reading, see `CounterReadings`.
        check: Compares the scores of a strange reading with its sensor's levels.
    """

    def __init__(
        self,
        members: list[tuple[Group, int]],
        values: ErrorValues,
        statistics: SensorStatistics,
        levels: AlarmLevels,
        tracking: IncidentTracker,
        paces: Paces,
        see_strange: Callable[[int, float, float, int, float], float],
        check: Callable[[Group, Round, list[Scores], Jump | None], None],
    ) -> None:
        self._members = members
        self._values = values
        self._statistics = statistics
        self._levels = levels
        self._tracking = tracking
        self._paces = paces
        self._see_strange = see_strange
        self._check = check
        self._apart: list[int] = []

    def judge(self, slots: Slots, values: Floats, times: Floats) -> NDArray[np.int8] | None:
        """The class of each reading of a round: `JUMP`, or by `ErrorValues.look()`; shape (n,).

        None if all are ordinary.
        """
        stand_out, before = self._values.stand_out(slots, values, times)
        jumped = self._paces.jumped(slots, values, times, before)
        impossible = below_zero(self._paces.at(slots), slots, values, times)
        if impossible is not None:
            stand_out = stand_out & ~impossible
        if any_of(stand_out):
            self._values.learn_near(slots, values, times, stand_out)
        if not any_of(stand_out) and jumped is None and impossible is None:
            return None
        found = np.zeros(len(slots), dtype=np.int8)
        for place in np.flatnonzero(stand_out).tolist():
            columns = (slots, values, times, before)
            found[place] = self._values.look(*(each[place].item() for each in columns))
        if jumped is not None:
            found[jumped & (found == ORDINARY)] = JUMP
        if impossible is not None:
            found[impossible] = ERROR
        return found if found.any() else None

    def judge_one(self, slot: int, value: float, time: float) -> int:
        """The class of a single reading."""
        stands_out, before = self._values.stand_out(slot, value, time)
        if below_zero(self._paces.at(slot), slot, value, time):
            return ERROR
        found = self._values.look(slot, value, time, before) if stands_out else ORDINARY
        return JUMP if found == ORDINARY and self._paces.jumped(slot, value, time, before) else found

    def take(self, kind: int, slot: int, value: float, time: float, position: int, clock: float) -> None:
        """Process a reading that is or may be an error value, or is a jump; only its arrival is learned.

        Args:
            kind: `ERROR`, `STRANGE` or `JUMP`.
            slot: Slot of its sensor.
            value: Its value.
            time: Its time.
            position: Position in its batch.
            clock: The stream clock.
        """
        self._apart.append(position)
        if kind == ERROR:
            self._take_error(slot, value, time, position, clock)
        else:
            self._take_strange(slot, value, time, position, clock)
            if kind == JUMP:
                self._paces.leap(slot, value, time)

    def without(self, batch: Batch) -> Batch:
        """The batch as devices see it, without a value where a sensor sent an error value."""
        if not self._apart:
            return batch
        values = batch.values.copy()
        values[self._apart] = np.nan
        self._apart = []
        return replace(batch, values=values)

    def _take_strange(self, slot: int, value: float, time: float, position: int, clock: float) -> None:
        (group, row), now = self._members[slot], max(clock, time)
        before, was_silent = float(self._statistics.time[slot]), bool(self._statistics.silences[slot] > 0)
        if self._tracking.tracked[slot]:
            self._tracking.returned(slot, value, time, position, clock)
        if not was_silent:
            group.pass_without_value(row, max(time - before, 0.0))
        jump = self._paces.jump(slot, value, time, before)
        self._statistics.record_apart(slot, value, time, now, is_value=True)
        waited = float(self._statistics.waited[slot])
        seen = self._see_strange(slot, value, time, position, now) if jump is None else jump.pace
        kept = group.kept(row)  # afterwards, as a counter that has become a gauge forgets what was learned
        verdicts = group.update_one(row, value, seen, time, waited, held=True)
        self._check(group, Round(slot, row, value, time, position, now, seen), verdicts, jump)
        group.put_back(row, kept)
        group.hear(row, value, waited)

    def _take_error(self, slot: int, value: float, time: float, position: int, clock: float) -> None:
        (group, row), now = self._members[slot], max(clock, time)
        statistics = self._statistics
        is_usual = self._values.habits.is_usual(slot, time, float(statistics.time[slot]))
        if not self._tracking.resume(slot, time):
            group.pass_without_value(row, max(time - float(statistics.time[slot]), 0.0))
        statistics.record_apart(slot, value, time, now, is_value=False)
        group.hear(row, value, float(statistics.waited[slot]))
        assumed = float(self._levels.assumed[slot])
        statistics.expect_within(slot, now, group.patience(row, assumed))
        tracker = self._tracking.trackers.get(slot)  # a condition that was reported once is followed to its end
        if is_usual and (tracker is None or not tracker.has_error):
            return
        level = float(group.profile.level_at(statistics.interval[[slot]])[0])
        self._tracking.step(
            slot, MachineInput.NO_VALUE, Observation(time, value, level, []), (position, 1, 0.0, slot), clock
        )
