"""Budgets: counts the incidents that other false-alarm budgets would have had, during a single run.

This is an estimate: each budget has its own raising level and its own open incidents, but all share the scores of the
present run, and what is learned while an incident is open differs slightly between budgets. Incidents raised by silence
alone aren't counted, since they don't come from readings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.incidents.observer import ScoredRound
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.profiles import Profile

BUDGETS = (0.02, 0.05, 0.1, 0.5, 1.0)
"""Budgets in false alarms per sensor and day."""


class BudgetCounter:
    """Counts incidents for several budgets at once.

    Args:
        budgets: Budgets in false alarms per sensor and day.
    """

    def __init__(self, budgets: Sequence[float] = BUDGETS) -> None:
        self.budgets = tuple(budgets)
        self.incidents = np.zeros(len(self.budgets), dtype=np.int64)
        self._profiles: dict[Profile, list[Profile]] = {}
        shape = (len(self.budgets), 0)
        self._run = np.zeros(shape, dtype=np.int64)
        self._calm = np.zeros(shape, dtype=np.int64)
        self._started = np.full(shape, np.nan)
        self._levels = [AlarmLevels() for _ in self.budgets]

    def count(self, scored: ScoredRound, interval: Floats) -> None:
        """Advance the incidents of every budget by a round.

        Args:
            scored: The round.
            interval: Learned seconds between two readings of each sensor, shape (n,).
        """
        settings = scored.profile.incidents
        slots = scored.slots
        self._grow(int(slots.max()) + 1)
        profiles = self._with_budgets(scored.profile)
        judges = [each for each in scored.profile.detectors if each.scores_readings]
        started = self._started[:, slots]
        is_open = ~np.isnan(started)
        ratio = np.zeros(started.shape)
        for place, (levels, profile) in enumerate(zip(self._levels, profiles, strict=True)):
            found = levels.levels(
                judges, slots, scored.times, is_open[place], interval, profile.level_at, profile.incidents
            )
            for score, level in zip(scored.learned, found, strict=True):
                ratio[place] = np.fmax(ratio[place], score / level)
        run = np.where(ratio >= 1.0, self._run[:, slots] + 1, 0)
        calm = np.where(ratio < settings.clear_ratio, self._calm[:, slots] + 1, 0)
        over = is_open & ((calm >= settings.clear_after) | (scored.times - started >= settings.adopt_after_s))
        raised = ~is_open & (run >= settings.raise_after)
        self.incidents += raised.sum(axis=1)
        self._run[:, slots] = run
        self._calm[:, slots] = np.where(raised | over, 0, calm)
        self._started[:, slots] = np.where(over, np.nan, np.where(raised, scored.times, started))
        for place, (levels, profile) in enumerate(zip(self._levels, profiles, strict=True)):
            levels.note(judges, slots, list(scored.learned), is_open[place], profile.incidents)
            for index in np.flatnonzero(raised[place]).tolist():
                slot = int(slots[index])
                beyond = [
                    each.name
                    for each, score in zip(judges, scored.learned, strict=True)
                    if score[index] >= levels.by_detector[each.name].level[slot]
                ]
                levels.raised(slot, beyond)

    def _with_budgets(self, profile: Profile) -> list[Profile]:
        known = self._profiles.get(profile)
        if known is None:
            known = self._profiles[profile] = [profile.with_budget(each) for each in self.budgets]
        return known

    def _grow(self, sensors: int) -> None:
        for levels in self._levels:
            levels.grow(sensors)
        more = sensors - self._run.shape[1]
        if more > 0:
            shape = (len(self.budgets), max(more, self._run.shape[1], 16))
            self._run = np.concatenate([self._run, np.zeros(shape, dtype=np.int64)], axis=1)
            self._calm = np.concatenate([self._calm, np.zeros(shape, dtype=np.int64)], axis=1)
            self._started = np.concatenate([self._started, np.full(shape, np.nan)], axis=1)
