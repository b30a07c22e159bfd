"""Calibration: each sensor's raising level, from the history of its own scores, so that the alarm budget comes true.

Scores are decades of surprise, but no model of a sensor is perfect: what should happen once in a million readings may
happen once in a thousand. So the worst excursions of each sensor's scores are remembered. Their number says how often
they get that far, their distances how fast that becomes rarer, and a Pareto tail through both says at which level as
many excursions are left as the operator allows. What is still wrong with that shows in the incidents that come: more of
them than allowed raise the level, fewer lower it.

One incident is one excursion, however long it lasts and however often it comes and goes, so a fault doesn't teach that
faults are ordinary. What happened in the first half of a sensor's life, while its detectors still learned, is forgotten
by and by.

Source: peaks over threshold, J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics
3, 1975, doi:10.1214/aos/1176343003; the excesses of a Pareto tail are exponential in their logarithms. Differs: the
level is that of the predictive distribution, (1 + y / sum)**-m, which comes true on average though the tail is only
estimated from m excesses; some imagined excesses of perfect scores keep it steady; the count of incidents corrects it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors.base import Floats, Slots
from edge.core.rows import arrays_of, grow

REMEMBERED = 16
"""The worst excursions of a sensor that are remembered."""

FEWEST = 5
"""With fewer excursions than this there is no tail to speak of."""

LOWEST, HIGHEST = 1.0, 400.0
"""The raising level stays within these, in decades; a score below the lowest is no excursion."""

DAY_S = 86_400.0
SHORTEST_S = DAY_S / 4
"""A sensor that has been watched for less has the level that perfect scores would need."""

MEMORY_S = (7 * DAY_S, 30 * DAY_S)
MEMORY_ALARMS = 5.0
"""Excursions are remembered for as long as so many false alarms take, within these bounds; at most half a life."""

ABSENT_S = DAY_S / 4
"""Time without a reading, or a step of a sensor's clock, beyond this is no time in which it was watched."""

COUNTED_S = 30 * DAY_S
"""Incidents are counted with a weight that fades by a factor of e in this time."""

PERFECT = 1.0 / math.log(10.0)
"""The mean by which excursions of perfect scores exceed any level, in decades."""

IMAGINED = 4.0
"""So many imagined excesses of perfect scores are among those of a sensor."""

LARGEST = math.log(10.0)
"""An excess counts as at most this, in natural logarithms."""

REACH = 1.25
"""The level goes at most this factor beyond the worst excursion that is remembered, or beyond what perfect scores need;
and an excursion is remembered as at most this factor beyond the level: a fault is not to deafen its sensor."""

FEEDBACK, MOST_FEEDBACK = 3.0, 5.0
"""How many logarithms each standard deviation of the count of incidents is worth, and all of them at most."""


class Scored(NamedTuple):
    """One round, as calibration sees it; all arrays are of shape (n,), decades where nothing else is said.

    Attributes:
        slots: Row of each sensor.
        scores: The largest score of any detector; NaN for none.
        times: Of the readings, seconds since the epoch.
        is_open: Where an incident is open; it goes on as one excursion.
        levels: The raising levels that the scores were held against.
        assumed: Those that perfect scores would need.
    """

    slots: Slots
    scores: Floats
    times: Floats
    is_open: NDArray[np.bool_]
    levels: Floats
    assumed: Floats

    def without(self, left_out: NDArray[np.bool_]) -> Scored:
        """The same round without some of its readings."""
        kept = ~left_out
        return Scored(
            self.slots[kept],
            self.scores[kept],
            self.times[kept],
            self.is_open[kept],
            self.levels[kept],
            self.assumed[kept],
        )


