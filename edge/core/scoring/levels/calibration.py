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

Time is observed time as counted by `edge.core.scoring.levels.alarm_levels`. A detector that learns for days before it
has an opinion is calibrated from then on (`Detector.warm_up_s`): what it hasn't judged wasn't calm.

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
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.gather import filled
from edge.core.scoring.levels.tails import DAY_S, FEWEST, LOWEST, PERFECT, Singles, ascending, habit_of, tail_of

REMEMBERED = 16
"""Number of excursions kept for each sensor, the worst ones."""

EBB = 0.1
"""After one is dropped, the minimum score to keep an excursion falls by this many decades at each computation, because
lower ones were rejected and would be missing."""

HIGHEST = 100.0
"""Maximum raising level, in decades."""

MEMORY_S = 30 * DAY_S
MEMORY_ALARMS = 8.0
"""Excursions are kept for the time in which this many incidents are allowed, at most `MEMORY_S`."""

FIRST_SHARE = 1 / 3
"""Share of the observed time, at its beginning, that is ignored because everything was new."""

EARLIEST_S = DAY_S / 4
"""Before this time, or `FEWEST` excursions, scores are assumed to be perfect; once settled, few excursions mean a calm
sensor, with less doubt the longer they are few."""

SETTLED_S = 3 * DAY_S
"""Observed time after which incidents correct the level."""

STRETCH = 2.0
FIRST_PEAK = 2.5
"""Maximum height of a peak: `STRETCH` times the largest one, or this many decades."""

EPISODE_S = DAY_S / 4
"""Excursions above the level within this time count as one."""

BEYOND = 1.5
"""A score this many times as large as all remembered ones raises an incident, if chance allows it."""

STEP = float(np.log(4.0))
"""An incident raises the level to where the tail has a quarter of the excursions; this is the natural logarithm of the
factor."""

MOST_CORRECTION = 2.5 * STEP


