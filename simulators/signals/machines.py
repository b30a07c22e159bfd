"""Signals of machines: successive episodes of variable length, and their counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from simulators.signals.randomness import Randomness
from simulators.signals.signals import Floats, Signal, Source


class Episodes:
    """Consecutive periods of time without gaps.

    Args:
        lengths: Returns the length in seconds of episode 0, 1, 2 and so on; called once for each, in order.
        elapsed: Elapsed share of the first episode at the first reading, 0 to 1.
    """

    def __init__(self, lengths: Callable[[int], float], elapsed: float) -> None:
        self._lengths = lengths
        self._elapsed = elapsed
        self._numbers = count()
        self._current: list[tuple[int, float, float]] = []

    def locate(self, times: Floats) -> tuple[Floats, Floats]:
        """For each time, shape (n,): the index of its episode, and its elapsed share, 0 to 1."""
        if not self._current:
            length = self._next_length()
            self._current.append((0, float(times[0]) - self._elapsed * length, length))
        while self._current[-1][1] + self._current[-1][2] <= times[-1]:
            number, begin, length = self._current[-1]
            self._current.append((number + 1, begin + length, self._next_length()))
        table = np.array(self._current)
        row = np.searchsorted(table[:, 1], times, side="right") - 1
        row = np.maximum(row, 0)
        del self._current[: int(row[-1])]
        return table[row, 0], np.clip((times - table[row, 1]) / table[row, 2], 0.0, 1.0)

    def _next_length(self) -> float:
        return max(self._lengths(next(self._numbers)), 1e-3)


@dataclass(frozen=True)
class MachineCycle(Signal):
    """A machine with repeated cycles: up, hold, down, rest; no two cycles have exactly the same length.

    Attributes:
        low: Value at rest.
        high: Value at work.
        period_s: Mean length of a cycle.
        wander: Standard deviation of a cycle's length, as a share of the period.
        work: Share of a cycle at work.
    """

    low: float
    high: float
    period_s: float
    wander: float = 0.03
    work: float = 0.5

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - lengths are in seconds
        """See `Signal`."""
        generator = random.generator()
        elapsed = float(generator.random())
        episodes = Episodes(
            lambda _: self.period_s * max(0.5, 1.0 + self.wander * float(generator.standard_normal())),
            elapsed,
        )
        edge = 0.15

        def values(times: Floats) -> Floats:
            _, over = episodes.locate(times)
            up = np.clip(over / edge, 0.0, 1.0) * np.clip((self.work + edge - over) / edge, 0.0, 1.0)
            return self.low + (self.high - self.low) * up

        return values


@dataclass(frozen=True)
class FillDrain(Signal):
    """A tank that is repeatedly drained slowly and filled fast.

    Attributes:
        low: Level at which filling begins.
        high: Level at which it ends.
        drain_s: Mean duration of draining in seconds.
        fill_s: Duration of filling in seconds.
        wander: Standard deviation of the draining time, as a share of it.
    """

    low: float
    high: float
    drain_s: float
    fill_s: float
    wander: float = 0.15

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - lengths are in seconds
        """See `Signal`."""
        generator = random.generator()
        elapsed = float(generator.random())

        def length(number: int) -> float:
            if number % 2:
                return self.fill_s
            return self.drain_s * max(0.4, 1.0 + self.wander * float(generator.standard_normal()))

        episodes = Episodes(length, elapsed)

        def values(times: Floats) -> Floats:
            number, over = episodes.locate(times)
            full = np.where(number % 2 == 1, over, 1.0 - over)
            return self.low + (self.high - self.low) * full

        return values


@dataclass(frozen=True)
class OnOff(Signal):
    """Alternately off and on, with nothing in between.

    Attributes:
        on_s: Mean seconds on.
        off_s: Mean seconds off.
        low: Value when off.
        high: Value when on.
    """

    on_s: float
    off_s: float
    low: float = 0.0
    high: float = 1.0

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - lengths are in seconds
        """See `Signal`."""
        generator = random.generator()
        elapsed = float(generator.random())
        episodes = Episodes(
            lambda number: (self.on_s if number % 2 else self.off_s) * float(generator.gamma(8.0)) / 8.0,
            elapsed,
        )

        def values(times: Floats) -> Floats:
            number, _ = episodes.locate(times)
            return np.where(number % 2 == 1, self.high, self.low)

        return values


@dataclass(frozen=True)
class SetPoint(Signal):
    """Stays at one of a few levels until another one is set.

    Attributes:
        levels: At least two levels.
        dwell_s: Mean seconds at one level.
    """

    levels: tuple[float, ...]
    dwell_s: float

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - lengths are in seconds
        """See `Signal`."""
        generator = random.generator()
        chosen: list[int] = []

        def length(_: int) -> float:
            steps = int(generator.integers(1, len(self.levels)))
            chosen.append((chosen[-1] + steps) % len(self.levels) if chosen else steps)
            return self.dwell_s * (0.25 + 0.75 * float(generator.exponential()))

        episodes = Episodes(length, float(generator.random()))
        levels = np.array(self.levels)

        def values(times: Floats) -> Floats:
            number, _ = episodes.locate(times)
            held: Floats = levels[np.array(chosen)[number.astype(np.intp)]]
            return held

        return values


@dataclass(frozen=True)
class Counter(Signal):
    """A value that only rises: energy, volume, pieces. Some reset at midnight, some when they are full.

    Attributes:
        rate: The increment per second; negative values count as 0.
        begins_at: The count before the first reading.
        reset_s: Resets at multiples of this many seconds since the epoch; 86,400 is midnight UTC. 0: never.
        full_at: Resets at this count. 0: never.
    """

    rate: Signal
    begins_at: float = 0.0
    reset_s: float = 0.0
    full_at: float = 0.0

    def source(self, random: Randomness, interval_s: float) -> Source:
        """See `Signal`."""
        rate = self.rate.source(random.child("rate"), interval_s)
        total = self.begins_at

        def values(times: Floats) -> Floats:
            nonlocal total
            added = np.maximum(rate(times), 0.0) * interval_s
            counts = total + np.cumsum(added)
            if self.reset_s:
                periods = np.floor(times / self.reset_s)
                before = np.floor((times - interval_s) / self.reset_s)
                for index in np.flatnonzero(periods != before):
                    counts[index:] -= counts[index] - added[index]
            if self.full_at:
                counts %= self.full_at
            total = float(counts[-1])
            return counts

        return values
