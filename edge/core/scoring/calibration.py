"""Calibration: each sensor's raising level, from the history of its own scores, so that the alarm budget comes true.

Scores are decades of surprise, but no model of a sensor is perfect: what should come once in a million readings may
come once in a thousand. So two things stand in for the level that perfect scores would need.

*What was almost an incident.* The worst excursions of a sensor's scores are remembered, each by its peak. Their number
says how often its scores get that far, how far they reach says how fast that becomes rarer, and the exponential tail
through both says at which level as many are left as the operator allows. An excursion ends as the incident would that
it raises. This learns quickly, as it needs no incidents, but a tail that isn't exponential deceives it.

*What was one.* Each incident raises the level, and time lowers it again, at the pace that makes good for one incident
in the time that the operator allows for one. This is slow, but can't be deceived: in the long run as many come as were
asked for, whatever the scores are like.

No fault makes a sensor deaf. How far the worst `FAULTS` peaks reach is no matter, and any counts as at most twice the
largest that was known; incidents raise the level by `MOST_CORRECTION` at most. What has come more often than chance and
these faults explain is a habit, though, and the level doesn't stay below it.

Time is the time that a sensor has been watched for: absences are left out, and its clock may be set.

Sources: J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3 (1), 1975,
doi:10.1214/aos/1176343003, for peaks over a threshold, the exponential tail being the case of shape 0; I. Gibbs and
E. Candes, "Adaptive conformal inference under distribution shift", 2021, arXiv:2106.00170, for the correction.
Differs: the tail's scale is that of excesses that are censored at the worst peak which is no fault, as B. Epstein and
M. Sobel have it, "Life testing", Journal of the American Statistical Association 48, 1953, doi:10.2307/2281004, and is
held to what perfect scores have by some imagined excursions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from config.schema import IncidentSettings
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, bounded, maximum, where
from edge.core.model.sensor_arrays import SensorArrays

DAY_S = 86_400.0

REMEMBERED = 16
"""Excursions of a sensor that are remembered, the worst ones."""

EBB = 0.1
"""When one is forgotten, the score from which on they are worth remembering falls by this, in decades, each time that
the level is worked out: lower ones had been turned away, and would be missed."""

LOWEST, HIGHEST = 1.0, 100.0
"""The raising level stays within these, in decades; a score below the lowest is no excursion."""

ABSENT_S = DAY_S / 4
"""Time without a reading beyond this is no time in which the sensor was watched."""

MEMORY_S = 30 * DAY_S
MEMORY_ALARMS = 8.0
"""Excursions are remembered for as long as so many incidents are asked for, `MEMORY_S` at most."""

FIRST_SHARE = 1 / 3
"""This share of the time that a sensor has been watched for, its beginning, is left out: everything was new then."""

EARLIEST_S = DAY_S / 4
FEWEST = 5
"""Before so long, or so many excursions, scores are taken for perfect; once settled, few mean a calm sensor."""

SETTLED_S = 3 * DAY_S
"""From here on, incidents correct the level."""

PERFECT = 1.0 / np.log(10.0)
"""Mean by which excursions of perfect scores exceed any level, in decades."""

IMAGINED = 4.0
"""So many imagined excursions of perfect scores speak beside the real ones."""

CERTAIN = 1e6
"""Excesses that the scale of perfect scores rests on, where it is taken for the sensor's own."""

STRETCH = 2.0
FIRST_PEAK = 2.5
"""A peak counts as at most `STRETCH` times the largest one, or this many decades."""

FAULTS = 2
"""So many of the worst peaks may be faults: how far they reach says nothing of the tail. More of them than that, beside
those that were allowed, are a habit."""

STEP = float(np.log(4.0))
"""An incident raises the level to where the tail has a quarter of the excursions: its natural logarithm."""

MOST_CORRECTION = 2.5 * STEP

REFRESH_LEAST_S = 10.0
REFRESH_S = DAY_S / 8
REFRESH_SHARE = 0.02
REFRESH_ALARMS = 0.1
"""A level is worked out anew after this time, this share of a sensor's age, or as many asked-for incidents; after
`REFRESH_LEAST_S` at the soonest, once an interval is known."""

