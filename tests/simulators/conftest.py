from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from simulators.signals.randomness import Randomness
from simulators.signals.signals import Floats, Signal

START = 1_700_006_400.0
"""Wednesday, 15 November 2023, 00:00 UTC."""


@pytest.fixture
def run_signal() -> Callable[..., tuple[Floats, Floats]]:
    """Times and values of a signal, generated in blocks of 500."""

    def run(signal: Signal, readings: int = 3000, interval_s: float = 60.0, seed: int = 7) -> tuple[Floats, Floats]:
        source = signal.source(Randomness(seed, "sensor"), interval_s)
        times = START + np.arange(readings) * interval_s
        blocks = [source(times[begin : begin + 500]) for begin in range(0, readings, 500)]
        return times, np.concatenate(blocks)

    return run


class FakeLink:
    """A link to a broker that confirms at the next request, with its own clock."""

    def __init__(self, window: int = 20) -> None:
        self.window = window
        self.alive = True
        self.connected = True
        self.confirming = True
        self.connections = 1
        self.now = 0.0
        self.slept: list[float] = []
        self.sent: list[tuple[float, str, bytes, int]] = []
        self._waiting: list[int] = []
        self._tokens = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        assert not retain
        if not self.connected or len(self._waiting) >= self.window:
            return None
        self.sent.append((self.now, topic, payload, qos))
        self._tokens += 1
        if qos:
            self._waiting.append(self._tokens)
        return self._tokens

    def confirmations(self) -> list[int]:
        if not self.confirming:
            return []
        confirmed, self._waiting = self._waiting, []
        return confirmed

    def reconnect(self) -> None:
        self.connections += 1
        self._tokens = 0
        self._waiting = []
        self.confirming = True


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()
