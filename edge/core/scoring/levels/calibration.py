"""Calibration: the raising level of one detector for each sensor, derived from the history of its scores.

The budget of false alarms is an upper bound: a level rises until no more than the allowed number of incidents occur,
and never falls below what the detector's scores require by chance alone, however calm a sensor is.

Scores are decades of surprise, but no model of a sensor is perfect: what should occur once in a million readings may
occur once in a thousand. Two mechanisms therefore replace the level that perfect scores would require.

*Near misses.* The worst excursions of a sensor's scores are kept, each by its peak. Their number is the frequency of
such scores, their spread is the rate at which higher ones become rarer, and the exponential tail fitted to both gives
the level that leaves as many as the operator allows. An excursion ends as the incident that it raises would. This
learns quickly, since it needs no incidents, but is misled by a tail that isn't exponential.

*Incidents.* Each incident raises the level and time lowers it again, at the rate that balances one incident in the time
that the operator allows for one. This is slow but can't be misled: in the long run no more incidents occur than
allowed, whatever the scores.

No fault desensitises a sensor. A detector's level depends on its own excursions, so findings of other detectors don't
raise it. The heights of the worst `FAULTS` peaks are ignored, each peak counts as at most twice the largest one before
it, and peaks within `EPISODE_S` of each other count as one. Incidents raise the level by `MOST_CORRECTION` at most, and
never beyond `BEYOND` times the largest observed. Peaks that occur more often than chance and these faults explain are a
habit, however, and the level doesn't stay below them.

Time is observed time as counted by `edge.core.scoring.levels.alarm_levels`.

Sources: J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3 (1), 1975,
doi:10.1214/aos/1176343003, for peaks over a threshold, the exponential tail being the case of shape 0; I. Gibbs and
E. Candes, "Adaptive conformal inference under distribution shift", 2021, arXiv:2106.00170, for the correction.
Differs: the tail's scale is that of excesses that are censored at the worst peak which is no fault, as B. Epstein and
M. Sobel have it, "Life testing", Journal of the American Statistical Association 48, 1953, doi:10.2307/2281004, and is
held to what perfect scores have by some imagined excursions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from config.schema import IncidentSettings
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, maximum, where
from edge.core.model.sensors.sensor_arrays import SensorArrays

DAY_S = 86_400.0

REMEMBERED = 16
"""Number of excursions kept for each sensor, the worst ones."""

EBB = 0.1
"""After one is dropped, the minimum score to keep an excursion falls by this many decades at each computation, because
lower ones were rejected and would be missing."""

LOWEST, HIGHEST = 1.0, 100.0
"""Maximum raising level, in decades; minimum score of an excursion."""

MEMORY_S = 30 * DAY_S
MEMORY_ALARMS = 8.0
"""Excursions are kept for the time in which this many incidents are allowed, at most `MEMORY_S`."""

FIRST_SHARE = 1 / 3
"""Share of the observed time, at its beginning, that is ignored because everything was new."""

EARLIEST_S = DAY_S / 4
FEWEST = 5
"""Before this time, or this many excursions, scores are assumed to be perfect; once settled, few excursions mean a calm
sensor."""

SETTLED_S = 3 * DAY_S
"""Observed time after which incidents correct the level."""

PERFECT = 1.0 / np.log(10.0)
"""Mean excess of perfect scores over any level, in decades."""

IMAGINED = 4.0
"""Number of imagined excursions of perfect scores that are added to the real ones."""

CERTAIN = 1e6
"""Weight of the scale of perfect scores when it is used as the sensor's own."""

STRETCH = 2.0
FIRST_PEAK = 2.5
"""Maximum height of a peak: `STRETCH` times the largest one, or this many decades."""

FAULTS = 2
"""Number of the worst peaks that may be faults, whose height isn't used for the tail. Larger numbers, beyond the
allowed ones, are a habit."""

EPISODE_S = DAY_S / 4
"""Excursions above the level within this time count as one."""

BEYOND = 1.5
"""A score this many times as large as all remembered ones raises an incident, if chance allows it."""

STEP = float(np.log(4.0))
"""An incident raises the level to where the tail has a quarter of the excursions; this is the natural logarithm of the
factor."""

