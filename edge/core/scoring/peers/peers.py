"""Peers: finds the sensor that behaves unlike the others of its kind.

The sensors of a group (`like_names.py`) are compared each half hour, and each day (`comparison.py`): what is lost
entirely shows within an hour, a lost string among clouds or a pump that runs for twice as long only by the day. Each
half hour, the sensors of a device are compared with each other as well (`companions.py`).

A sensor differs until the comparison by which it was found says that it agrees: as long as there is nothing
to compare, at night or while the others are silent, nothing changes. What differs for half as long as the sensor has
been known, a fortnight at most, is normal from then on, and everything is learned again.

Comparisons are made where the stream clock reaches the end of a window, from the readings before, so they don't depend
on how readings are cut into batches. A reading that arrives after the window it belongs to is left out. Any number of
sensors may form a group: a comparison costs a few microseconds for each, and that once in half an hour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of
from detectors.numeric.gather import roomy
from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.peers.companions import Companions
from edge.core.scoring.peers.comparison import SHARE, PeerComparison, PeersCompared, TimeScale
from edge.core.scoring.peers.deviating import Deviating
from edge.core.scoring.peers.deviation import PeerDeviation, PeerNews, PeerVerdict

WINDOW_S, DAY_S = 1_800.0, 86_400.0

HALF_HOURS = TimeScale(WINDOW_S, days=14, fewest_days=3, to_differ=2, to_agree=2, to_begin=24, to_know=48, memory=336)
DAYS = TimeScale(DAY_S, days=28, fewest_days=7, to_differ=1, to_agree=1, to_begin=1, to_know=5, memory=14)
SCALES = (HALF_HOURS, DAYS)

MOSTLY = 0.75
"""Means of a day are compared if they are from this share of the most half hours that a sensor of the group has."""

MOST_FAILING = 1 / 2
"""A sensor isn't judged while more than this share of its peers have incidents, or had them until their new levels were
adopted: the one healthy inverter of four."""

ADOPTED_SHARE, ADOPTED_LEAST_S, ADOPTED_MOST_S = 1 / 2, DAY_S, 14 * DAY_S
"""Share of a sensor's life after which a deviation is normal, and its bounds."""

NOBODY = -1
SHORT, LONG, WITHIN = 1, 2, 3
"""The comparisons: of half hours, of days, and within a device."""

SPARE_GROUPS = 16
"""Groups without sensors are forgotten once there are twice as many groups as this, or as there is room for sensors."""


class _SavedPeers(msgspec.Struct, array_like=True, frozen=True):
    start: float | None
    rows: int
    scales: list[bytes]
    deviating: bytes


