"""Paces: which sensors are counters, and how fast each of these counts.

A counter only rises: energy, volume, pieces, packets, rain. Where it stands says nothing; how fast it rises does. So of
a counter the detectors are given its *pace*, the rise over a stretch of time, in units per second, minute, hour or day.

A sensor is taken for a counter when it has risen `FEWEST` times and for a day without falling, but for resets: falls to
next to nothing, as at midnight, at the end of a month, at an overflow or when a device starts anew. A rule may say at
once that a sensor is one, or that it isn't. A counter that falls too often has become a gauge. A sensor that has never
fallen since its first reading may be a counter: until that is known, its values are given to no detector.

A stretch ends with a reading. It is as long as it takes for a pace that isn't mostly resolution: a meter that counts
whole litres says nothing about a second. A reset begins another stretch, and is otherwise no news. A counter that
falls and is back a few readings later hasn't been reset: what it said in between was an error value.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from detectors.numeric.arrays import Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, any_of, maximum, minimum, nowhere, where
from edge.core.model.readings.rounds import Round
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.opinions import Observation

FEWEST = 10.0
"""Rises, before a sensor is a counter."""

SUSPICIOUS = 2.0
"""Rises since a sensor's first reading, from which on it may be one."""

DAY_S = 86_400.0
"""For so long it must not have fallen: most of what rises all morning falls at night."""

LANDING = 0.02
"""A reset falls to no more than this share of where the counter stood."""

MOST_STRIKES = 8.0
HALF_LIFE_S = 2 * DAY_S
"""Resets count as strikes, and are forgotten by halves; one each day makes 3.4."""

MOST_SWAPS = 1.0
"""Falls that aren't resets: a meter is replaced by another one."""

JITTER = 2.0
"""A fall by so many steps of resolution is none."""

DOUBTED, MOST_DOUBT = 7.0, 365.0
"""A sensor that was no counter after all has to rise for a week next time, then for seven, and so on."""

LEAP = 10.0
SAME = 1e-6
"""Steps that differ by no more than this share are the same, but for rounding."""

MOST_AWAY = 5.0
"""Readings after a fall, within which a counter that is back where it stood wasn't reset."""

CLEAR_STEPS = 4.0
"""A rise by so many steps of resolution is a pace by itself; a stretch of smaller ones should have"""

STEPS = 6.0
"""so many of them."""

SHORTEST_S, LONGEST_S = 60.0, 3_600.0
"""A stretch is at least and at most so long, or a reading."""

UNITS_S = ((1.0, 1.0), (60.0, 1.0), (3_600.0, 0.05))
"""Seconds that a pace may be per, and how large it should be then; otherwise it is per day."""


