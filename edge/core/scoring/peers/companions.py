"""Companions: the sensors of one device, and whether each still follows the others.

Names that differ only in the last level are companions: `line1/pump/pressure` and `line1/pump/current`. The means of
all half hours show how those of a device's sensors depend on each other; what the others suggest for a sensor is the
linear regression on those that have a mean. The difference from that is judged, by the range that it has had on the
days remembered.

Most sensors of a device aren't related, or by the time of day alone, of which one may miss what the other doesn't. A
sensor is therefore judged only if the others explain most of its variance, by the regression as well as in the half
hours since, and part of its variance from one half hour to the next. It isn't judged while the others are where they
have never been, or while those that matter are missing.

What is usual of a difference is in `companion_ranges.py`; a sensor is told once the differences of a day are known.

A fault of one sensor makes the suggestions for all others wrong, but moves its own difference the most, in standard
deviations: of one device, one sensor is told, and only if the others agree without it. Where they don't, the device
does something new. Nothing is learned of a device while one of its sensors deviates, or has an incident of its own:
an hour at ten times the usual flow would change what every flow suggests for the pressure.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.peers.companion_ranges import (
    USUAL,
    YOUNG_COUNT,
    YOUNG_DAYS,
    DifferencesSoFar,
    difference_ranges,
)
from edge.core.scoring.peers.comparison import AGREEMENT, PeersCompared, TimeScale
from edge.core.scoring.peers.daily_ranges import add_day, find_usual
from edge.core.scoring.peers.deviation import PeerDeviation
from edge.core.scoring.peers.regressions import Regressions, add_products, regressions

FEWEST, MOST = 2, 16
"""Bounds of a device's sensors. What more names have in common is a folder."""

HALF_HOURS = TimeScale(1_800.0, days=14, fewest_days=1, to_differ=2, to_agree=6, to_begin=24, to_know=24, memory=336)

LARGEST = 1e15
"""Means beyond this are left out, so that their squares are finite."""

LEAVES, JOINS = 0.5, 0.7
"""A sensor is judged once the others explain this share of its variance, and until they explain less than the other."""

BY_THE_HALF_HOUR = 0.4
"""Minimum share that the others explain of the variance from one half hour to the next."""

LESS_CERTAIN = 1.5
"""Maximum ratio of what the present sensors leave unexplained to what all of them do."""

KNOWN_GROUND, BESIDE_IT = 0.1, 0.1
"""Means may be beyond those so far by this share of their range; those beyond may have this weight at most, and as many
times less as they are standard deviations beyond."""

NAMED, WORTH_NAMING = 3, 0.1
"""Maximum number of companions in a sentence, and their minimum weight in a suggestion."""


class DevicePlace(NamedTuple):
    """Where a sensor's name has its place: its device, and the last level."""

    device: str
    name: str


class JudgedMeans(NamedTuple):
    """The means of devices of one size, judged; all arrays have shape (devices, sensors).

    Attributes:
        differences: Means less what the others suggest, NaN where nothing is suggested.
        valid: Whether what is suggested can be relied on.
        speaks: Whether the sensor is judged by it.
        doubtful: Whether the difference of a young sensor is too large to be learned.
        deviates: Whether it deviates.
        agrees: Whether the difference is a usual one.
        low, high: Where deviations begin.
    """

    differences: Floats
    valid: NDArray[np.bool_]
    speaks: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    deviates: NDArray[np.bool_]
    agrees: NDArray[np.bool_]
    low: Floats
    high: Floats


