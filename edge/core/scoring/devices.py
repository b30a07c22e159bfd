"""Devices: sensors that belong together, and the rows of readings that they make.

A row holds one value of each sensor of a device, and is complete when each has sent one since the row before. The
sensors of a device seldom report equally often, so a row also ends when one of them reports again: the quickest sets
the pace, and the last values of the others are held, each up to an age; one that is older is missing from the row. A
row's time is the earliest of the readings that are new in it, so that a sensor whose clock runs ahead takes no other's
readings out of it. A reading from before the last row comes too late for one. A sensor's very first reading makes it
known and no more, so that sensors which appear one after another don't end up a row apart.

Rows follow from the order of the readings alone, however they are cut into batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Slots
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch

HELD_INTERVALS = 3.0
"""A value counts for so many of its sensor's usual intervals, unless the operator says for how long."""

INTERVALS_REMEMBERED = 50
LONGEST_GAP = 10.0
"""In the usual interval, a gap counts as at most so many intervals."""

FEWEST = 2
"""Sensors that have a value in a row, at least."""


@dataclass(slots=True)
class Device:
    """A device, and the row that is being put together.

    Attributes:
        name: Its name in the sensor table.
        most: Sensors that it takes at most.
        hold_s: Age to which a value counts, or None for `HELD_INTERVALS`.
        slot: Its slot, or -1 as long as it has none.
        members: Slots of its sensors, by channel.
        values: Last value of each channel.
        times: Time of it.
        intervals: Usual seconds between two readings of each channel; 0 while unknown.
        counts: Intervals that were learned of each.
        fresh: The channels that have sent a value since the last row, as bits.
        joined: The channels that have ever sent one.
        after: Time of the last row.
    """

    name: str
    most: int
    hold_s: float | None
    slot: int = -1
    members: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    intervals: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    fresh: int = 0
    joined: int = 0
    after: float = -math.inf

    def join(self, slot: int) -> None:
        """Take in one more sensor."""
        self.members.append(slot)
        self.values.append(math.nan)
        self.times.append(-math.inf)
        self.intervals.append(0.0)
        self.counts.append(0)

    def take(self, channel: int, value: float, time: float) -> tuple[float, list[float]] | None:
        """Record a reading; the row that it ends, if it does: its time and its values."""
        row, bit = None, 1 << channel
        if not self.joined & bit:
            self.joined |= bit
        elif time >= self.after:
            if self.fresh & bit:
                row = self._row()
            self.fresh |= bit
        if time > self.times[channel]:
            self._learn_interval(channel, time - self.times[channel])
            self.values[channel], self.times[channel] = value, time
        if row is None and self.fresh == self.joined and self.fresh.bit_count() >= FEWEST:
            row = self._row()
        return row

    def shift(self, channels: Iterable[int], by: float) -> None:
        """Move the times of channels by so many seconds: the clock that stamps them was set."""
        for channel in channels:
            self.times[channel] += by
        self.after += min(0.0, by)

    def _row(self) -> tuple[float, list[float]] | None:
        """End the row; None if too few of its sensors have a value."""
        fresh = [channel for channel in range(len(self.members)) if self.fresh >> channel & 1]
        time = min(self.times[channel] for channel in fresh)
        row = [
            value if self.fresh >> channel & 1 or time - self.times[channel] <= self._held(channel) else math.nan
            for channel, value in enumerate(self.values)
        ]
        self.fresh, self.after = 0, max(self.after, time)
        return (self.after, row) if sum(map(math.isfinite, row)) >= FEWEST else None

    def _held(self, channel: int) -> float:
        return HELD_INTERVALS * self.intervals[channel] if self.hold_s is None else self.hold_s

    def _learn_interval(self, channel: int, gap: float) -> None:
        if not math.isfinite(gap):
            return
        known, count = self.intervals[channel], self.counts[channel] + 1
        self.counts[channel] = count
        if known > 0:
            gap = known + (min(gap, LONGEST_GAP * known) - known) * max(1 / count, 1 / INTERVALS_REMEMBERED)
        self.intervals[channel] = gap


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of readings that a batch has ended.

    Attributes:
        slots: Of the devices, shape (n,).
        times: Of the rows, shape (n,).
        values: One column a channel, NaN where a device has none or its sensor is missing; shape (n, most).
        positions: Of the readings in the batch that ended them, ascending, shape (n,).
    """

    slots: Slots
    times: Floats
    values: Floats
    positions: Slots


class Devices:
    """All devices of a plant."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        self._place: dict[int, tuple[Device, int]] = {}
        self._by_slot: dict[int, Device] = {}
        self._slots: dict[str, int] = {}
        self._unallotted: dict[str, Device] = {}
        self._all: set[int] = set()
        self._is_device: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._is_member: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._known = 0
        self._loaded: set[str] = set()

    def join(self, slot: int, name: str, most: int, hold_s: float | None) -> None:
        """Let a sensor belong to a device; once that has `most` sensors, it takes no more.

        Args:
            slot: The sensor's.
            name: The device's, in the sensor table.
            most: Maximum number of its sensors, if this is the first.
            hold_s: Age to which its sensors' last values count, or None; likewise.
        """
        device = self._devices.get(name)
        if device is None:
            device = self._devices[name] = Device(name, most, hold_s)
            if name in self._slots:
                self.allot(name, self._slots[name])
        if len(device.members) < device.most:
            self._place[slot] = (device, len(device.members))
            device.join(slot)
        if device.slot < 0 and len(device.members) >= FEWEST:
            self._unallotted[name] = device

    def leave(self, slot: int) -> int | None:
        """Let a sensor no longer belong to its device, which begins anew with the others; returns the device's slot.

        None if it has no slot, or the sensor belongs to none.
        """
        if slot not in self._place:
            return None
        before, _ = self._place.pop(slot)
        self._is_member[slot] = False
        if before.members == [slot]:
            del self._devices[before.name]
            return None if self._by_slot.pop(before.slot, None) is None else before.slot
        device = self._devices[before.name] = Device(before.name, before.most, before.hold_s, before.slot)
        for channel, member in enumerate(each for each in before.members if each != slot):
            self._place[member] = (device, channel)
            device.join(member)
        if device.slot < 0:
            self._unallotted.pop(device.name, None)
            if len(device.members) >= FEWEST:
                self._unallotted[device.name] = device
            return None
        self._by_slot[device.slot] = device
        return device.slot

    def forget(self, name: str) -> None:
        """Let a device that has no sensors any more have no slot."""
        slot = self._slots.pop(name)
        self._all.discard(slot)
        self._is_device[slot] = False

    def occupied(self, slot: int) -> None:
        """Note that a slot that was vacant is a sensor's or a device's."""
        self._is_member[slot] = slot in self._place
        self._is_device[slot] = slot in self._all

    def unallotted(self) -> list[Device]:
        """The devices that need a slot: those of two sensors or more that have none."""
        return list(self._unallotted.values())

    def allot(self, name: str, slot: int) -> None:
        """Give a device its slot; one that isn't known gets it with its first sensor, if it ever has one again."""
        self._slots[name] = slot
        self._all.add(slot)
        device = self._devices.get(name)
        if device is not None:
            device.slot = slot
            self._unallotted.pop(name, None)
            self._by_slot[slot] = device

    def grow(self, sensors: int) -> None:
        """Make room for `sensors` slots in all."""
        if sensors > len(self._is_member):
            grown = np.zeros((2, 2 * sensors), dtype=bool)
            grown[0, : self._known] = self._is_member[: self._known]
            grown[1, : self._known] = self._is_device[: self._known]
            self._is_member, self._is_device = grown
        for slot in range(self._known, sensors):
            self._is_member[slot] = slot in self._place
            self._is_device[slot] = slot in self._all
        self._known = max(self._known, sensors)

    def before_a_word(self, slots: Slots) -> int:
        """Number of readings before the first one by a device itself; all of them if there is none."""
        if not self._all:
            return len(slots)
        words = self._is_device[slots]
        return int(np.argmax(words)) if words.any() else len(slots)

    def is_device(self, slot: int) -> bool:
        """Whether a slot is that of a device with sensors."""
        return slot in self._by_slot

    def members(self, slot: int) -> list[int]:
        """Slots of a device's sensors, by channel."""
        return self._by_slot[slot].members

    def contributions(self, slot: int, shares: Iterable[float]) -> list[tuple[int, float]]:
        """Slots of a device's sensors and their shares, those that have one, the largest first."""
        rounded = [(member, round(share, 3)) for member, share in zip(self.members(slot), shares, strict=False)]
        return sorted((each for each in rounded if each[1] > 0), key=lambda each: -each[1])

    def devices_of(self, slots: Iterable[int]) -> list[int]:
        """Slots of the devices that have one of these sensors, ascending."""
        found = {self._place[slot][0].slot for slot in slots if slot in self._place}
        return sorted(found - {-1})

    def assemble(self, batch: Batch) -> Rows | None:
        """Record a batch's readings, and return the rows that they end; None if there are none."""
        if not self._devices:
            return None
        slots: list[int] = []
        times: list[float] = []
        rows: list[list[float]] = []
        ends: list[int] = []
        positions = np.flatnonzero(self._is_member[batch.slots])
        mine = batch.take(positions)
        readings = zip(positions.tolist(), mine.slots.tolist(), mine.values.tolist(), mine.times.tolist(), strict=True)
        for position, slot, value, time in readings:
            device, channel = self._place[slot]
            row = device.take(channel, value, time)
            if row is not None and device.slot >= 0:
                slots.append(device.slot)
                times.append(row[0])
                rows.append(row[1])
                ends.append(position)
        if not rows:
            return None
        values = np.full((len(rows), max(map(len, rows))), np.nan)
        for index, each in enumerate(rows):
            values[index, : len(each)] = each
        return Rows(np.array(slots, dtype=np.intp), np.array(times), values, np.array(ends, dtype=np.intp))

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of sensors by so many seconds: the clock that stamps them was set."""
        moved: dict[str, list[int]] = {}
        for slot in slots.tolist():
            if slot in self._place:
                device, channel = self._place[slot]
                moved.setdefault(device.name, []).append(channel)
        for name, channels in moved.items():
            self._devices[name].shift(channels, by)

    def __len__(self) -> int:
        """Number of devices."""
        return len(self._devices)

    def state(self, first: int, last: int) -> bytes:
        """The devices from the `first` to before the `last`, for `load()`."""
        return encode(list(islice(self._devices.values(), first, last)))

    def load(self, first: int, state: bytes) -> None:  # noqa: ARG002 - devices are known by their names
        """Continue with the rows of devices as they were, but for those that have other sensors than then.

        Raises:
            StateError: It can't be read.
        """
        for before in decode(state, list[Device]):
            device = self._devices.get(before.name)
            if device is None or sorted(before.members) != sorted(device.members):
                continue
            device.members = before.members
            for channel, member in enumerate(device.members):
                self._place[member] = (device, channel)
            device.values, device.times = before.values, before.times
            device.intervals, device.counts = before.intervals, before.counts
            device.fresh, device.joined, device.after = before.fresh, before.joined, before.after
            self._loaded.add(before.name)

    def unloaded(self) -> list[int]:
        """Slots of the devices that `load()` has found nothing of, or with other sensors than now."""
        return [each.slot for name, each in self._devices.items() if each.slot >= 0 and name not in self._loaded]

    def anew(self) -> Devices:
        """The same devices, of which nothing has been seen."""
        others = Devices()
        for device in self._devices.values():
            for slot in device.members:
                others.join(slot, device.name, device.most, device.hold_s)
        for name, slot in self._slots.items():
            others.allot(name, slot)
        others.grow(self._known)
        return others