class Calibration:
    """The worst excursions of every sensor, its incidents, and the raising level that follows; one row a sensor.

    State: 304 bytes a sensor.

    Attributes:
        began: When it was first scored; NaN before. What it was absent for is not counted.
        noted: When the level was last worked out.
        due: When it will be again, if no excursion ends before.
        worst: The worst score of the excursion that it is in; 0 if it is in none.
        calm: Readings in a row below `least` since.
        peaks: The worst scores of its worst excursions; 0 where there is none.
        peaked: When those ended.
        least: The score from which on an excursion is worth remembering.
        incidents: Incidents that were raised, weighted by age.
        watched: Days in which they were, weighted likewise.
        level: The raising level in decades; NaN while there is none.
    """

    def __init__(self) -> None:
        self.began = np.zeros(0)
        self.noted = np.zeros(0)
        self.due = np.zeros(0)
        self.worst = np.zeros(0)
        self.calm = np.zeros(0, dtype=np.int64)
        self.peaks = np.zeros((0, REMEMBERED))
        self.peaked = np.zeros((0, REMEMBERED))
        self.least = np.zeros(0)
        self.incidents = np.zeros(0)
        self.watched = np.zeros(0)
        self.level = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        grow(self, rows, began=np.nan, due=-np.inf, least=LOWEST, level=np.nan)

    def levels(self, slots: Slots, assumed: Floats) -> Floats:
        """The raising levels of some sensors, shape (n,); `assumed` for those that are still unknown."""
        level = self.level[slots]
        return np.where(np.isnan(level), assumed, level)

    def note(self, scored: Scored, settings: IncidentSettings) -> None:
        """Take note of the scores of one round, no sensor twice.

        Args:
            scored: The round.
            settings: What the operator allows these sensors.
        """
        slots, scores, times = scored.slots, scored.scores, scored.times
        busy = (scores >= self.least[slots]) | (self.worst[slots] > 0) | (times >= self.due[slots])
        for index in np.flatnonzero(busy & ~np.isnan(scores)).tolist():
            row, time = int(slots[index]), float(times[index])
            score = min(float(scores[index]), REACH * float(scored.levels[index]))
            if self._follow(row, score, settings.clear_after, is_open=bool(scored.is_open[index])):
                self._remember(row, time)
            elif time < self.due[row]:
                continue
            self._work_out(row, time, settings, float(scored.assumed[index]))

    def raised(self, slot: int, time: float, settings: IncidentSettings, assumed: float) -> None:
        """Take note that an incident was raised, of a sensor for which perfect scores would need `assumed` decades."""
        if not math.isnan(self.began[slot]):
            self.incidents[slot] += 1.0
            self._work_out(slot, time, settings, assumed)

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        for array in (self.began, self.noted, self.due):
            array[slots] += by
        self.peaked[slots] += by

    def take_rows(self, other: Calibration, slots: list[int]) -> None:
        """Take over what another one knows of some sensors."""
        for name, array in arrays_of(self).items():
            array[slots] = getattr(other, name)[slots]

    def _follow(self, row: int, score: float, clear_after: int, *, is_open: bool) -> bool:
        """Follow a sensor's excursion by one reading; whether it has ended."""
        if score >= self.least[row]:
            self.worst[row] = max(self.worst[row], score)
            self.calm[row] = 0
        elif self.worst[row] > 0 and not is_open:
            self.calm[row] += 1
        return bool(self.worst[row] > 0 and self.calm[row] >= clear_after)

    def _remember(self, row: int, time: float) -> None:
        """Keep an excursion that has ended, if it is one of the worst."""
        peaks = self.peaks[row]
        place = int(np.argmin(peaks))
        if self.worst[row] > peaks[place]:
            peaks[place], self.peaked[row, place] = self.worst[row], time
        self.worst[row], self.calm[row] = 0.0, 0

    def _work_out(self, row: int, time: float, settings: IncidentSettings, assumed: float) -> None:
        """The level of a sensor, when it has been through an excursion or some time has passed."""
        alarms = settings.false_alarms_per_sensor_per_day
        self._let_time_pass(row, time)
        life = time - float(self.began[row])
        memory = min(life / 2, max(MEMORY_S[0], min(MEMORY_S[1], MEMORY_ALARMS * DAY_S / alarms)))
        peaks = self.peaks[row]
        peaks[self.peaked[row] < time - memory] = 0.0
        self.least[row] = max(LOWEST, float(peaks.min()))
        self.due[row] = time + min(max(life / 16, DAY_S / 96), DAY_S / 2)
        allowed = alarms * float(self.watched[row])
        surprising = (float(self.incidents[row]) - allowed) / math.sqrt(allowed + 1.0)
        level = level_for(np.sort(peaks[peaks > 0]).tolist(), memory, life, alarms, surprising)
        self.level[row] = min(level, REACH * max(assumed, float(peaks.max())))  # NaN stays

    def _let_time_pass(self, row: int, time: float) -> None:
        if math.isnan(self.began[row]):
            self.began[row] = self.noted[row] = time
        elapsed = time - float(self.noted[row])
        absent = elapsed - min(max(elapsed, 0.0), ABSENT_S)
        self.began[row] += absent
        self.peaked[row] += absent
        fading = math.exp(-(elapsed - absent) / COUNTED_S)
        self.incidents[row] *= fading
        self.watched[row] = self.watched[row] * fading + (1.0 - fading) * COUNTED_S / DAY_S
        self.noted[row] = time


def level_for(peaks: list[float], memory_s: float, life_s: float, alarms: float, surprising: float) -> float:
    """The level that as many excursions exceed as may be.

    Args:
        peaks: The worst excursions, the least first.
        memory_s: The time in which they were, in seconds.
        life_s: How long the sensor has been watched.
        alarms: False incidents a day that it may cost.
        surprising: By how many standard deviations there were more incidents than that.

    Returns:
        Decades, `LOWEST` to `HIGHEST`; NaN if nothing can be said yet.
    """
    if life_s < SHORTEST_S:
        return math.nan
    days = memory_s / DAY_S
    if len(peaks) < FEWEST:
        return LOWEST if alarms * days > len(peaks) + 1 else math.nan
    excesses = sum(min(math.log(each / peaks[0]), LARGEST) for each in peaks)
    total = excesses + IMAGINED * PERFECT / peaks[0]
    number = len(peaks) - 1 + IMAGINED
    too_many = (len(peaks) - 1) / days / alarms
    too_many *= math.exp(max(-MOST_FEEDBACK, min(MOST_FEEDBACK, FEEDBACK * surprising)))
    level = peaks[0] * math.exp(total * (too_many ** (1.0 / number) - 1.0))
    return max(LOWEST, min(HIGHEST, level))
