"""Paces: recognises counters and computes how fast they count.

A counter only rises: energy, volume, pieces, packets, rain. Its reading is uninformative, its rate of rise isn't. For
counters the detectors therefore receive the *pace*: the rise over a stretch of time, in units per second, minute, hour
or day.

A sensor becomes a counter when it has risen `FEWEST` times, and for a day without falling except for resets: falls to
almost nothing, as at midnight, at the end of a month, at an overflow or at a restart. A rule may declare at once that a
sensor is or isn't one. A counter that falls too often becomes a gauge. A sensor that has never fallen since its first
reading may be a counter; until that is known, its values are withheld from detectors.

A stretch (`sensors/stretches.py`) ends with a reading. A reset begins a new one and is otherwise ignored, and so does
a jump (`errors/jumps.py`). An overflow begins none, since it is known how far the counter has risen, and a return
(`errors/counter_returns.py`) resumes the stretch before: the readings in between were error values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from detectors.numeric.arrays import Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, any_of, maximum, nowhere, where
from edge.core.model.readings.rounds import Round
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.errors.counter_returns import is_away, is_back, is_known
from edge.core.scoring.errors.jumps import Jump, is_beyond, overflow, unit_factor
from edge.core.scoring.opinions import Observation
from edge.core.scoring.sensors.rises import FEWEST, LEAP, add_up, survey
from edge.core.scoring.sensors.stretches import stretch_of

SUSPICIOUS = 2.0
"""Number of rises since a sensor's first reading after which it may be a counter."""

DAY_S = 86_400.0
"""Minimum time without a fall: most signals that rise all morning fall at night."""

LANDING = 0.02
"""A reset falls to at most this share of the previous reading."""

MOST_STRIKES = 8.0
HALF_LIFE_S = 2 * DAY_S
"""Resets count as strikes that decay with this half-life; one per day adds up to 3.4."""

MOST_SWAPS = 1.0
"""Maximum number of falls that aren't resets, such as a replaced meter; those of a day in which a counter is away from
where it was count as one."""

JITTER = 2.0
"""Falls of up to this many steps of resolution are ignored."""

DOUBTED, MOST_DOUBT = 7.0, 365.0
"""Days without a fall required of a sensor that was wrongly taken for a counter: a week the next time, then seven
weeks, and so on."""

SHORTEST_LAPSE_S = 1e-3
"""Minimum duration of a jump."""


class Finding(NamedTuple):
    """What a reading has shown: the sensor has become a counter or a gauge, or is back from a fall.

    Attributes:
        slot: Slot of the sensor.
        fell_to: The value that it fell to; None if it has become a counter or a gauge.
    """

    slot: int
    fell_to: float | None = None