class Paces(SensorArrays):
    """What is known of each sensor as a counter; one row a sensor.

    State: 209 bytes a sensor.

    Attributes:
        wait: Seconds without a fall before the sensor is taken for a counter: none if a rule says so, infinite if a
            rule says that it isn't one.
        per: Seconds that the pace is per; 0 for what is no counter.
        width: Seconds that a stretch lasts at least.
        last: The last value; NaN before the first.
        since: Time from which on the sensor hasn't fallen, but for resets.
        rises: Since then.
        surveyed: Time from which on it was found out how it rises; `FEWEST` rises after `since`.
        readings, counted: Readings and rises since then.
        rise: Sum of these rises; one that stands out counts as `LEAP` usual ones.
        step: The last of them.
        finest: The resolution: the smallest of them, or the smallest difference between two.
        unbroken: Whether the sensor has never fallen since its first reading.
        strikes: Resets, of which half are forgotten after `HALF_LIFE_S`.
        struck: Time of the last.
        swaps: Falls that were no resets.
        doubt: For how many times as long it must not fall now, as it had been taken for a counter and wasn't one.
        start_value, start_time: Where the present stretch began.
        lasted: Seconds that the last one lasted.
        top: Where the counter stood before its last fall.
        bottom: What it fell to.
        away: Readings since.
        top_value, top_time: Where the stretch began that the fall has ended.
    """

    def __init__(self) -> None:
        self.wait = np.zeros(0)
        self.per = np.zeros(0)
        self.width = np.zeros(0)
        self.last = np.zeros(0)
        self.since = np.zeros(0)
        self.rises = np.zeros(0)
        self.surveyed = np.zeros(0)
        self.readings = np.zeros(0)
        self.counted = np.zeros(0)
        self.rise = np.zeros(0)
        self.step = np.zeros(0)
        self.finest = np.zeros(0)
        self.unbroken = np.zeros(0, dtype=bool)
        self.strikes = np.zeros(0)
        self.struck = np.zeros(0)
        self.swaps = np.zeros(0)
        self.doubt = np.zeros(0)
        self.start_value = np.zeros(0)
        self.start_time = np.zeros(0)
        self.lasted = np.zeros(0)
        self.top = np.zeros(0)
        self.bottom = np.zeros(0)
        self.away = np.zeros(0)
        self.top_value = np.zeros(0)
        self.top_time = np.zeros(0)
        self.changed: list[int] = []
        self.pulses: list[tuple[int, float]] = []

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, wait=DAY_S, doubt=1.0, last=np.nan, finest=np.inf, start_time=np.nan, away=np.inf)

    def declare(self, slot: int, *, counter: bool | None) -> bool:
        """Note what a rule says of a sensor: a counter or not, None for neither.

        Returns:
            Whether it is no counter any more, though it was taken for one.
        """
        self.wait[slot] = DAY_S if counter is None else 0.0 if counter else math.inf
        if counter is not False or not self.per[slot]:
            return False
        self._begin_account(slot, math.nan)
        self.per[slot] = 0.0
        return True

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`; what a rule says of the sensor stays."""
        wait = self.wait[slot]
        super().clear_row(slot)
        self.wait[slot] = wait

    def load(self, first: int, state: bytes) -> None:
        """See `SensorArrays`; what a rule says of the sensors now stays."""
        wait = self.wait.copy()
        super().load(first, state)
        self.wait[:] = wait

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        for each in (self.since, self.surveyed, self.struck, self.start_time, self.top_time):
            each[slots] += by

    def see(self, slots: Rows, values: Numbers, times: Numbers, is_new: Any) -> Numbers:
        """Take note of readings, and say what detectors are given of them: values, paces, or NaN for nothing.

        Args:
            slots: Their sensors, no one twice, shape (n,), or a single one.
            values: Values, shape (n,).
            times: Times, seconds since the epoch, shape (n,).
            is_new: Whether they are the first ones of their sensors, shape (n,).

        Returns:
            Of shape (n,); the values themselves where nobody is a counter. `changed` has the sensors that were
            recognised as counters or as gauges with these readings, `pulses` those that are back from a fall, with what
            they fell to.
        """
        state = self.at(slots)
        last, rises, since = state["last"][slots], state["rises"][slots], state["since"][slots]
        is_first = nowhere(last != last)  # noqa: PLR0124 - NaN isn't itself
        moved = where(is_first, 0.0, values - last)
        fell, grew = moved < 0, moved > 0
        counter = state["per"][slots] > 0
        resets = fell & (rises >= FEWEST) & (values >= 0) & (values <= LANDING * last)
        begins = (fell & ((counter | resets) ^ True)) | is_first
        unbroken = (state["unbroken"][slots] & (begins ^ True)) | (is_first & is_new)
        rises, since = where(begins, 0.0, rises + grew), where(begins, times, since)
        state["last"][slots], state["since"][slots] = values, since
        state["rises"][slots], state["unbroken"][slots] = rises, unbroken
        state["away"][slots] = state["away"][slots] + 1.0
        surveyed = (rises > FEWEST) & (counter ^ True)
        wait = state["wait"][slots]
        if any_of(surveyed):
            self._survey(slots, moved, times, surveyed)
        due = (
            surveyed
            & (times - since >= wait * where(unbroken, 1.0, maximum(state["doubt"][slots], DOUBTED)))
            & (state["counted"][slots] >= SUSPICIOUS)
        )
        closer = resets | (fell & counter) | due
        if any_of(closer):
            for index in np.flatnonzero(closer).tolist():
                self._look(*(np.atleast_1d(each)[index].item() for each in (slots, values, times, last)))
            counter = state["per"][slots] > 0
        may_be = (unbroken & (rises >= SUSPICIOUS) & (times - since < wait) & (wait <= DAY_S)) | (wait <= 0)
        awaited = may_be & (counter ^ True)
        if any_of(counter | awaited):
            return where(counter, self._pace(slots, values, times, counter), where(awaited, NOTHING, values))
        return values

    def pace_of_strange(self, slot: int, value: float, time: float) -> float:
        """What detectors are given of a reading that may be an error value: a counter's rise isn't taken note of."""
        if not self.per[slot] > 0:
            return value
        if value < float(self.last[slot]):
            return self.see(slot, value, time, False)  # type: ignore[no-any-return]
        passed = time - float(self.start_time[slot])
        return (value - float(self.start_value[slot])) / passed * float(self.per[slot]) if passed > 0 else NOTHING

    def observed(self, reading: Round, observation: Observation) -> Observation:
        """What is observed with one reading: of a counter its pace, beside what it reads."""
        per = float(self.per[reading.slots])
        if per > 0 and reading.seen == reading.seen:
            observation.value, observation.per, observation.reading = float(reading.seen), per, float(reading.values)
            observation.stretch = float(self.lasted[reading.slots])
        return observation

    def take_kinds(self, other: Paces, rows: int) -> None:
        """Take the same sensors for counters as another one does, of the first `rows`, with the same stretches."""
        for name in ("wait", "per", "width"):
            getattr(self, name)[:rows] = getattr(other, name)[:rows]

    def _pace(self, slots: Rows, values: Numbers, times: Numbers, counter: Any) -> Numbers:
        """The paces of counters whose stretch ends with these readings, NaN of the others."""
        state = self.at(slots)
        back = counter & (state["away"][slots] <= MOST_AWAY) & (values >= state["top"][slots])
        if any_of(back):
            for index in np.flatnonzero(back).tolist():
                self._return(int(np.atleast_1d(slots)[index]))
        per, start = state["per"][slots], state["start_time"][slots]
        passed = times - start
        is_known = counter & (start == start)  # noqa: PLR0124 - NaN isn't itself
        ends = is_known & (passed > 0) & (passed >= state["width"][slots])
        pace = where(ends, (values - state["start_value"][slots]) / where(ends, passed, 1.0) * per, NOTHING)
        begins = ends | (counter & (is_known ^ True))
        state["start_value"][slots] = where(begins, values, state["start_value"][slots])
        state["start_time"][slots] = where(begins, times, start)
        state["lasted"][slots] = where(ends, passed, state["lasted"][slots])
        return pace

    def _survey(self, slots: Rows, moved: Numbers, times: Numbers, chosen: Any) -> None:
        """Find out how often and in which steps some sensors rise."""
        if type(slots) is not int:
            slots, moved, times = slots[chosen], moved[chosen], times[chosen]
        state = self.at(slots)
        grew, readings, rise = moved > 0, state["readings"][slots], state["rise"][slots]
        counted = state["counted"][slots]
        state["surveyed"][slots] = where(readings == 0, times, state["surveyed"][slots])
        most = where(counted >= FEWEST, LEAP * rise / maximum(counted, 1.0), math.inf)
        state["readings"][slots] = readings + 1.0
        state["counted"][slots] = counted + grew
        state["rise"][slots] = rise + maximum(minimum(moved, most), 0.0)
        finest, step = state["finest"][slots], state["step"][slots]
        between = abs(moved - step)
        finest = where(grew & (between > SAME * step), minimum(finest, minimum(moved, between)), finest)
        state["finest"][slots] = where(grew, minimum(finest, moved), finest)
        state["step"][slots] = where(grew, moved, step)

    def _look(self, slot: int, value: float, time: float, last: float) -> None:
        """Look closer at a sensor that has fallen, or that may have become a counter."""
        is_counter = bool(self.per[slot] > 0)
        if not value < last:
            self._recognise(slot, time)
            self.start_value[slot], self.start_time[slot] = value, time
            self.changed.append(slot)
            return
        if is_counter and last - value <= JITTER * self.finest[slot]:
            return
        if 0 <= value <= LANDING * last:
            self.strikes[slot] *= 0.5 ** (max(time - self.struck[slot], 0.0) / HALF_LIFE_S)
            self.strikes[slot] += 1.0
            self.struck[slot] = time
        else:
            self.swaps[slot] += 1.0
        if self.strikes[slot] >= MOST_STRIKES or self.swaps[slot] > MOST_SWAPS:
            self._begin_account(slot, time)
            if is_counter and self.wait[slot] > 0:
                self.per[slot] = 0.0
                self.doubt[slot] = min(DOUBTED * self.doubt[slot], MOST_DOUBT)
                self.changed.append(slot)
                return
        self.top[slot], self.bottom[slot], self.away[slot] = last, value, 0.0
        self.top_value[slot], self.top_time[slot] = self.start_value[slot], self.start_time[slot]
        self.start_value[slot], self.start_time[slot] = value, time

    def _return(self, slot: int) -> None:
        """Go on with the stretch before a fall, as the counter is back."""
        self.pulses.append((slot, float(self.bottom[slot])))
        self.start_value[slot], self.start_time[slot] = self.top_value[slot], self.top_time[slot]
        self.strikes[slot] = max(self.strikes[slot] - 1.0, 0.0)
        self.away[slot] = np.inf

    def _recognise(self, slot: int, time: float) -> None:
        """Take a sensor for a counter: find out how long a stretch has to be, and what its pace is per."""
        readings, rises = float(self.readings[slot]), float(self.counted[slot])
        lasted = max(float(time - self.surveyed[slot]), 1e-6)
        interval, mean = lasted / max(readings - 1.0, 1.0), float(self.rise[slot]) / rises
        steps = mean / float(self.finest[slot])
        often = rises / readings
        width = 0.0 if steps >= CLEAR_STEPS else STEPS / (often * steps) * interval
        self.width[slot] = max(min(max(width, SHORTEST_S), LONGEST_S) - interval / 2.0, 0.0)
        busy = mean / interval if steps >= CLEAR_STEPS else mean * rises / lasted
        self.per[slot] = next((unit for unit, least in UNITS_S if busy * unit >= least), DAY_S)

    def _begin_account(self, slot: int, time: float) -> None:
        """Begin anew to look whether a sensor only rises."""
        self.since[slot], self.away[slot], self.finest[slot] = time, np.inf, np.inf
        for each in (self.strikes, self.swaps, self.rises, self.readings, self.counted, self.rise, self.step):
            each[slot] = 0.0
        self.unbroken[slot] = False
