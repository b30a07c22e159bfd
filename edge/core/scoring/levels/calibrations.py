"""Calibrations: the raising levels of all detectors, followed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors import DETECTORS, DEVICE_DETECTORS, Detector
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.gather import FEWEST, as_span, is_blank, lay_into, roomy
from detectors.state import StateError
from edge.core.scoring.levels.calibration import MOST_CORRECTION, STEP, Calibration, fresh

AT_ONCE = 4096
"""Number of levels computed together, few enough for the work to fit into a core's cache."""

_ORDER = {name: place for place, name in enumerate((*DETECTORS, *DEVICE_DETECTORS))}
"""The order of detectors in a profile: if they have it here, too, a round reads and writes slices."""


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
        self._all = self._flat = fresh(0, 0)
        self._excursions: tuple[Any, ...] = ()
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
            self._resize(roomy(rows, present))

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
        for mine, initial in zip(self._all, fresh(1, 1), strict=True):
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
            self._flat.follow(cells, score, watched[column], is_open[column], settings)

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
        scored: Floats,
        lapsed: Floats,
        assumed: Floats,
        allowed: float,
    ) -> None:
        """Recompute the levels of sensors.

        Args:
            detectors: The detectors that score them.
            slots: The sensors, shape (n,).
            watched: Their observed time in seconds, shape (n,).
            scored: Part of it since each detector's first opinion, shape (detectors, n).
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
            judged = scored[begin : begin + step].reshape(-1)
            self._flat.work_out(cells, of_all, judged, since, at_first, floor, allowed)

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
        self._resize(max(FEWEST, self._rows, self._all.level.shape[1]))

    def _resize(self, rows: int) -> None:
        """Give the arrays another size."""
        old, self._all = self._all, fresh(len(self._places), rows)
        for mine, theirs in zip(self._all, old, strict=True):
            for place, present in enumerate(theirs):
                if is_blank(mine[place]):
                    lay_into(mine[place], present)
                else:
                    mine[place][: len(present)] = present
        self._flat = Calibration(*(each.reshape(-1, *each.shape[2:]) for each in self._all))
        self._excursions = self._flat.crest.data, self._flat.began.data, self._flat.calm.data

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

    def _follow_one(
        self, place: int, slot: int, score: float, watched: float, settings: IncidentSettings, *, is_open: bool
    ) -> None:
        """Follow the excursion of one detector and sensor."""
        crests, begins, calms = self._excursions
        cell = place * self._all.level.shape[1] + slot
        before, score = crests[cell], score if score >= 0 else 0.0
        began = begins[cell] if before > 0 else watched
        crest = max(before, score)
        calm = calms[cell] + 1 if score < settings.clear_ratio * crest else 0
        ended = calm >= settings.clear_after or watched - began >= settings.adopt_after_s
        over = ended and not is_open
        crests[cell], begins[cell], calms[cell] = (0.0, began, 0) if over else (crest, began, calm)
        if over:
            self._flat.remember(*(np.array([each]) for each in (cell, crest, began, watched)))