Assume = Callable[[Slots], Floats]
"""The levels that perfect scores would need, in decades, of some of the sensors in question, told by their places."""


class Tail(NamedTuple):
    """How often the scores of some sensors get how far; all arrays have shape (n,).

    Attributes:
        least: Level that is reached `per_day` times a day, in decades.
        per_day: Excursions a day that reach it.
        scale: Decades in which they become rarer by the factor e.
        excursions: How many there are.
        weight: How many excesses the scale rests on.
    """

    least: Floats
    per_day: Floats
    scale: Floats
    excursions: Floats
    weight: Floats

    def level_for(self, per_day: float) -> Floats:
        """The level that is reached so many times a day, on average over all tails that may be behind what was seen."""
        too_many = np.log(self.per_day / per_day)
        level: Floats = self.least + self.scale * self.weight * np.expm1(too_many / self.weight)
        return level


class Calibration(SensorArrays):
    """The worst excursions of every sensor, and the raising level that follows; one row a sensor.

    State: 360 bytes a sensor.

    Attributes:
        time: Of the last reading, seconds since the epoch; NaN before the first.
        watched: Seconds that it has been watched for.
        level: The raising level, in decades, as it was last worked out.
        assumed: The level that perfect scores would need, likewise.
        correction: By how many scales of the tail past incidents move the level.
        incidents: How many it has had.
        worked_out: Watched seconds when the level was worked out.
        due: Watched seconds when it will be again.
        peaks: The worst excursions, in decades; 0 is none.
        peaked: Watched seconds when they ended.
        least: The score from which on an excursion is worth remembering.
        crest: The worst score of the excursion that it is in; 0 if it is in none.
        began: Watched seconds when that began.
        calm: Calm readings in a row within it.
    """

    def __init__(self) -> None:
        self.time = np.zeros(0)
        self.watched = np.zeros(0)
        self.level = np.zeros(0)
        self.assumed = np.zeros(0)
        self.correction = np.zeros(0)
        self.incidents = np.zeros(0)
        self.worked_out = np.zeros(0)
        self.due = np.zeros(0)
        self.peaks = np.zeros((0, REMEMBERED))
        self.peaked = np.zeros((0, REMEMBERED))
        self.least = np.zeros(0)
        self.crest = np.zeros(0)
        self.began = np.zeros(0)
        self.calm = np.zeros(0, dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, time=np.nan, least=LOWEST)

    def levels(self, slots: Rows, times: Numbers, assume: Assume, settings: IncidentSettings) -> Numbers:
        """The raising levels that the next readings are held against, in decades, shape (n,).

        Args:
            slots: Their sensors, no one twice, shape (n,), or a single one.
            times: Their times, seconds since the epoch, shape (n,).
            assume: Asked for the sensors whose level is worked out anew.
            settings: What the operator allows.
        """
        state = self.at(slots)
        passed = bounded(times - state["time"][slots], 0.0, ABSENT_S)
        watched = state["watched"][slots] + where(passed >= 0, passed, 0.0)
        state["watched"][slots] = watched
        state["time"][slots] = times
        due = watched >= state["due"][slots]
        if any_of(due):
            which = np.flatnonzero(due)
            self._work_out(np.atleast_1d(slots)[which], np.atleast_1d(watched)[which], assume(which), settings)
        return state["level"][slots]

    def note(self, slots: Rows, scores: Numbers, is_open: Any, settings: IncidentSettings) -> None:
        """Take note of the scores of these readings.

        Args:
            slots: Their sensors, as they were given to `levels()`, shape (n,), or a single one.
            scores: The largest surprise of any detector, in decades, or NaN, shape (n,).
            is_open: Where an incident is open, or is being adopted; it goes on as one excursion.
            settings: When an incident is over.
        """
        state = self.at(slots)
        crest = state["crest"][slots]
        active = (scores >= state["least"][slots]) | (crest > 0)
        if not any_of(active):
            return
        if active is not True:
            slots, scores, is_open, crest = slots[active], scores[active], is_open[active], crest[active]
        score = where(scores >= 0, scores, 0.0)
        watched = state["watched"][slots]
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
            self._remember(*(np.atleast_1d(each)[which] for each in (slots, crest, watched)))

    def raised(self, slot: int) -> None:
        """Take note of an incident that a sensor's score has raised."""
        self.incidents[slot] += 1.0
        if self.watched[slot] >= SETTLED_S:
            self.correction[slot] = min(self.correction[slot] + STEP, MOST_CORRECTION)
            self.due[slot] = self.watched[slot]

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        self.time[slots] += by

    def take_rows(self, other: Calibration, slots: list[int]) -> None:
        """Take over what another one knows of some sensors."""
        for name, array in self.arrays.items():
            array[slots] = getattr(other, name)[slots]

    def _remember(self, slots: Slots, crest: Floats, watched: Floats) -> None:
        """Keep excursions that have ended, if they are among the worst."""
        peaks = self.peaks[slots]
        believed = np.minimum(crest, STRETCH * np.maximum(peaks.max(axis=1), FIRST_PEAK))
        place = peaks.argmin(axis=1)
        worse = believed > peaks[np.arange(len(slots)), place]
        slots, place = slots[worse], place[worse]
        self.peaks[slots, place] = believed[worse]
        self.peaked[slots, place] = watched[worse]
        self.least[slots] = np.maximum(self.peaks[slots].min(axis=1), self.least[slots])

    def _work_out(self, slots: Slots, watched: Floats, assumed: Floats, settings: IncidentSettings) -> None:
        """Work out levels anew, of sensors that have been watched for so many seconds."""
        allowed = settings.false_alarms_per_sensor_per_day
        begin = np.maximum(watched - min(MEMORY_S, MEMORY_ALARMS / allowed * DAY_S), FIRST_SHARE * watched)
        peaks = np.where(self.peaked[slots] >= begin[:, None], self.peaks[slots], 0.0)
        days = np.maximum(watched - begin, 1.0) / DAY_S
        tail = tail_of(peaks, days)
        lapsed = np.maximum(watched - np.maximum(self.worked_out[slots], SETTLED_S), 0.0)
        correction = np.maximum(self.correction[slots] - STEP * allowed * lapsed / DAY_S, -MOST_CORRECTION)
        level = np.maximum(tail.level_for(allowed), habit_of(peaks, allowed * days))
        level += correction * np.maximum(tail.scale, PERFECT)
        is_known = (watched >= SETTLED_S) | ((watched >= EARLIEST_S) & (tail.excursions >= FEWEST))
        self.level[slots] = np.where(is_known, np.clip(level, LOWEST, HIGHEST), assumed)
        self.assumed[slots] = assumed
        self.correction[slots] = correction
        self.worked_out[slots] = watched
        soon = min(REFRESH_S, REFRESH_ALARMS / allowed * DAY_S)
        later = np.maximum(np.minimum(REFRESH_SHARE * watched, soon), REFRESH_LEAST_S)
        self.due[slots] = watched + np.where(watched > 0, later, 0.0)
        self.peaks[slots] = peaks
        is_full = peaks.min(axis=1) > 0
        self.least[slots] = np.maximum(np.where(is_full, peaks.min(axis=1), self.least[slots] - EBB), LOWEST)


def tail_of(peaks: Floats, days: Floats) -> Tail:
    """The tail of excursions, from the worst of them.

    Args:
        peaks: Their peaks, in decades; 0 is none; shape (n, most).
        days: In which they came, shape (n,).
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
    """The worst peaks that came more often than chance explains, in decades; 0 where there is none; shape (n,).

    Args:
        peaks: Of excursions, in decades; 0 is none; shape (n, most).
        allowed: How many incidents were allowed in their time, shape (n,).
    """
    place = np.minimum(np.ceil(allowed + FAULTS), peaks.shape[1]).astype(np.intp)
    worst_last = np.sort(peaks, axis=1)
    habit: Floats = worst_last[np.arange(len(peaks)), peaks.shape[1] - place]
    return habit
