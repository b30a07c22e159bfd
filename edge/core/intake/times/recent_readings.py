"""Recent readings: recognises readings that were accepted before when they arrive again.

Each of the first `REMEMBERED` readings of a sensor is kept as a 16-bit checksum of time and value. After that only the
first reading in each `MOMENT_S` seconds of sensor time is kept: 256 of these cover at least a quarter of an hour at any
rate, which still identifies a run of old readings. Collisions are rare (one in 256 unknown readings matches a known
one) and matter little, since such a reading was late anyway.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from edge.core.model.readings.rounds import Runs
from edge.core.model.sensors.sensor_arrays import SensorArrays

REMEMBERED = 256
"""Readings kept for each sensor, at 2 bytes each."""

MOMENT_S = 4.0
"""After the first readings, one is kept for each interval of this many seconds; a power of two."""

FIRST_FACTOR, SECOND_FACTOR = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
"""Odd constants without a pattern, for mixing bits."""

WORD = 2**64 - 1
TWO_FLOATS, TWO_WORDS = struct.Struct("=2d"), struct.Struct("=2Q")


class RecentReadings(SensorArrays):
    """The recently admitted readings of each sensor."""

    def __init__(self) -> None:
        self.tags = np.zeros((0, REMEMBERED), dtype=np.uint16)
        self.count = np.zeros(0, dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows)

    def knows(
        self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether readings are recorded; all arrays have shape (n,)."""
        known: NDArray[np.bool_] = (self.tags[slots] == _tags(values, times)[:, np.newaxis]).any(axis=-1)
        return known

    def stands_out(
        self, slots: NDArray[np.intp], times: NDArray[np.float64], before: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether a reading would be recorded if it was accepted; only then is its absence from the record meaningful.

        Args:
            slots: Slots of the readings, shape (n,).
            times: Their times, shape (n,).
            before: Time of the previous reading of each sensor, shape (n,).
        """
        telling: NDArray[np.bool_] = (self.count[slots] < REMEMBERED) | (_moments(times) != _moments(before))
        return telling

    def note(
        self,
        slots: NDArray[np.intp],
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        before: NDArray[np.float64],
    ) -> None:
        """Record at most one reading of each sensor; see `stands_out()`."""
        noted = self.stands_out(slots, times, before)
        slots = slots[noted]
        count = self.count[slots]
        self.tags[slots, count % REMEMBERED] = _tags(values[noted], times[noted])
        self.count[slots] = count + 1

    def note_runs(
        self,
        runs: Runs,
        slots: NDArray[np.intp],
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        before: NDArray[np.float64],
    ) -> None:
        """Record any number of readings of each sensor, in the order of `runs`."""
        count = self.count[slots] + runs.turns
        noted = (count < REMEMBERED) | (_moments(times) != _moments(before))
        firsts, numbers = slots[runs.starts], runs.lengths
        if not noted.all():
            # Index of each reading among its sensor's recorded readings: a running sum minus the counts of the sensors
            # before it.
            numbers = np.add.reduceat(noted, runs.starts, dtype=np.intp)
            earlier = np.cumsum(numbers) - numbers
            count = self.count[slots] + np.cumsum(noted) - 1 - np.repeat(earlier, runs.lengths)
            slots, values, times, count = slots[noted], values[noted], times[noted], count[noted]
        self.tags[slots, count % REMEMBERED] = _tags(values, times)
        self.count[firsts] += numbers

    def note_few(
        self,
        slots: list[int],
        values: NDArray[np.float64],
        times: NDArray[np.float64],
        before: list[float],
    ) -> None:
        """Record readings one at a time."""
        counts = self.at(slots[0])["count"]
        for slot, value, time, earlier in zip(slots, values.tolist(), times.tolist(), before, strict=True):
            count = counts[slot]
            if count < REMEMBERED or time // MOMENT_S != earlier // MOMENT_S:
                self.tags[slot, count % REMEMBERED] = _tag(value, time)
                counts[slot] = count + 1


def _moments(times: NDArray[np.float64]) -> NDArray[np.float64]:
    moments: NDArray[np.float64] = np.floor(times * (1.0 / MOMENT_S))
    return moments


def _tags(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.uint16]:
    """16-bit checksums that distinguish a sensor's readings; 0 means no reading."""
    bits = _mixed(_mixed(times.view(np.uint64)) ^ values.view(np.uint64))
    return np.maximum((bits >> np.uint64(48)).astype(np.uint16), np.uint16(1))


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread each bit over the word, so that the few high bits of round numbers don't cancel out."""
    mixed: NDArray[np.uint64] = (bits ^ (bits >> np.uint64(32))) * np.uint64(FIRST_FACTOR)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(SECOND_FACTOR)
    return mixed ^ (mixed >> np.uint64(32))


def _tag(value: float, time: float) -> int:
    """`_tags()` for one reading; an array of length one takes eight times as long."""
    time_bits, value_bits = TWO_WORDS.unpack(TWO_FLOATS.pack(time, value))
    return max(_mixed_word(_mixed_word(time_bits) ^ value_bits) >> 48, 1)


def _mixed_word(bits: int) -> int:
    """`_mixed()` for one word."""
    mixed = ((bits ^ (bits >> 32)) * FIRST_FACTOR) & WORD
    mixed = ((mixed ^ (mixed >> 29)) * SECOND_FACTOR) & WORD
    return mixed ^ (mixed >> 32)