class Peers:
    """The groups of all sensors, and their comparisons.

    State: 800 bytes per sensor, and those of its companions.

    Attributes:
        start: Start of the present window; NaN before the first reading.
        ended: End of the last one.
        groups: Number of each sensor's group, or `NOBODY`, by slot.
        keys: What the names of each group have in common.
        is_off: Whether nothing is compared, whatever rules say.
        is_idle: Whether there is nothing to compare, and nothing to remember.
    """

    def __init__(self) -> None:
        self.start = math.nan
        self.ended = -math.inf
        self.groups: Slots = np.zeros(0, dtype=np.intp)
        self.keys: list[str] = []
        self.is_off, self.is_idle = False, True
        self._numbers: dict[str, int] = {}
        self._scales = tuple(PeerComparison(each) for each in SCALES)
        self._short, self._days = self._scales
        self._within = Companions()
        self._deviating = Deviating()
        self._rows = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all."""
        self._rows = max(self._rows, rows)
        if rows > len(self.groups):
            grown = np.full(roomy(rows, len(self.groups)), NOBODY, dtype=np.intp)
            grown[: len(self.groups)] = self.groups
            self.groups = grown
        if not self.is_idle:
            for each in self._scales:
                each.grow(self._rows)
            self._deviating.grow_to(self._rows)
            if self._within.is_used:
                self._within.grow(self._rows)

    def accompany(self, slot: int, name: str | None) -> None:
        """Add a sensor to the device that its name shows, or to none."""
        self._within.join(slot, None if self.is_off else name)
        if self._within.is_used:
            self.is_idle = False
            self.grow(slot + 1)

    def join(self, slot: int, key: str | None) -> None:
        """Add a sensor to the group of a key, or to none."""
        self.grow(slot + 1)
        if key is None or self.is_off:
            self.groups[slot] = NOBODY
            return
        if key not in self._numbers:
            if len(self.keys) >= 2 * max(SPARE_GROUPS, len(self.groups)):
                self._forget_empty_groups()
            self._numbers[key] = len(self.keys)
            self.keys.append(key)
            self.is_idle = False
            self.grow(self._rows)
        self.groups[slot] = self._numbers[key]

    def _forget_empty_groups(self) -> None:
        """Number the groups that have sensors anew, so that those of forgotten sensors take no memory."""
        used = np.unique(self.groups[self.groups >= 0])
        new = np.full(len(self.keys), NOBODY, dtype=np.intp)
        new[used] = np.arange(len(used))
        self.groups = np.where(self.groups >= 0, new[self.groups], NOBODY)
        self.keys = [self.keys[each] for each in used.tolist()]
        self._numbers = {key: number for number, key in enumerate(self.keys)}

    def clear_row(self, slot: int) -> None:
        """Discard what is known of a sensor."""
        self.grow(slot + 1)
        for each in (*self._scales, self._deviating) if not self.is_idle else ():
            each.clear_row(slot)
        if slot < len(self._within.formed):
            self._within.clear_row(slot)

    def reconcile(self, differing: Iterable[tuple[int, float]]) -> None:
        """Take note of which sensors have been told to differ, given by slot and since when, and of no others."""
        since = dict(differing)
        self._wake(bool(since))
        for slot in range(self._rows if not self.is_idle else 0):
            if slot in since and not self._deviating.by[slot]:
                self._deviating.by[slot], self._deviating.since[slot] = 1.0, since[slot]
            elif slot not in since:
                self._deviating.by[slot] = 0.0

    def take(self, slots: Rows, values: Numbers, times: Numbers) -> None:
        """Take readings into account.

        Args:
            slots: Their distinct sensors, shape (n,), or a single one.
            values: Values, or paces, NaN where there is none, shape (n,).
            times: Times, seconds since the epoch, shape (n,).
        """
        if self.is_idle:
            return
        end, known = self.start + WINDOW_S, (times >= self.start) & (values == values)  # noqa: PLR0124 - NaN isn't itself
        early = times >= end
        if any_of(early):
            self._short.take(slots, values, known & early & (times < end + WINDOW_S), early=True)
            known = known & (early ^ True)
        self._short.take(slots, values, known)

    def readings_before_end(self, clock: Floats, after: float | None = None) -> int:
        """Number of readings before the end of a window, or all, by the stream clock after each.

        Args:
            clock: The stream clock, shape (n,).
            after: A time in the window; by default the present one.
        """
        if self.is_idle:
            return len(clock)
        if math.isnan(self.start):
            self.start = _window_of(float(clock[0]))
        end = (self.start if after is None else _window_of(after)) + WINDOW_S
        return len(clock) if clock[-1] < end else int(clock.searchsorted(end))

    def restart(self) -> None:
        """Discard the present window, because the stream clock was set."""
        self.start = math.nan
        self._short.restart()

    def compare(
        self,
        now: float,
        protected: NDArray[np.bool_],
        failing: NDArray[np.bool_] | None = None,
        moved: NDArray[np.bool_] | None = None,
    ) -> list[PeerVerdict]:
        """End the present window; returns the news, by slot.

        Args:
            now: The stream clock, which has reached the end of the window.
            protected: Whether nothing is learned of a sensor, shape (slots,).
            failing: Whether a sensor has an open incident of its own values, shape (slots,); None if none has.
            moved: Whether it is at a level that was adopted not long ago, shape (slots,); None if none is.
        """
        self.ended = ended = self.start + WINDOW_S
        self.start = _window_of(now)
        groups, deviating = self.groups[: self._rows], self._deviating
        means = np.where(protected[: self._rows], np.nan, self._short.means(self._rows))
        if self.start > ended:  # what came early belongs to a window that is over, too
            self._short.restart()
        is_new = np.isfinite(means) & (deviating.born[: self._rows] == 0)
        deviating.born[: self._rows][is_new] = ended
        self._days.take(np.arange(self._rows), means, np.isfinite(means))
        fails = np.zeros(self._rows, dtype=bool) if failing is None else failing[: self._rows]
        is_known = np.isfinite(means)
        alone = self._among_failing(is_known, fails if moved is None else fails | moved[: self._rows])
        deviating.note(is_known & fails, is_known & alone)
        verdicts: list[PeerVerdict] = []
        ends_day = self.start // DAY_S > (ended - WINDOW_S) // DAY_S
        if self.keys:
            frozen = deviating.by[: self._rows] > 0
            verdicts = self._follow(SHORT, self._short.compare(means, groups, frozen), means, ended, alone)
            if ends_day:
                verdicts += self._end_day(ended, alone, fails)
        if self._within.is_used:
            compared = self._within.compare(means, deviating.by[: self._rows] == WITHIN, fails)
            verdicts += self._follow(WITHIN, compared, means, ended, np.zeros(self._rows, dtype=bool))
            if ends_day:
                self._within.end_day()
        verdicts += self._adopted(ended)
        self.is_idle = not self.keys and not self._within.is_used and not deviating.by.any()
        return verdicts

    def adopt(self, slot: int) -> None:
        """Take what a sensor does now as normal: everything is learned again."""
        if self.is_idle:
            return
        born = self._deviating.born[slot]
        self.clear_row(slot)
        self._deviating.born[slot] = born

    def __len__(self) -> int:
        """The number of sensors of which something is known; 0 if there is nothing to compare."""
        return 0 if self.is_idle else self._rows

    def state(self, first: int, last: int) -> bytes:
        """The state of the sensors in the range `first` to `last` (exclusive), for `load()`.

        Until the next comparison a sensor's state depends on its own readings only.
        """
        start, rows = None if math.isnan(self.start) else self.start, last - first
        scales = [each.state(first, last) for each in self._parts]
        return encode(_SavedPeers(start, rows, scales, self._deviating.state(first, last)))

    def load(self, first: int, state: bytes) -> None:
        """Load the sensors from `first` on.

        Raises:
            StateError: The state can't be read, or nothing was compared then.
        """
        saved: _SavedPeers = decode(state, _SavedPeers)
        if not saved.rows and self._rows and not self.is_idle:
            raise StateError("no sensors were compared")
        self._wake(saved.rows > 0)
        self.grow(first + saved.rows)
        for each, its in zip(self._parts, saved.scales, strict=False):  # earlier versions had no companions
            each.load(first, its)
        self._deviating.load(first, saved.deviating)
        self.start = math.nan if saved.start is None else saved.start

    @property
    def _parts(self) -> tuple[SensorArrays, ...]:
        """What has a state of its own."""
        return (*self._scales, self._within) if self._within.is_used else self._scales

    def _wake(self, wakes: bool) -> None:
        if wakes and self.is_idle:
            self.is_idle = False
            self.grow(self._rows)

    def copy_groups(self, other: Peers) -> None:
        """Form the same groups in another instance."""
        for slot, group in enumerate(self.groups[: self._rows].tolist()):
            other.join(slot, None if group == NOBODY else self.keys[group])
            other.accompany(slot, self._within.name(slot))

    def _among_failing(self, known: NDArray[np.bool_], failing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which sensors aren't judged because most of their peers have incidents, and a middle of those says nothing.

        Args:
            known: Which sensors have a mean, shape (rows,).
            failing: Which of them have an open incident of their own values, or are still where one has led, shape
                (rows,).
        """
        groups = self.groups[: self._rows]
        if not failing.any():
            return np.zeros(self._rows, dtype=bool)
        known = known & (groups >= 0)
        fails = known & failing
        peers, worse = (
            np.append(np.bincount(groups[each], minlength=len(self.keys)), 0)[groups] - each for each in (known, fails)
        )
        return worse > MOST_FAILING * peers

    def _end_day(self, ended: float, alone: NDArray[np.bool_], failing: NDArray[np.bool_]) -> list[PeerVerdict]:
        rows, groups, deviating = self._rows, self.groups[: self._rows], self._deviating
        counts = np.where(groups >= 0, self._days.count[:rows], 0.0)
        most = np.zeros(len(self.keys) + 1)
        np.maximum.at(most, groups, counts)
        enough = counts >= MOSTLY * most[groups]
        was_told = deviating.excuse_day(counts, failing)
        means = np.where(enough, self._days.means(rows), np.nan)
        by = deviating.by[:rows]
        means[by == SHORT] = np.nan  # what the half hours have found is theirs until it is over
        frozen = (by > 0) | was_told
        compared = self._days.compare(means, groups, frozen, self._short.moves_together(rows))
        verdicts = self._follow(LONG, compared, means, ended, alone | was_told)
        self._short.end_day(groups)
        self._days.end_day(groups, self._short.form[:rows])
        return verdicts

    def _follow(
        self, number: int, compared: PeersCompared, means: Floats, ended: float, alone: NDArray[np.bool_]
    ) -> list[PeerVerdict]:
        """Note which sensors differ and agree by a comparison; those that are alone among failing ones don't differ."""
        rows, by = self._rows, self._deviating.by
        scale = self._within.scale if number == WITHIN else self._scales[number - 1].scale
        begins = np.flatnonzero(compared.differs & (by[:rows] == 0) & ~alone)
        ends = np.flatnonzero(compared.agrees & (by[:rows] == number))
        began = ended - scale.window_s * scale.to_differ
        verdicts = [
            PeerVerdict(slot, PeerNews.DIFFERS, self._deviation_of(number, compared, means, slot, began))
            for slot in begins.tolist()
        ]
        verdicts += [
            PeerVerdict(slot, PeerNews.AGREES, self._deviation_of(number, compared, means, slot, since))
            for slot, since in zip(ends.tolist(), self._deviating.since[ends].tolist(), strict=True)
        ]
        by[begins], self._deviating.since[begins] = number, began
        by[ends] = 0.0
        self._days.restart(np.concatenate([begins, ends]))
        return sorted(verdicts, key=lambda each: each.slot)

    def _deviation_of(
        self, number: int, compared: PeersCompared, means: Floats, slot: int, since: float
    ) -> PeerDeviation:
        if number == WITHIN:
            return self._within.deviation(slot, float(means[slot]), float(compared.now[slot]), since)
        comparison = self._scales[number - 1]
        scale = comparison.scale
        return PeerDeviation(
            float(compared.now[slot]),
            float(comparison.least[slot]),
            float(comparison.most[slot]),
            bool(comparison.form[slot] == SHARE),
            int(compared.peers[slot]),
            scale.window_s,
            since,
            self.keys[self.groups[slot]],
        )

    def _adopted(self, now: float) -> list[PeerVerdict]:
        """Sensors that have differed for long enough, or have nothing any more to be compared with."""
        rows, deviating = self._rows, self._deviating
        by = deviating.by[:rows]
        patience = np.clip(ADOPTED_SHARE * (now - deviating.born[:rows]), ADOPTED_LEAST_S, ADOPTED_MOST_S)
        is_over = (now - deviating.since[:rows] >= patience) | ((self.groups[:rows] < 0) & (by != WITHIN))
        adopted = [
            slot
            for slot in np.flatnonzero(by > 0).tolist()
            if is_over[slot] or (by[slot] == WITHIN and not self._within.is_known(slot))
        ]
        verdicts = [PeerVerdict(slot, PeerNews.ADOPTED, self._given_up(slot)) for slot in adopted]
        for slot in adopted:
            self.adopt(slot)
        return verdicts

    def _given_up(self, slot: int) -> PeerDeviation | None:
        """What a sensor no longer follows, and isn't expected to any more; None if it differed from its peers."""
        if self._deviating.by[slot] != WITHIN or not self._within.is_known(slot):
            return None
        since = float(self._deviating.since[slot])
        return replace(self._within.deviation(slot, math.nan, math.nan, since), peers=0)


def _window_of(time: float) -> float:
    """Start of the window that contains a time."""
    return math.floor(time / WINDOW_S) * WINDOW_S
