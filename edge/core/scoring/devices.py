"""Devices: sensors that belong together, and the rows assembled from their readings.

A row holds one value of each sensor of a device and is complete when each has sent one since the previous row. Since
the sensors of a device seldom report equally often, a row also ends when one of them reports again: the fastest sensor
sets the pace, and the others contribute their last value up to a maximum age, beyond which it is missing from the row.
The time of a row is the earliest of its new readings, so a sensor whose clock runs ahead can't displace the readings of
others. A reading from before the last row is too late for one. The very first reading of a sensor only makes it known;
otherwise sensors that appear one after another would end up a row apart.

Rows depend only on the order of the readings, not on how they are divided into batches.
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
"""Maximum age of a value, in usual intervals of its sensor, unless configured."""

INTERVALS_REMEMBERED = 50
LONGEST_GAP = 10.0
"""Maximum contribution of a gap to the learned interval, in intervals."""

FEWEST = 2
"""Minimum number of sensors with a value in a row."""


@dataclass(slots=True)
class Device:
    """A device, and the row being assembled.

    Attributes:
        name: Its name in the sensor table.
        most: Maximum number of sensors.
        hold_s: Maximum age of a value in seconds, or None for `HELD_INTERVALS`.
        slot: Its slot, or -1 while it has none.
        members: Slots of its sensors, by channel.
        values: Last value of each channel.
        times: Time of the last value of each channel.
        intervals: Usual interval of each channel in seconds; 0 while unknown.
        counts: Number of intervals learned for each channel.
        fresh: Bit mask of the channels that sent a value since the last row.
        joined: Bit mask of the channels that ever sent a value.
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
        """Add a sensor."""
        self.members.append(slot)
        self.values.append(math.nan)
        self.times.append(-math.inf)
        self.intervals.append(0.0)
        self.counts.append(0)

    def take(self, channel: int, value: float, time: float) -> tuple[float, list[float]] | None:
        """Record a reading; returns time and values of the row that it completes, or None."""
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
        """Shift the times of channels by `by` seconds after a step of the clock that timestamps them."""
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
    """Rows completed by a batch.

    Attributes:
        slots: Slots of the devices, shape (n,).
        times: Times of the rows, shape (n,).
        values: One column per channel, NaN where a device has no such channel or no value for it; shape (n, most).
        positions: Ascending positions in the batch of the readings that completed them, shape (n,).
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
        """Add a sensor to a device unless that already has `most` sensors.

        Args:
            slot: Slot of the sensor.
            name: Name of the device in the sensor table.
            most: Maximum number of sensors; used when the device is created.
            hold_s: Maximum age of its sensors' values in seconds, or None; used when the device is created.
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
        """Remove a sensor from its device, which restarts with the others; returns the device's slot.

        None if the device has no slot, or the sensor has no device.
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
        """Release the slot of a device that has no sensors left."""
        slot = self._slots.pop(name)
        self._all.discard(slot)
        self._is_device[slot] = False

    def occupied(self, slot: int) -> None:
        """Record that a vacant slot was given to a sensor or device."""
        self._is_member[slot] = slot in self._place
        self._is_device[slot] = slot in self._all

    def unallotted(self) -> list[Device]:
        """Devices that need a slot: those with at least two sensors and none yet."""
        return list(self._unallotted.values())

    def allot(self, name: str, slot: int) -> None:
        """Give a device its slot; an unknown device gets it with its first sensor."""
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
        """Number of readings before the first availability reading of a device; all of them if there is none."""
        if not self._all:
            return len(slots)
        words = self._is_device[slots]
        return int(np.argmax(words)) if words.any() else len(slots)

    def is_device(self, slot: int) -> bool:
        """Whether a slot belongs to a device with sensors."""
        return slot in self._by_slot

    def members(self, slot: int) -> list[int]:
        """Slots of a device's sensors, by channel."""
        return self._by_slot[slot].members

    def contributions(self, slot: int, shares: Iterable[float]) -> list[tuple[int, float]]:
        """The sensors of a device with a share above zero, as slot and share, largest first."""
        rounded = [(member, round(share, 3)) for member, share in zip(self.members(slot), shares, strict=False)]
        return sorted((each for each in rounded if each[1] > 0), key=lambda each: -each[1])

    def devices_of(self, slots: Iterable[int]) -> list[int]:
        """Ascending slots of the devices that have one of these sensors."""
        found = {self._place[slot][0].slot for slot in slots if slot in self._place}
        return sorted(found - {-1})

    def assemble(self, batch: Batch) -> Rows | None:
        """Record a batch of readings and return the rows that they complete; None if there are none."""
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
        """Shift the times of sensors by `by` seconds after a step of the clock that timestamps them."""
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
        """The state of the devices in the range `first` to `last` (exclusive), for `load()`."""
        return encode(list(islice(self._devices.values(), first, last)))

    def load(self, first: int, state: bytes) -> None:  # noqa: ARG002 - devices are known by their names
        """Load the rows of devices, except those whose sensors have changed.

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
        """Slots of the devices that `load()` didn't restore."""
        return [each.slot for name, each in self._devices.items() if each.slot >= 0 and name not in self._loaded]

    def anew(self) -> Devices:
        """The same devices without any readings."""
        others = Devices()
        for device in self._devices.values():
            for slot in device.members:
                others.join(slot, device.name, device.most, device.hold_s)
        for name, slot in self._slots.items():
            others.allot(name, slot)
        others.grow(self._known)
        return others
