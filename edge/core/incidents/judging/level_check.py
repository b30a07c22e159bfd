"""Level check: compares the scores of readings with the raising levels of their sensors.

Most readings end here: no score exceeds its level and the sensor has no active state machine. The others are processed
one by one by their sensor's state machine.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Scores
from detectors.numeric.elementwise import any_of, nowhere, pick, where
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.judging.gap_steps import without_steps_across
from edge.core.incidents.observer import Observer, scored_round
from edge.core.model.readings.rounds import Round
from edge.core.scoring.devices import Devices
from edge.core.scoring.errors.jumps import Jump
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.levels.calibration import HIGHEST
from edge.core.scoring.opinions import Observation
from edge.core.scoring.paces import Paces
from edge.core.scoring.profiles import Group, exceeds_any
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

SHORTEST_S = 1e-6
"""Least interval of a sensor whose readings have equal times."""


class LevelCheck:
    """Compares scores with levels and passes on the readings that matter.

    Args:
        statistics: Statistics of the sensors.
        levels: Level of each condition of each sensor.
        tracking: State machines of the sensors.
        paces: Knows which sensors are counters.
        devices: Knows which sensors form a device.

    Attributes:
        observer: Called after every scored round; None for no observer.
    """

    def __init__(
        self,
        statistics: SensorStatistics,
        levels: AlarmLevels,
        tracking: IncidentTracker,
        paces: Paces,
        devices: Devices,
    ) -> None:
        self._statistics = statistics
        self._levels = levels
        self._tracking = tracking
        self._paces = paces
        self._devices = devices
        self.observer: Observer | None = None

    def check(
        self,
        group: Group,
        readings: Round,
        verdicts: list[Scores],
        jump: Jump | None = None,
        *,
        strange: bool = False,
    ) -> None:
        """Compare the scores of readings with the sensors' levels; a strange reading doesn't affect any level."""
        slots, profile, judges = readings.slots, group.profile, group.judges
        settings, statistics, tracking = profile.incidents, self._statistics.at(slots), self._tracking.at(slots)
        intervals, tracked, is_open = statistics["interval"][slots], tracking["tracked"][slots], tracking["held"][slots]
        levels = self._levels.levels(judges, slots, readings.times, is_open, intervals, profile.level_at, settings)
        scores, ruled = group.scores(verdicts, readings.times), group.ruled(verdicts)
        exceeds, lowest = exceeds_any(scores, levels)
        statistics["level"][slots] = lowest
        unseen = nowhere(readings.seen != readings.seen)  # NaN differs from itself: counters without a pace yet
        before = statistics["exceeding"][slots]
        run = where(exceeds, before + 1, where(unseen, before, 0))
        statistics["exceeding"][slots] = run
        assumed = self._levels.at(slots)["assumed"][slots]
        self._statistics.expect_within(slots, readings.now, group.patience(readings.rows, assumed))
        protected = True if strange else tracking["protected"][slots] | unseen
        if not any_of(protected):
            self._levels.note(judges, slots, scores, tracked, settings)
        elif protected is not True:
            counted = ~protected
            self._levels.note(judges, slots[counted], scores[:, counted], tracked[counted], settings)
        matters = ((run >= settings.raise_after) | tracked) & (unseen ^ True)
        if ruled is not None:
            matters = matters | (ruled > 0) | tracked
        if any_of(matters):
            for index in np.flatnonzero(matters).tolist():
                own = [pick(each, index) for each in levels]
                self._judge(group, readings.at(index), own, verdicts, index, jump, strange=strange)
        self._tracking.learn_ranges(slots, readings.seen, readings.times, protected | exceeds)
        if self.observer is not None:
            self.observer.scored(scored_round(profile, readings, verdicts, levels, ruled, self._tracking.trackers))

    def _judge(
        self,
        group: Group,
        reading: Round,
        levels: list[float],
        verdicts: list[Scores],
        index: int,
        jump: Jump | None,
        *,
        strange: bool,
    ) -> None:
        opinions = group.opinions(verdicts, levels, index, reading.rows)
        statistics = self._statistics
        gaps = statistics.last_gap(reading.slots) / max(float(statistics.interval[reading.slots]), SHORTEST_S)
        opinions = without_steps_across(gaps, opinions, reading.seen)
        lowest = opinions[0].level if opinions else min(levels, default=HIGHEST)
        observation = Observation(reading.times, reading.values, lowest, opinions)
        if jump is None:
            observation = self._paces.observed(reading, observation)
        else:
            observation.jumped_from, observation.stretch = jump.before, jump.lasted
        observation.is_strange = strange
        observation.broken = group.broken_limits(verdicts, index, reading.rows)
        if reading.seen != reading.seen:
            self._tracking.hold_against_limits(reading.slots, observation, reading.positions, reading.now)
            return
        if group.of_devices:
            shares = group.shares(observation, reading.rows)
            observation.contributions = self._devices.contributions(reading.slots, shares)
        self._tracking.judge(reading.slots, observation, reading.positions, reading.now)