class Paces(SensorArrays):
    """The counter state of each sensor; one row per sensor.

    State: 217 bytes per sensor.

    Attributes:
        wait: Seconds without a fall before the sensor becomes a counter: 0 if a rule declares it one, infinite if a
            rule declares it none.
        per: Time unit of the pace in seconds; 0 for a sensor that isn't a counter.
        width: Minimum duration of a stretch in seconds.
        last: The last value; NaN before the first.
        since: Time since which the sensor hasn't fallen, except for resets.
        rises: Number of rises since then.
        surveyed: Time since which rises are measured; `FEWEST` rises after `since`.
        readings, counted: Number of readings, until the sensor is a counter, and of rises since `surveyed`.
        rise: Sum of these rises; an outlier counts as `LEAP` usual ones.
        step: The last rise.
        finest: Resolution: the smallest rise, or the smallest difference between two.
        unbroken: Whether the sensor has never fallen since its first reading.
        strikes: Number of resets, decaying with `HALF_LIFE_S`.
        struck: Time of the last reset.
        swaps: Number of falls that weren't resets.
        doubt: Factor on the required time without a fall, since the sensor was wrongly taken for a counter before.
        start_value, start_time: Start of the current stretch.
        lasted: Duration of the last stretch in seconds.
        top: Reading before the last fall or jump.
        bottom: Reading after it.
        away: Number of readings since then; infinite if the counter is back.
        left: Time of the fall or jump; minus infinity if the counter is back.
        top_value, top_time: Start of the stretch that it ended.
        waits: Whether a sensor at a value and a time doesn't become a counter yet although it is known to be one.
    """

    LATER: ClassVar = {"left": -np.inf}

    def __init__(self) -> None:
        self.waits: Callable[[int, float, float], bool] = lambda *_: False
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
        self.left = np.zeros(0)
        self.top_value = np.zeros(0)
        self.top_time = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(
            rows, wait=DAY_S, doubt=1.0, last=np.nan, finest=np.inf, start_time=np.nan, away=np.inf, left=-np.inf
        )

    def declare(self, slot: int, *, counter: bool | None) -> bool:
        """Apply a rule that declares a sensor a counter or not; None for no declaration.

        Returns:
            Whether a sensor that was considered a counter no longer is one.
        """
        self.wait[slot] = DAY_S if counter is None else 0.0 if counter else math.inf
        if counter is not False or not self.per[slot]:
            return False
        self._begin_account(slot, math.nan)
        self.per[slot] = 0.0
        return True

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`; declarations by rules are kept."""
        wait = self.wait[slot]
        super().clear_row(slot)
        self.wait[slot] = wait

    def load(self, first: int, state: bytes) -> None:
        """See `SensorArrays`; declarations by current rules are kept."""
        wait = self.wait.copy()
        super().load(first, state)
        self.wait[:] = wait

    def shift(self, slots: Slots, by: float) -> None:
        """Shift the times of sensors by `by` seconds after a step of the clock that timestamps them."""
        for each in (self.since, self.surveyed, self.struck, self.left, self.start_time, self.top_time):
            each[slots] += by

    def see(self, slots: Rows, values: Numbers, times: Numbers, is_new: Any) -> tuple[Numbers, Sequence[Finding]]:
        """Record readings and return the detectors' input: values, paces, or NaN for no input.

        Args:
            slots: Their distinct sensors, shape (n,), or a single one.
            values: Values, shape (n,).
            times: Times, seconds since the epoch, shape (n,).
            is_new: Whether they are the first of their sensors, shape (n,).

        Returns:
            Input of shape (n,), the same array if no sensor is a counter, and what these readings have shown.
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
        closer, found = resets | (fell & counter), list[Finding]()
        if any_of(surveyed):
            if type(slots) is int:
                survey(state, slots, moved, times)
            else:
                chosen = slots[surveyed]
                survey(self.at(chosen), chosen, moved[surveyed], times[surveyed])
            enough = wait * where(unbroken, 1.0, maximum(state["doubt"][slots], DOUBTED))
            closer = closer | (surveyed & (times - since >= enough) & (state["counted"][slots] >= SUSPICIOUS))
        if any_of(closer):
            for index in np.flatnonzero(closer).tolist():
                found += self._look(*(np.atleast_1d(each)[index].item() for each in (slots, values, times, last)))
            counter = state["per"][slots] > 0
        if any_of(counter):
            add_up(state, slots, moved, times, counter)
        may_be = (unbroken & (rises >= SUSPICIOUS) & (times - since < wait) & (wait <= DAY_S)) | (wait <= 0)
        awaited = may_be & (counter ^ True)
        if any_of(counter | awaited):
            back = np.flatnonzero(counter & is_back(state, slots, values, times, last))
            for index in back.tolist():
                found += self._return(*(np.atleast_1d(each)[index].item() for each in (slots, times)))
            paces = self._pace(slots, values, times, counter)
            return where(counter, paces, where(awaited, NOTHING, values)), found
        return values, found

    def jumped(self, slots: Rows, values: Numbers, times: Numbers, before: Numbers) -> Any:
        """Whether readings, not recorded yet, are jumps of counters, shape (n,), or a single one; None if none is.

        Args:
            slots: Their distinct sensors, shape (n,), or a single one.
            values: Values, shape (n,).
            times: Times, seconds since the epoch, shape (n,).
            before: Times of the previous readings, shape (n,).
        """
        state = self.at(slots)
        moved, risen = values - state["last"][slots], state["rise"][slots]
        counter = (state["per"][slots] > 0) & (state["counted"][slots] >= FEWEST)
        if not any_of(counter & ((moved > risen) | (moved < 0))):
            return None
        last, surveyed = state["last"][slots], times - state["surveyed"][slots]
        rose = is_beyond(moved, times - before, risen, surveyed, state["step"][slots])
        rose = rose & (is_back(state, slots, values, times, last) ^ True)
        shrank = (moved < 0) & (values > 0)
        if any_of(shrank):
            columns = (np.atleast_1d(each).tolist() for each in (slots, last, values, times))
            shrank &= np.array([self._shrank(*each) for each in zip(*columns, strict=True)])
            shrank = shrank if type(slots) is not int else bool(shrank[0])
        found = counter & (rose | shrank)
        return found if any_of(found) else None

    def jump(self, slot: int, value: float, time: float, before: float) -> Jump | None:
        """The jump at a reading that isn't recorded yet; None if it doesn't jump. See `jumped()`."""
        if not self.jumped(slot, value, time, before):
            return None
        last, lasted = float(self.last[slot]), max(time - before, SHORTEST_LAPSE_S)
        return Jump(last, lasted, (value - last) / lasted * float(self.per[slot]))

    def leap(self, slot: int, value: float, time: float) -> None:
        """Record a jump: count from there on, in another unit if the reading was multiplied by a power of ten."""
        last = float(self.last[slot])
        factor = unit_factor(last, value)
        if math.isnan(factor):
            self._leave(slot, last, value, time)
        else:
            self.rise[slot] *= factor
            self.finest[slot] *= factor
            self.away[slot], self.left[slot] = np.inf, -np.inf
        self.step[slot] = abs(value - last)
        self.last[slot] = value
        self.start_value[slot], self.start_time[slot] = value, time

    def pace_of_strange(self, slot: int, value: float, time: float) -> tuple[Numbers, Sequence[Finding]]:
        """The result of `see()` for a reading that may be an error value; a counter's rise isn't recorded."""
        if not self.per[slot] > 0:
            return value, ()
        if value < float(self.last[slot]):
            return self.see(slot, value, time, False)
        passed = time - float(self.start_time[slot])
        rose = value - float(self.start_value[slot])
        return rose / passed * float(self.per[slot]) if passed > 0 else NOTHING, ()

    def observed(self, reading: Round, observation: Observation) -> Observation:
        """The observation of one reading: for a counter its pace, together with its reading."""
        per = float(self.per[reading.slots])
        if per > 0 and reading.seen == reading.seen:
            observation.value, observation.per, observation.reading = float(reading.seen), per, float(reading.values)
            observation.stretch = float(self.lasted[reading.slots])
        return observation

    def take_kinds(self, other: Paces, rows: int) -> None:
        """Copy the counter classification and stretches of the first `rows` sensors from another instance."""
        for name in ("wait", "per", "width"):
            getattr(self, name)[:rows] = getattr(other, name)[:rows]

    def _pace(self, slots: Rows, values: Numbers, times: Numbers, counter: Any) -> Numbers:
        """The paces of counters whose stretch ends with these readings, NaN for others."""
        state = self.at(slots)
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

    def _look(self, slot: int, value: float, time: float, last: float) -> Sequence[Finding]:
        """Check a sensor that has fallen or may have become a counter; returns what was found."""
        is_counter = bool(self.per[slot] > 0)
        if not value < last:
            if self.wait[slot] > 0 and self.waits(slot, value, time):
                return ()
            self._recognise(slot, time)
            self.start_value[slot], self.start_time[slot] = value, time
            return [Finding(slot)]
        if is_counter and last - value <= JITTER * self.finest[slot]:
            return ()
        if is_counter and is_back(self.at(slot), slot, value, time, last):
            return ()
        size = self._overflow(slot, last, value, time)
        goes_on = is_counter and not size and is_away(self.at(slot), slot, time)
        if not size and not goes_on:
            self._count_fall(slot, last, value, time)
        is_declared = is_counter and not self.wait[slot] > 0
        if not is_declared and (self.strikes[slot] >= MOST_STRIKES or self.swaps[slot] > MOST_SWAPS):
            self._begin_account(slot, time)
            if is_counter:
                self.per[slot] = 0.0
                self.doubt[slot] = min(DOUBTED * self.doubt[slot], MOST_DOUBT)
                return [Finding(slot)]
        if not goes_on:
            self._leave(slot, last, value, time)
        if size:
            self.start_value[slot] -= size
        else:
            self.start_value[slot], self.start_time[slot] = value, time
        return ()

    def _leave(self, slot: int, last: float, value: float, time: float) -> None:
        """Note from where a counter fell or jumped, as it may return."""
        self.top[slot], self.bottom[slot], self.away[slot], self.left[slot] = last, value, 0.0, time
        self.top_value[slot], self.top_time[slot] = self.start_value[slot], self.start_time[slot]

    def _count_fall(self, slot: int, last: float, value: float, time: float) -> None:
        """Count a fall that is no overflow: as a strike if it is a reset."""
        if 0 <= value <= LANDING * last:
            self.strikes[slot] *= 0.5 ** (max(time - self.struck[slot], 0.0) / HALF_LIFE_S)
            self.strikes[slot] += 1.0
            self.struck[slot] = time
        else:
            self.swaps[slot] += 1.0

    def _shrank(self, slot: int, last: float, value: float, time: float) -> bool:
        """Whether a reading is a power of ten smaller than the last one, and not because the counter has overflowed."""
        return unit_factor(last, value) < 1.0 and not self._overflow(slot, last, value, time)

    def _overflow(self, slot: int, last: float, value: float, time: float) -> float:
        """The size of a counter that has overflowed since the last reading, by its usual pace; else 0."""
        rise, counted, passed = float(self.rise[slot]), float(self.counted[slot]), time - float(self.start_time[slot])
        if counted < FEWEST:
            return 0.0
        usual = rise / counted, rise * passed / max(time - float(self.surveyed[slot]), 1.0)
        return overflow(last, value, LEAP * max(usual))

    def _return(self, slot: int, time: float) -> Sequence[Finding]:
        """Resume the stretch before a fall or a jump from which the counter is back; a jump has been told already."""
        top, bottom = float(self.top[slot]), float(self.bottom[slot])
        self.start_value[slot], self.start_time[slot] = self.top_value[slot], self.top_time[slot]
        self.away[slot], self.left[slot] = np.inf, -np.inf
        if bottom > top:
            return ()
        if 0 <= bottom <= LANDING * top:
            self.strikes[slot] = max(self.strikes[slot] - 1.0, 0.0)
        elif is_known(self.at(slot), slot, time):
            self.swaps[slot] = max(self.swaps[slot] - 1.0, 0.0)
        return [Finding(slot, bottom)]

    def _recognise(self, slot: int, time: float) -> None:
        """Classify a sensor as a counter, and choose the stretch and the time unit of its pace."""
        readings, rises = float(self.readings[slot]), float(self.counted[slot])
        lasted = max(float(time - self.surveyed[slot]), 1e-6)
        interval, mean = lasted / max(readings - 1.0, 1.0), float(self.rise[slot]) / rises
        stretch = stretch_of(mean, float(self.finest[slot]), interval, rises / readings, mean * rises / lasted)
        self.width[slot], self.per[slot] = stretch.width, stretch.per

    def _begin_account(self, slot: int, time: float) -> None:
        """Start measuring again whether a sensor only rises."""
        self.since[slot], self.away[slot], self.left[slot], self.finest[slot] = time, np.inf, -np.inf, np.inf
        for each in (self.strikes, self.swaps, self.rises, self.readings, self.counted, self.rise, self.step):
            each[slot] = 0.0
        self.unbroken[slot] = False