class Companions(SensorArrays):
    """The comparison within devices; one row per sensor.

    State: 400 bytes per sensor, none if no name shows a device.

    Attributes:
        seen: Whether the sensor has had a mean; it belongs to its device from then on.
        formed: Checksum of the slots of the device's sensors, for which the rest was learned; 0 if there is nothing.
        count, mean: Number of means learned, and their mean.
        last, changes: Last mean, NaN before the first, and number of times that it has changed.
        moments: Covariances of the means with those of each sensor of the device, shape (rows, MOST).
        moved: Second moments of the changes with those of each sensor of the device, shape (rows, MOST).
        lowest, highest: Lowest and highest mean.
        noted, rest_mean, rest: Number, mean and variance of the differences from what was suggested.
        together: Whether the sensor is judged.
        day_low, day_high, lows, highs, entries, least, most: The range of the differences, as in `PeerComparison`.
        beyond: Number of consecutive half hours in which a sensor of the device deviates.
        within: Number of consecutive half hours in which the sensor agrees.
    """

    def __init__(self) -> None:
        self.scale = HALF_HOURS
        self.seen = np.zeros(0)
        self.formed = np.zeros(0)
        self.count = np.zeros(0)
        self.mean = np.zeros(0)
        self.last = np.zeros(0)
        self.changes = np.zeros(0)
        self.moments = np.zeros((0, MOST), dtype=np.float32)
        self.moved = np.zeros((0, MOST), dtype=np.float32)
        self.lowest = np.zeros(0)
        self.highest = np.zeros(0)
        self.noted = np.zeros(0)
        self.rest_mean = np.zeros(0)
        self.rest = np.zeros(0)
        self.together = np.zeros(0)
        self.day_low = np.zeros(0)
        self.day_high = np.zeros(0)
        self.lows = np.zeros((0, self.scale.days), dtype=np.float32)
        self.highs = np.zeros((0, self.scale.days), dtype=np.float32)
        self.entries = np.zeros(0)
        self.least = np.zeros(0)
        self.most = np.zeros(0)
        self.beyond = np.zeros(0)
        self.within = np.zeros(0)
        self._places: dict[int, DevicePlace] = {}
        self._members: dict[str, list[int]] = {}
        self._tables: list[tuple[Slots, Floats]] | None = []

    @property
    def is_used(self) -> bool:
        """Whether any name shows a device."""
        return bool(self._places)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        low, high = {"lowest": np.inf, "day_low": np.inf}, {"highest": -np.inf, "day_high": -np.inf}
        self.grow_to(rows, last=np.nan, lows=np.nan, highs=np.nan, **low, **high)

    def join(self, slot: int, name: str | None) -> None:
        """Add a sensor to the device that its name shows, or to none."""
        if (before := self._places.pop(slot, None)) is not None:
            self._members[before.device].remove(slot)
            if not self._members[before.device]:
                del self._members[before.device]
            self._tables = None
        device, _, last = ("", "", "") if name is None else name.rpartition("/")
        if device:
            members = self._members.setdefault(device, [])
            members.append(slot)
            self._places[slot] = DevicePlace(device, last)
            self._tables = None

    def name(self, slot: int) -> str | None:
        """The name of a sensor, if it may have companions."""
        place = self._places.get(slot)
        return None if place is None else f"{place.device}/{place.name}"

    def is_known(self, slot: int) -> bool:
        """Whether anything is known of a sensor among the others of its device."""
        return slot in self._places and slot < len(self.count) and bool(self.count[slot] > 0)

    def compare(self, means: Floats, differing: NDArray[np.bool_], failing: NDArray[np.bool_]) -> PeersCompared:
        """Compare means within devices, then learn from them.

        Args:
            means: Means, shape (n,), NaN where there is none.
            differing: Whether a sensor is known to deviate from what the others of its device suggest, shape (n,).
            failing: Whether it has an open incident of its own values, shape (n,).
        """
        means = np.where(np.abs(means) <= LARGEST, means, np.nan)
        is_new = np.isfinite(means) & (self.seen[: len(means)] == 0)
        if is_new.any():
            self.seen[: len(means)][is_new] = 1.0
            self._tables = None
        nobody = np.zeros(len(means), dtype=bool)
        compared = PeersCompared(np.full(len(means), np.nan), nobody, nobody.copy(), np.zeros(len(means)))
        with np.errstate(all="ignore"):
            for slots, formed in self._devices():
                self._form(slots, formed)
                self._compare(slots, means[slots], differing[slots], failing[slots], compared)
        return compared

    def deviation(self, slot: int, mean: float, difference: float, since: float) -> PeerDeviation:
        """How far a sensor is from what the others of its device suggest.

        Args:
            slot: Its slot.
            mean: Its mean.
            difference: Mean less what is suggested.
            since: Start of the first half hour that found it, seconds since the epoch.
        """
        device, suggested = self._places[slot].device, mean - difference
        return PeerDeviation(
            mean,
            suggested + float(self.least[slot]),
            suggested + float(self.most[slot]),
            False,
            len(self._seen_of(device)) - 1,
            self.scale.window_s,
            since,
            f"{device}/",
            self.followed(slot),
        )

    def followed(self, slot: int) -> tuple[str, ...]:
        """Last levels of the names of those that count in what is suggested for a sensor, the weightiest first."""
        members = np.array([self._seen_of(self._places[slot].device)])
        ready = self.count[members] >= self.scale.to_begin
        weights = self._regressions(members, self.moments, ready).weights[0, members[0].tolist().index(slot)]
        order = np.argsort(-weights, kind="stable")[:NAMED]
        named = [self._places[int(members[0, each])].name for each in order if weights[each] >= WORTH_NAMING]
        return tuple(named)

    def end_day(self) -> None:
        """Note the range of the day that is over, and which sensors are judged from now on."""
        with np.errstate(all="ignore"):
            for slots, _ in self._devices():
                ranged = slots[self.day_low[slots] <= self.day_high[slots]]
                add_day(self, ranged)
                find_usual(self, ranged)
                self._decide(slots)

    def _decide(self, slots: Slots) -> None:
        """Decide which sensors are judged; `slots` has shape (devices, sensors)."""
        ready = self.count[slots] >= self.scale.to_begin
        learned, moved = (self._regressions(slots, each, ready) for each in (self.moments, self.moved))
        fewest = np.where(self.entries[slots] > YOUNG_DAYS, self.scale.to_know, YOUNG_COUNT)
        is_noted = learned.used & (self.noted[slots] >= fewest)
        met = np.where(is_noted, self.rest[slots] / learned.scale**2, 1.0)
        explained = 1.0 - np.maximum(learned.unexplained, met)
        least = np.where(self.together[slots] > 0, LEAVES, JOINS)
        self.together[slots] = (explained >= least) & (1.0 - moved.unexplained >= BY_THE_HALF_HOUR)

    def _devices(self) -> list[tuple[Slots, Floats]]:
        """The slots of all devices with as many sensors, shape (devices, sensors), and their checksums."""
        if self._tables is None:
            by_size: dict[int, list[list[int]]] = {}
            for members in map(self._seen_of, self._members):
                if FEWEST <= len(members) <= MOST:
                    by_size.setdefault(len(members), []).append(members)
            tables = [np.array(by_size[size], dtype=np.intp) for size in sorted(by_size)]
            self._tables = [(each, _checksums(each)) for each in tables]
        return self._tables

    def _seen_of(self, device: str) -> list[int]:
        """Ascending slots of a device's sensors that have had a mean."""
        return [each for each in sorted(self._members[device]) if each < len(self.seen) and self.seen[each]]

    def _form(self, slots: Slots, formed: Floats) -> None:
        """Start learning devices anew whose sensors have changed."""
        for each in np.flatnonzero((self.formed[slots] != formed[:, None]).any(axis=1)).tolist():
            for slot in slots[each].tolist():
                super().clear_row(slot)
            self.seen[slots[each]], self.formed[slots[each]] = 1.0, formed[each]

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`; its device is learned anew with its next mean."""
        super().clear_row(slot)
        self._tables = None

    def load(self, first: int, state: bytes) -> None:
        """See `SensorArrays`."""
        super().load(first, state)
        self._tables = None

    def _regressions(self, slots: Slots, moments: NDArray[np.float32], known: NDArray[np.bool_]) -> Regressions:
        return regressions(moments[slots][:, :, : slots.shape[1]].astype(np.float64), known)

    def _compare(
        self,
        slots: Slots,
        means: Floats,
        differing: NDArray[np.bool_],
        failing: NDArray[np.bool_],
        compared: PeersCompared,
    ) -> None:
        """Compare the means of devices of one size; all arrays have shape (devices, sensors)."""
        ready = np.isfinite(means) & (self.count[slots] >= self.scale.to_begin)
        judged = self._judge(slots, means, ready)
        away = np.where(judged.deviates, np.abs(judged.differences) / np.sqrt(self.rest[slots] + 1e-300), -1.0)
        farthest = judged.deviates & (np.arange(slots.shape[1]) == away.argmax(axis=1)[:, None])
        is_calm: NDArray[np.bool_] = np.logical_not(farthest.any(axis=1))
        for each in np.flatnonzero(~is_calm).tolist():
            one = slice(each, each + 1)
            others = self._judge(slots[one], means[one], ready[one] & ~farthest[one])
            if others.deviates.any():
                is_calm[each] = True
        free: NDArray[np.bool_] = np.logical_not(differing.any(axis=1))
        self.beyond[slots] = np.where(is_calm, 0.0, self.beyond[slots[:, 0]] + 1.0)[:, None]
        within = np.where(judged.agrees, self.within[slots] + 1.0, 0.0)
        self.within[slots] = np.where(judged.speaks, within, self.within[slots])
        compared.now[slots] = judged.differences
        compared.differs[slots] = farthest & free[:, None] & (self.beyond[slots] >= self.scale.to_differ)
        compared.agrees[slots] = judged.speaks & (self.within[slots] >= self.scale.to_agree)
        compared.peers[slots] = slots.shape[1] - 1
        learns = (is_calm & free & ~failing.any(axis=1) & ~judged.doubtful.any(axis=1))[:, None]
        chosen = learns & judged.valid
        self._learn_range(slots[chosen], judged.differences[chosen], judged.low[chosen], judged.high[chosen])
        self._learn_means(slots, np.where(learns, means, np.nan))
        self.last[slots] = np.where(learns, np.where(np.isfinite(means), means, self.last[slots]), np.nan)
        self._know_young(slots[learns[:, 0]])

    def _know_young(self, slots: Slots) -> None:
        """Work out what is usual of devices that have no two days yet; `slots` has shape (devices, sensors)."""
        slots = slots[self.entries[slots].min(axis=1, initial=np.inf) <= YOUNG_DAYS]
        if not slots.size:
            return
        self._decide(slots)
        new = slots[self.entries[slots] == 0]
        spread = USUAL * np.sqrt(self.rest[new])
        self.least[new], self.most[new] = -spread, spread

    def _judge(self, slots: Slots, means: Floats, present: NDArray[np.bool_]) -> JudgedMeans:
        """Judge the means of the sensors that are present by each other."""
        found = self._regressions(slots, self.moments, present)
        differences = found.differences(means - self.mean[slots]) - self.rest_mean[slots]
        valid = found.used & self._on_known_ground(slots, means, found)
        known = self.count[slots] >= self.scale.to_begin
        if (known & ~present).any():
            everyone = self._regressions(slots, self.moments, known)
            valid &= found.unexplained <= LESS_CERTAIN * everyone.unexplained
        least, most, entries, noted = self.least[slots], self.most[slots], self.entries[slots], self.noted[slots]
        ranges = difference_ranges(DifferencesSoFar(least, most, entries, noted, self.rest[slots], found.scale))
        follows = valid & (self.together[slots] > 0)
        speaks = follows & ((entries > YOUNG_DAYS) | (noted >= self.scale.to_know))  # the first day may be an evening
        doubtful = follows & (np.abs(differences) > ranges.doubtful)
        deviates = speaks & ((differences < ranges.low) | (differences > ranges.high))
        agrees = differences >= least - AGREEMENT * ranges.below
        agrees &= differences <= most + AGREEMENT * ranges.above
        return JudgedMeans(differences, valid, speaks, doubtful, deviates, agrees, ranges.low, ranges.high)

    def _on_known_ground(self, slots: Slots, means: Floats, found: Regressions) -> NDArray[np.bool_]:
        """Whether the others that count are where they have been before."""
        lowest, highest = self.lowest[slots], self.highest[slots]
        reach = BESIDE_IT * (highest - lowest)
        is_new = found.used & ((means < lowest - reach) | (means > highest + reach))
        beyond = np.where(is_new, np.maximum(1.0, np.maximum(lowest - means, means - highest) / found.scale), 0.0)
        known: NDArray[np.bool_] = (found.weights * beyond[:, None, :]).sum(axis=2) <= KNOWN_GROUND
        return known

    def _learn_range(self, slots: Slots, differences: Floats, low: Floats, high: Floats) -> None:
        """Learn differences, up to where a deviation begins; all arrays have shape (n,)."""
        is_known = self.entries[slots] >= self.scale.fewest_days
        values = np.where(is_known, np.clip(differences, low, high), differences)
        self.noted[slots] += 1.0
        rate = np.maximum(1.0 / self.noted[slots], 1.0 / self.scale.memory)
        self.rest_mean[slots] += rate * values
        self.rest[slots] = (1.0 - rate) * (self.rest[slots] + rate * values * values)
        self.day_low[slots] = np.minimum(self.day_low[slots], values)
        self.day_high[slots] = np.maximum(self.day_high[slots], values)

    def _learn_means(self, slots: Slots, means: Floats) -> None:
        """Learn means and how they change, shape (devices, sensors), NaN where there is nothing to learn."""
        known, moved = np.isfinite(means), means - self.last[slots]
        self.count[slots] += known
        rate = self._rate(self.count[slots])
        away = np.where(known, means - self.mean[slots], 0.0)
        self.mean[slots] += np.diagonal(rate, axis1=1, axis2=2) * away
        add_products(self.moments, slots, away, known, (1.0 - rate) * rate, 1.0 - rate)
        has_moved = np.isfinite(moved)
        self.changes[slots] += has_moved
        rate = self._rate(self.changes[slots])
        add_products(self.moved, slots, np.where(has_moved, moved, 0.0), has_moved, rate, 1.0 - rate)
        self.lowest[slots] = np.fmin(self.lowest[slots], means)
        self.highest[slots] = np.fmax(self.highest[slots], means)

    def _rate(self, count: Floats) -> Floats:
        """Weight of a product of two sensors' values, by the one that has fewer, shape (devices, sensors, sensors)."""
        fewer = np.minimum(count[:, :, None], count[:, None, :])
        rate: Floats = np.maximum(1.0 / np.maximum(fewer, 1.0), 1.0 / self.scale.memory)
        return rate


def _checksums(slots: Slots) -> Floats:
    """Numbers above 0 that tell apart which sensors form a device, shape (devices,)."""
    return np.array([zlib.crc32(each.astype("<i8").tobytes()) + 1.0 for each in slots])