MOST_CORRECTION = 2.5 * STEP


class Tail(NamedTuple):
    """The distribution of scores of several sensors; all arrays have shape (n,).

    Attributes:
        least: Level reached `per_day` times a day, in decades.
        per_day: Number of excursions per day that reach it.
        scale: Decades over which they become rarer by a factor of e.
        excursions: Number of excursions.
        weight: Number of excesses used to estimate the scale.
    """

    least: Floats
    per_day: Floats
    scale: Floats
    excursions: Floats
    weight: Floats

    def level_for(self, per_day: float) -> Floats:
        """The level reached this many times a day, averaged over all tails consistent with the observations."""
        too_many = np.log(self.per_day / per_day)
        level: Floats = self.least + self.scale * self.weight * np.expm1(too_many / self.weight)
        return level


class Calibration(SensorArrays):
    """The worst excursions of one detector's scores and the resulting raising level; one row per sensor.

    State: 240 bytes per sensor.

    Attributes:
        level: Last computed raising level, in decades; 0 before the first.
        correction: Shift of the level by past incidents, in scales of the tail.
        incidents: Number of incidents raised by this detector.
        peaks: The worst excursions, in decades; 0 for unused entries.
        peaked: Observed time at which they ended, in seconds.
        least: Minimum score to keep an excursion.
        crest: Highest score of the current excursion; 0 if there is none.
        began: Observed time at which it began, in seconds.
        calm: Number of consecutive calm readings within it.
    """

    def __init__(self) -> None:
        self.level = np.zeros(0)
        self.correction = np.zeros(0)
        self.incidents = np.zeros(0)
        self.peaks = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.peaked = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.least = np.zeros(0)
        self.crest = np.zeros(0)
        self.began = np.zeros(0)
        self.calm = np.zeros(0, dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, least=LOWEST)

    def note(self, slots: Rows, scores: Numbers, watched: Numbers, is_open: Any, settings: IncidentSettings) -> None:
        """Record the scores of these readings.

        Args:
            slots: Their distinct sensors, shape (n,), or a single one.
            scores: Surprise, in decades, or NaN, shape (n,).
            watched: Observed time of the sensors in seconds, shape (n,).
            is_open: Whether an incident is open or being adopted, which counts as one excursion, shape (n,).
            settings: The incident settings, which define when an incident ends.
        """
        state = self.at(slots)
        crest = state["crest"][slots]
        active = (scores >= state["least"][slots]) | (crest > 0)
        if not any_of(active):
            return
        if type(slots) is not int:
            slots, scores, is_open, crest = slots[active], scores[active], is_open[active], crest[active]
            watched = watched[active]
        score = where(scores >= 0, scores, 0.0)
        began = where(crest > 0, state["began"][slots], watched)
        crest = maximum(crest, score)
        calm = where(score < settings.clear_ratio * crest, state["calm"][slots] + 1, 0)
        ended = (calm >= settings.clear_after) | (watched - began >= settings.adopt_after_s)
        over = where(is_open, False, ended)
        state["crest"][slots] = where(over, 0.0, crest)
        state["began"][slots] = began
        state["calm"][slots] = where(over, 0, calm)
        if any_of(over):
            which = np.flatnonzero(over)
            self._remember(*(np.atleast_1d(each)[which] for each in (slots, crest, began, watched)))

    def raised(self, slot: int, *, settled: bool) -> None:
        """Record an incident raised by the detector's score, of a sensor that is `settled` or not."""
        self.incidents[slot] += 1.0
        if settled:
            self.correction[slot] = min(self.correction[slot] + STEP, MOST_CORRECTION)

    def take_rows(self, other: Calibration, slots: list[int]) -> None:
        """Copy the calibration of some sensors from another instance."""
        for name, array in self.arrays.items():
            array[slots] = getattr(other, name)[slots]

    def _remember(self, slots: Slots, crest: Floats, began: Floats, watched: Floats) -> None:
        """Keep completed excursions that are among the worst; those of one episode are merged."""
        peaks, peaked = self.peaks[slots], self.peaked[slots]
        each = np.arange(len(slots))
        believed = np.minimum(crest, STRETCH * np.maximum(peaks.max(axis=1), FIRST_PEAK))
        newest = np.where(peaks > 0, peaked, -np.inf).argmax(axis=1)
        level = self.level[slots]
        same = (crest >= level) & (peaks[each, newest] >= level) & (began - peaked[each, newest] <= EPISODE_S)
        place = np.where(same, newest, peaks.argmin(axis=1))
        believed = np.where(same, np.maximum(believed, peaks[each, newest]), believed)
        kept = same | (believed > peaks[each, place])
        slots, place = slots[kept], place[kept]
        self.peaks[slots, place] = believed[kept]
        self.peaked[slots, place] = watched[kept]
        self.least[slots] = np.maximum(self.peaks[slots].min(axis=1), self.least[slots])

    def work_out(
        self, slots: Slots, watched: Floats, lapsed: Floats, assumed: Floats, floor: Floats, allowed: float
    ) -> None:
        """Recompute the levels of sensors.

        Args:
            slots: The sensors, shape (n,).
            watched: Their observed time in seconds, shape (n,).
            lapsed: Part of it since the last computation and after settling, shape (n,).
            assumed: Levels used in the first hours, in decades, shape (n,).
            floor: Levels that chance alone requires, shape (n,).
            allowed: Number of incidents per day that this detector may raise.
        """
        begin = np.maximum(watched - min(MEMORY_S, MEMORY_ALARMS / allowed * DAY_S), FIRST_SHARE * watched)
        peaks = np.where(self.peaked[slots] >= begin[:, None], self.peaks[slots], 0.0)
        self.peaks[slots] = peaks
        lowest = peaks.min(axis=1)
        self.least[slots] = np.maximum(np.where(lowest > 0, lowest, self.least[slots] - EBB), LOWEST)
        if watched.max() < EARLIEST_S:
            self.level[slots] = assumed
            return
        days = np.maximum(watched - begin, 1.0) / DAY_S
        tail = tail_of(peaks, days)
        correction = np.maximum(self.correction[slots] - STEP * allowed * lapsed / DAY_S, 0.0)
        level = np.maximum(tail.level_for(allowed), habit_of(peaks, allowed * days))
        level += correction * np.maximum(tail.scale, PERFECT)
        level = np.minimum(level, np.maximum(BEYOND * peaks.max(axis=1), assumed))
        is_known = (watched >= SETTLED_S) | ((watched >= EARLIEST_S) & (tail.excursions >= FEWEST))
        self.level[slots] = np.where(is_known, np.clip(level, floor, HIGHEST), assumed)
        self.correction[slots] = correction


