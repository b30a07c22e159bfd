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

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors import DETECTORS, DEVICE_DETECTORS, Detector
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.gather import as_span
from detectors.state import StateError
from edge.core.scoring.levels.tails import DAY_S, FEWEST, LOWEST, PERFECT, habit_of, tail_of

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
sensor."""

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

AT_ONCE = 4096
"""Number of levels computed together, few enough for the work to fit into a core's cache."""

SPARE = 16

_ORDER = {name: place for place, name in enumerate((*DETECTORS, *DEVICE_DETECTORS))}
"""The order of detectors in a profile: if they have it here, too, a round reads and writes slices."""


class Calibration(NamedTuple):
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

    level: NDArray[Any]
    correction: NDArray[Any]
    incidents: NDArray[Any]
    peaks: NDArray[Any]
    peaked: NDArray[Any]
    least: NDArray[Any]
    crest: NDArray[Any]
    began: NDArray[Any]
    calm: NDArray[Any]


def _fresh(detectors: int, rows: int) -> Calibration:
    """The initial state of several detectors, each array of shape (detectors, rows)."""
    shape, peaks = (detectors, rows), (detectors, rows, REMEMBERED)
    return Calibration(
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(peaks, dtype=np.float32),
        np.zeros(peaks, dtype=np.float32),
        np.full(shape, LOWEST),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape, dtype=np.int64),
    )