class Calibration(NamedTuple):
    """The worst excursions of a detector's scores and the resulting raising level; one row per sensor.

    Or the same of several detectors: arrays of shape (detectors, sensors), or of one row for each of both.

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

    level: NDArray[Any]
    correction: NDArray[Any]
    incidents: NDArray[Any]
    peaks: NDArray[Any]
    peaked: NDArray[Any]
    least: NDArray[Any]
    crest: NDArray[Any]
    began: NDArray[Any]
    calm: NDArray[Any]

    def follow(
        self, cells: Slots, scores: Floats, watched: Floats, is_open: NDArray[np.bool_], settings: IncidentSettings
    ) -> None:
        """Follow the excursions in some rows by the scores of readings; arrays of shape (m,)."""
        crest = self.crest.take(cells)
        began: Any = np.where(crest > 0, self.began.take(cells), watched)
        scores = np.where(scores >= 0, scores, 0.0)
        crest = np.maximum(crest, scores)
        calm = np.where(scores < settings.clear_ratio * crest, self.calm.take(cells) + 1, 0)
        ended = (calm >= settings.clear_after) | (watched - began >= settings.adopt_after_s)
        over = ended & ~is_open
        self.crest[cells] = np.where(over, 0.0, crest)
        self.began[cells] = began
        self.calm[cells] = np.where(over, 0, calm)
        chosen = np.flatnonzero(over)
        if len(chosen):
            self.remember(cells[chosen], crest[chosen], began[chosen], watched[chosen])

    def remember(self, cells: Slots, crest: Floats, began: Floats, watched: Floats) -> None:
        """Keep completed excursions that are among the worst; those of one episode are merged."""
        peaks, peaked = _columns(self.peaks, cells), _columns(self.peaked, cells)
        each, worst = np.arange(len(cells)), peaks.max(axis=0)
        believed = np.minimum(crest, STRETCH * np.maximum(worst, FIRST_PEAK))
        newest = np.where(peaks > 0, peaked, -np.inf).argmax(axis=0)
        level, latest = self.level.take(cells), peaks[newest, each]
        same = (crest >= level) & (latest >= level) & (began - peaked[newest, each] <= EPISODE_S)
        place = np.where(same, newest, peaks.argmin(axis=0))
        believed = np.where(same, np.maximum(believed, latest), believed)
        kept = np.flatnonzero(same | (believed > peaks[place, each]))
        cells, place = cells[kept], place[kept]
        peaks[place, kept] = believed[kept]
        self.peaks[cells, place] = believed[kept]
        self.peaked[cells, place] = watched[kept]
        self.least[cells] = np.maximum(peaks.take(kept, axis=1).min(axis=0), self.least.take(cells))

    def work_out(
        self,
        cells: Slots,
        watched: Floats,
        scored: Floats,
        lapsed: Floats,
        assumed: Floats,
        floor: Floats,
        allowed: float,
    ) -> None:
        """Recompute the levels in some rows, see `Calibrations`; arrays of shape (m,)."""
        kept = np.minimum(min(MEMORY_S, MEMORY_ALARMS / allowed * DAY_S), (1 - FIRST_SHARE) * scored)
        peaks = self._peaks_since(cells, watched - kept)
        worst_last = ascending(peaks)
        lowest = worst_last[0]
        self.least[cells] = np.maximum(np.where(lowest > 0, lowest, self.least.take(cells) - EBB), LOWEST)
        if scored.max() < EARLIEST_S:
            self.level[cells] = assumed
            return
        days = np.maximum(kept, 1.0) / DAY_S
        tail = tail_of(peaks, worst_last, days)
        correction = np.maximum(self.correction.take(cells) - STEP * allowed * lapsed / DAY_S, 0.0)
        level = np.maximum(tail.level_for(allowed), habit_of(worst_last, allowed * days))
        level = np.where(tail.excursions < FEWEST, np.minimum(level, assumed), level)
        level += correction * np.maximum(tail.scale, PERFECT)
        level = np.minimum(level, np.maximum(BEYOND * worst_last[-1], assumed))
        is_known = (scored >= SETTLED_S) | ((scored >= EARLIEST_S) & (tail.excursions >= FEWEST))
        self.level[cells] = np.where(is_known, np.clip(level, floor, HIGHEST), assumed)
        self.correction[cells] = correction

    def _peaks_since(self, cells: Slots, begin: Floats) -> Singles:
        """Drop the excursions in some rows that ended before a time; returns the others, shape (most, m)."""
        peaks = _columns(self.peaks, cells)
        gone = (_columns(self.peaked, cells) < _at_least(begin)) & (peaks > 0)
        if gone.any():
            peaks[gone] = 0.0
            fewer = np.flatnonzero(gone.any(axis=0))
            self.peaks[cells[fewer]] = peaks[:, fewer].T
        return peaks


def fresh(detectors: int, rows: int) -> Calibration:
    """The initial state of several detectors, each array of shape (detectors, rows)."""
    shape, peaks = (detectors, rows), (detectors, rows, REMEMBERED)
    return Calibration(
        filled(shape, 0.0, np.float64),
        filled(shape, 0.0, np.float64),
        filled(shape, 0.0, np.float64),
        filled(peaks, 0.0, np.float32),
        filled(peaks, 0.0, np.float32),
        filled(shape, LOWEST, np.float64),
        filled(shape, 0.0, np.float64),
        filled(shape, 0.0, np.float64),
        filled(shape, 0.0, np.int64),
    )


def _columns(rows: Singles, cells: Slots) -> Singles:
    """Some rows as columns, shape (most, m): numpy is slow at operations along short rows."""
    return np.ascontiguousarray(rows.take(cells, axis=0).T)


def _at_least(times: Floats) -> Singles:
    """The smallest numbers in single precision that aren't below these."""
    singles = times.astype(np.float32)
    return np.where(singles < times, np.nextafter(singles, np.float32(np.inf)), singles)
