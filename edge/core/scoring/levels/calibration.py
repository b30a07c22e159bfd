"""Calibration: the raising level of one detector for each sensor, from the history of its scores there.

The budget of false alarms is a ceiling: a level rises until no more than the allowed number of incidents come, and
falls no lower than what the detector's scores need by chance alone, however calm a sensor is.

Scores are decades of surprise, but no model of a sensor is perfect: what should come once in a million readings may
come once in a thousand. So two things stand in for the level that perfect scores would need.

*What was almost an incident.* The worst excursions of a sensor's scores are remembered, each by its peak. Their number
says how often its scores get that far, how far they reach says how fast that becomes rarer, and the exponential tail
through both says at which level as many are left as the operator allows. An excursion ends as the incident would that
it raises. This learns quickly, as it needs no incidents, but a tail that isn't exponential deceives it.

*What was one.* Each incident raises the level, and time lowers it again, at the pace that makes good for one incident
in the time that the operator allows for one. This is slow, but can't be deceived: in the long run no more come than
were asked for, whatever the scores are like.

No fault makes a sensor deaf. A detector's level follows from its own excursions, so that what another detector finds
doesn't raise it. How far the worst `FAULTS` peaks reach is no matter, any counts as at most twice the largest that was
known, and those that come within `EPISODE_S` of each other are one; incidents raise the level by `MOST_CORRECTION` at
most, and never beyond `BEYOND` times what was seen. What has come more often than chance and these faults explain is a
habit, though, and the level doesn't stay below it.

Time is the time that a sensor has been watched for, as `edge.core.scoring.levels.alarm_levels` counts it.

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
"""Excursions of a sensor that are remembered, the worst ones."""

EBB = 0.1
"""When one is forgotten, the score from which on they are worth remembering falls by this, in decades, each time that
the level is worked out: lower ones had been turned away, and would be missed."""

LOWEST, HIGHEST = 1.0, 100.0
"""A raising level is at most `HIGHEST`, in decades; a score below `LOWEST` is no excursion."""

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

EPISODE_S = DAY_S / 4
"""Excursions above the level that are closer than this are one."""

BEYOND = 1.5
"""What is so many times as surprising as anything that is remembered raises an incident, if chance allows it."""

STEP = float(np.log(4.0))
"""An incident raises the level to where the tail has a quarter of the excursions: its natural logarithm."""

MOST_CORRECTION = 2.5 * STEP


class Tail(NamedTuple):
    """The distribution of the scores of some sensors; all arrays have shape (n,).

    Attributes:
        least: Level that is reached `per_day` times a day, in decades.
        per_day: Excursions a day that reach it.
        scale: Decades in which they become rarer by the factor e.
        excursions: Number of them.
        weight: Number of excesses that the scale is estimated from.
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
    """The worst excursions of one detector's scores, and the raising level that follows; one row a sensor.

    State: 240 bytes a sensor.

    Attributes:
        level: The raising level, in decades, as it was last worked out; 0 before.
        correction: By how many scales of the tail past incidents move the level.
        incidents: Number of incidents that this detector has raised.
        peaks: The worst excursions, in decades; 0 is none.
        peaked: Watched seconds when they ended.
        least: The score from which on an excursion is worth remembering.
        crest: The worst score of the excursion that the sensor is in; 0 if it is in none.
        began: Watched seconds when that began.
        calm: Calm readings in a row within it.
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
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, least=LOWEST)

    def note(self, slots: Rows, scores: Numbers, watched: Numbers, is_open: Any, settings: IncidentSettings) -> None:
        """Record the scores of these readings.

        Args:
            slots: Their sensors, no one twice, shape (n,), or a single one.
            scores: Surprise, in decades, or NaN, shape (n,).
            watched: Seconds for which the sensors have been watched, shape (n,).
            is_open: True where an incident is open or being adopted; it counts as one excursion.
            settings: The incident settings, which say when an incident ends.
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
        """Record an incident that the detector's score has raised, of a sensor that is `settled` or not."""
        self.incidents[slot] += 1.0
        if settled:
            self.correction[slot] = min(self.correction[slot] + STEP, MOST_CORRECTION)

    def take_rows(self, other: Calibration, slots: list[int]) -> None:
        """Take over what another one knows of some sensors."""
        for name, array in self.arrays.items():
            array[slots] = getattr(other, name)[slots]

    def _remember(self, slots: Slots, crest: Floats, began: Floats, watched: Floats) -> None:
        """Keep excursions that have ended, if they are among the worst; those of one episode as one."""
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
        """Work out the levels of some sensors anew.

        Args:
            slots: The sensors, shape (n,).
            watched: Seconds for which they have been watched, shape (n,).
            lapsed: Seconds of these since the last time, once they had settled, shape (n,).
            assumed: The levels of the first hours, in decades, shape (n,).
            floor: The levels that chance alone needs, shape (n,).
            allowed: Incidents a day that this detector may raise.
        """
        begin = np.maximum(watched - min(MEMORY_S, MEMORY_ALARMS / allowed * DAY_S), FIRST_SHARE * watched)
        peaks = np.where(self.peaked[slots] >= begin[:, None], self.peaks[slots], 0.0)
        days = np.maximum(watched - begin, 1.0) / DAY_S
        tail = tail_of(peaks, days)
        correction = np.maximum(self.correction[slots] - STEP * allowed * lapsed / DAY_S, 0.0)
        level = np.maximum(tail.level_for(allowed), habit_of(peaks, allowed * days))
        level += correction * np.maximum(tail.scale, PERFECT)
        level = np.minimum(level, np.maximum(BEYOND * peaks.max(axis=1), assumed))
        is_known = (watched >= SETTLED_S) | ((watched >= EARLIEST_S) & (tail.excursions >= FEWEST))
        self.level[slots] = np.where(is_known, np.clip(level, floor, HIGHEST), assumed)
        self.correction[slots] = correction
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
        allowed: Number of incidents that the budget allowed in their time, shape (n,).
    """
    place = np.minimum(np.ceil(allowed + FAULTS), peaks.shape[1]).astype(np.intp)
    worst_last = np.sort(peaks, axis=1)
    habit: Floats = worst_last[np.arange(len(peaks)), peaks.shape[1] - place]
    return habit