class Calibrations(Mapping[str, Calibration]):
    """The calibration of each detector's scores, by detector name; one that is looked up is created if need be.

    The arrays of all detectors are one, of shape (detectors, sensors), so that a round costs the same number of
    operations however many detectors have scored it.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._every: list[int] = []
        self._last: tuple[Sequence[Detector], list[int]] = ((), [])
        self._rows = 0
        self._all = _fresh(0, 0)
        self._span: tuple[Any, Any] = (None, None)

    def __getitem__(self, detector: str) -> Calibration:
        if detector not in self._places:
            self._add([detector])
        return Calibration(*(each[self._places[detector]] for each in self._all))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def grow(self, rows: int) -> None:
        """Grow all of them to `rows` sensors, with some spare capacity."""
        present = self._all.level.shape[1]
        self._rows = max(self._rows, rows)
        if self._places and rows > present:
            self._resize(max(SPARE, rows, 2 * present))

    def load(self, first: int, saved: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Load rows from `first` on, by the names of detectors and arrays; there must be room for them.

        Raises:
            StateError: An array is missing or has another type. Nothing has changed.
        """
        if not saved.keys() <= self._places.keys():
            self._add([*saved])
        for detector, arrays in saved.items():
            for name, mine in self[detector]._asdict().items():
                found = arrays.get(name)
                if found is None or found.dtype != mine.dtype or found.shape[1:] != mine.shape[1:]:
                    raise StateError(f"array {name!r} is missing or of another type")
                if first + len(found) > len(mine):
                    raise StateError(f"no room for rows {first} to {first + len(found) - 1}")
        for detector, arrays in saved.items():
            for name, mine in self[detector]._asdict().items():
                mine[first : first + len(arrays[name])] = arrays[name]

    def clear_row(self, slot: int) -> None:
        """Reset a sensor to its initial state."""
        if not self._places:
            return
        for mine, initial in zip(self._all, _fresh(1, 1), strict=True):
            mine[:, slot] = initial[:, 0]

    def take_rows(self, other: Calibrations, slots: list[int]) -> None:
        """Copy the calibration of some sensors from another instance."""
        for detector in {*self, *other}:
            for mine, theirs in zip(self[detector], other[detector], strict=True):
                mine[slots] = theirs[slots]

    def levels(self, detectors: Sequence[Detector], slots: Rows) -> Any:
        """The levels of sensors in decades, shape (detectors, n); not to be modified."""
        which = self._among(detectors)
        return self._part(self._all.level, which, slots)

    def note(
        self,
        detectors: Sequence[Detector],
        slots: Rows,
        scores: Sequence[Numbers],
        watched: Numbers,
        is_open: Any,
        settings: IncidentSettings,
    ) -> None:
        """Record the scores of readings.

        Args:
            detectors: The detectors that have scored them.
            slots: Their distinct sensors, shape (n,), or a single one.
            scores: Surprise, in decades, or NaN, shape (detectors, n).
            watched: Observed time of the sensors in seconds, shape (n,).
            is_open: Whether an incident is open or being adopted, which counts as one excursion, shape (n,).
            settings: The incident settings, which define when an incident ends.
        """
        which = self._among(detectors)
        least, crest = self._part(self._all.least, which, slots), self._part(self._all.crest, which, slots)
        if type(slots) is int:
            for place, score, lowest, highest in zip(which, scores, least, crest, strict=True):
                if score >= lowest or highest > 0:
                    self._follow_one(place, slots, score, watched, settings, is_open=is_open)
            return
        active = np.flatnonzero((scores >= least) | (crest > 0))
        if len(active):
            detector = active // len(slots)
            column = active - detector * len(slots)
            cells = np.array(which)[detector] * self._all.level.shape[1] + slots[column]
            score = np.asarray(scores).reshape(-1)[active]
            self._follow(cells, score, watched[column], is_open[column], settings)

    def raised(self, detector: str, slot: int, *, settled: bool) -> None:
        """Record an incident raised by a detector's score, of a sensor that is `settled` or not."""
        mine = self[detector]
        mine.incidents[slot] += 1.0
        if settled:
            mine.correction[slot] = min(mine.correction[slot] + STEP, MOST_CORRECTION)

    def work_out(
        self,
        detectors: Sequence[Detector],
        slots: Slots,
        watched: Floats,
        lapsed: Floats,
        assumed: Floats,
        allowed: float,
    ) -> None:
        """Recompute the levels of sensors.

        Args:
            detectors: The detectors that score them.
            slots: The sensors, shape (n,).
            watched: Their observed time in seconds, shape (n,).
            lapsed: Part of it since the last computation and after settling, shape (n,).
            assumed: Levels used in the first hours and, unless a detector has a `floor`, at least later, in decades,
                shape (n,).
            allowed: Number of incidents per day that each detector may raise.
        """
        places, floors = np.array(self._among(detectors)), np.array([each.floor for each in detectors])
        step = max(1, AT_ONCE // len(slots))
        for begin in range(0, len(places), step):
            some = places[begin : begin + step]
            cells = (some[:, None] * self._all.level.shape[1] + slots).reshape(-1)
            floor = np.fmin(assumed, floors[begin : begin + step, None]).reshape(-1)
            of_all, since, at_first = (np.tile(each, len(some)) for each in (watched, lapsed, assumed))
            self._work_out(cells, of_all, since, at_first, floor, allowed)

    def _among(self, detectors: Sequence[Detector]) -> list[int]:
        """Places of detectors in the arrays; `_every` itself if these are all."""
        if detectors is self._last[0]:
            return self._last[1]
        if not all(each.name in self._places for each in detectors):
            self._add([each.name for each in detectors])
        found = [self._places[each.name] for each in detectors]
        self._last = detectors, self._every if found == self._every else found
        return self._last[1]

    def _add(self, detectors: Sequence[str]) -> None:
        for each in sorted(detectors, key=lambda name: _ORDER.get(name, len(_ORDER))):
            self._places.setdefault(each, len(self._places))
        self._every = list(range(len(self._places)))
        self._last = (), []
        self._resize(max(SPARE, self._rows, self._all.level.shape[1]))

    def _resize(self, rows: int) -> None:
        """Give the arrays another size."""
        old, self._all = self._all, _fresh(len(self._places), rows)
        for mine, theirs in zip(self._all, old, strict=True):
            mine[: theirs.shape[0], : theirs.shape[1]] = theirs

    def _part(self, array: Floats, which: list[int], slots: Rows) -> Any:
        """Elements of some detectors and sensors, shape (detectors, n), a view if possible; for one sensor a list."""
        if not which:
            return [] if type(slots) is int else np.zeros((0, len(slots)))
        if type(slots) is int:
            mine = array[:, slots].tolist()
            return mine if which is self._every else [mine[each] for each in which]
        span = self._span_of(slots)
        if which is self._every:
            return array[:, span]
        return array[which, span] if isinstance(span, slice) else array[np.array(which)[:, None], span]

    def _span_of(self, slots: Slots) -> Any:
        """The sensors as a slice, if they are consecutive."""
        if slots is not self._span[0]:
            self._span = slots, as_span(slots)
        return self._span[1]

    def _follow(
        self, cells: Slots, scores: Floats, watched: Floats, is_open: NDArray[np.bool_], settings: IncidentSettings
    ) -> None:
        """Follow excursions, given by their index in the flat arrays, shape (m,)."""
        crests, begins, calms = (each.reshape(-1) for each in (self._all.crest, self._all.began, self._all.calm))
        crest = crests[cells]
        began: Any = np.where(crest > 0, begins[cells], watched)
        scores = np.where(scores >= 0, scores, 0.0)
        crest = np.maximum(crest, scores)
        calm = np.where(scores < settings.clear_ratio * crest, calms[cells] + 1, 0)
        ended = (calm >= settings.clear_after) | (watched - began >= settings.adopt_after_s)
        over = ended & ~is_open
        crests[cells] = np.where(over, 0.0, crest)
        begins[cells] = began
        calms[cells] = np.where(over, 0, calm)
        chosen = np.flatnonzero(over)
        if len(chosen):
            self._remember(cells[chosen], crest[chosen], began[chosen], watched[chosen])

    def _follow_one(
        self, place: int, slot: int, score: float, watched: float, settings: IncidentSettings, *, is_open: bool
    ) -> None:
        """Follow the excursion of one detector and sensor."""
        mine, at = self._all, (place, slot)
        before, score = float(mine.crest[at]), score if score >= 0 else 0.0
        began = float(mine.began[at]) if before > 0 else watched
        crest = max(before, score)
        calm = int(mine.calm[at]) + 1 if score < settings.clear_ratio * crest else 0
        ended = calm >= settings.clear_after or watched - began >= settings.adopt_after_s
        over = ended and not is_open
        mine.crest[at], mine.began[at], mine.calm[at] = (0.0, began, 0) if over else (crest, began, calm)
        if over:
            cell = np.array([place * mine.level.shape[1] + slot])
            self._remember(cell, np.array([crest]), np.array([began]), np.array([watched]))

    def _remember(self, cells: Slots, crest: Floats, began: Floats, watched: Floats) -> None:
        """Keep completed excursions that are among the worst; those of one episode are merged."""
        all_peaks, all_peaked = (each.reshape(-1, REMEMBERED) for each in (self._all.peaks, self._all.peaked))
        peaks, peaked = all_peaks[cells], all_peaked[cells]
        each = np.arange(len(cells))
        believed = np.minimum(crest, STRETCH * np.maximum(peaks.max(axis=1), FIRST_PEAK))
        newest = np.where(peaks > 0, peaked, -np.inf).argmax(axis=1)
        level, latest = self._all.level.reshape(-1)[cells], peaks[each, newest]
        same = (crest >= level) & (latest >= level) & (began - peaked[each, newest] <= EPISODE_S)
        place = np.where(same, newest, peaks.argmin(axis=1))
        believed = np.where(same, np.maximum(believed, latest), believed)
        kept = same | (believed > peaks[each, place])
        cells, place = cells[kept], place[kept]
        all_peaks[cells, place] = believed[kept]
        all_peaked[cells, place] = watched[kept]
        least = self._all.least.reshape(-1)
        least[cells] = np.maximum(all_peaks[cells].min(axis=1), least[cells])

    def _work_out(
        self, cells: Slots, watched: Floats, lapsed: Floats, assumed: Floats, floor: Floats, allowed: float
    ) -> None:
        """Recompute levels, given by their index in the flat arrays, shape (m,)."""
        all_peaks, all_peaked = (each.reshape(-1, REMEMBERED) for each in (self._all.peaks, self._all.peaked))
        levels, leasts, corrections = (
            each.reshape(-1) for each in (self._all.level, self._all.least, self._all.correction)
        )
        begin = np.maximum(watched - min(MEMORY_S, MEMORY_ALARMS / allowed * DAY_S), FIRST_SHARE * watched)
        peaks = np.where(all_peaked[cells] >= begin[:, None], all_peaks[cells], 0.0)
        all_peaks[cells] = peaks
        worst_last = np.sort(peaks, axis=1)
        lowest = worst_last[:, 0]
        leasts[cells] = np.maximum(np.where(lowest > 0, lowest, leasts[cells] - EBB), LOWEST)
        if watched.max() < EARLIEST_S:
            levels[cells] = assumed
            return
        days = np.maximum(watched - begin, 1.0) / DAY_S
        tail = tail_of(peaks, worst_last, days)
        correction = np.maximum(corrections[cells] - STEP * allowed * lapsed / DAY_S, 0.0)
        level = np.maximum(tail.level_for(allowed), habit_of(worst_last, allowed * days))
        level += correction * np.maximum(tail.scale, PERFECT)
        level = np.minimum(level, np.maximum(BEYOND * worst_last[:, -1], assumed))
        is_known = (watched >= SETTLED_S) | ((watched >= EARLIEST_S) & (tail.excursions >= FEWEST))
        levels[cells] = np.where(is_known, np.clip(level, floor, HIGHEST), assumed)
        corrections[cells] = correction