def tail_of(peaks: Floats, days: Floats) -> Tail:
    """Estimate the tail from the worst excursions.

    Args:
        peaks: Their peaks, in decades; 0 for unused entries; shape (n, most).
        days: Days in which they occurred, shape (n,).
    """
    is_peak = peaks > 0
    excursions = np.count_nonzero(is_peak, axis=1).astype(np.float64)
    enough = excursions >= FEWEST
    least = np.where(enough, np.where(is_peak, peaks, np.inf).min(axis=1), LOWEST)
    most = np.sort(peaks, axis=1)[:, -1 - FAULTS]
    beyond = np.where(is_peak, np.minimum(peaks, most[:, None]) - least[:, None], 0.0).sum(axis=1)
    weight = np.where(enough, IMAGINED + excursions - 1.0 - FAULTS, CERTAIN)
    scale = np.where(enough, (IMAGINED * PERFECT + beyond) / weight, PERFECT)
    return Tail(least, np.where(enough, excursions, excursions + 1.0) / days, scale, excursions, weight)


def habit_of(peaks: Floats, allowed: Floats) -> Floats:
    """The worst peaks that occur more often than chance explains, in decades; 0 if there are none; shape (n,).

    Args:
        peaks: Peaks of excursions, in decades; 0 for unused entries; shape (n, most).
        allowed: Number of incidents allowed by the budget in that time, shape (n,).
    """
    place = np.minimum(np.ceil(allowed + FAULTS), peaks.shape[1]).astype(np.intp)
    worst_last = np.sort(peaks, axis=1)
    habit: Floats = worst_last[np.arange(len(peaks)), peaks.shape[1] - place]
    return habit
