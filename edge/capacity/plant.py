"""A plant and a broker without cost: the service's own loop runs with them on a simulated clock.

The broker delivers readings as a real one does, including its in-flight window, and accepts every event at once.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from edge.core.model.readings.messages import Message
from edge.shell.link import Echo, LinkOptions
from edge.shell.link.reconnecting.reconnecting import Reconnecting
from edge.shell.link.service_link import MarksRepetitions
from edge.shell.link.versions.abilities import Abilities

START = 1_700_000_000.0
"""Start of the plant's time, in seconds since the epoch."""

STEP_S = 0.02
"""Maximum duration of a single wait of the service."""

PAUSE_S = 0.02


class LoadReading(NamedTuple):
    """A reading of the plant: the sensor's number, its time and its value."""

    sensor: int
    time: float
    value: float


class Clock:
    """A clock that advances with each wait, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The current time."""
        return self.now


class LoadPlant:
    """Sensors that send readings with two decimals in turn, packed into messages.

    Args:
        sensors: Number of sensors.
        rate: Readings per second of all sensors together.
        message: Creates topic and payload of a message's readings.
        pack_size: Number of readings per message.
    """

    def __init__(
        self,
        sensors: int,
        rate: float,
        message: Callable[[Sequence[LoadReading]], tuple[str, bytes]],
        pack_size: int = 1,
    ) -> None:
        self.sensors = sensors
        self.rate = rate
        self.pack_size = pack_size
        self.sent = 0
        self._message = message
        self._random = random.Random(1)

    def until(self, now: float, most: int) -> list[Message]:
        """The messages that are due by `now`, up to a maximum number."""
        messages: list[Message] = []
        while len(messages) < most and (self.sent + self.pack_size) / self.rate <= now:
            readings = [self._reading(self.sent + each) for each in range(self.pack_size)]
            self.sent += self.pack_size
            topic, payload = self._message(readings)
            arrived = START + self.sent / self.rate
            messages.append(Message(topic, payload, arrived, qos=1, packet=1 + self.sent % 60_000))
        return messages

    def _reading(self, number: int) -> LoadReading:
        time_s, sensor = number / self.rate, number % self.sensors
        value = 20 + sensor % 100 + math.sin(time_s / 500) + self._random.gauss(0, 0.3)
        return LoadReading(sensor, round(START + time_s, 3), round(value, 2))


class FreeLink(MarksRepetitions):
    """A substitute for a service's link: the plant behind a broker with an in-flight window.

    Args:
        plant: The source of the messages.
        clock: Advances when the service waits.
        in_flight: Maximum number of unacknowledged messages.
        paced: Whether readings arrive when due; otherwise there are always more.

    Attributes:
        cpu_s: CPU seconds used by the substitute itself.
        pauses: Whether to wait in real time for a message, too, at most `PAUSE_S`: a message after a pause finds the
            processor's caches cold, and costs twice as much.
    """

    def __init__(self, plant: LoadPlant, clock: Clock, in_flight: int, *, paced: bool = True) -> None:
        self.cpu_s = 0.0
        self.pauses = False
        self.alive = self.connected = self.session_present = True
        self.acknowledges_blindly = False
        self.closed_by_broker = ""
        self.trouble = ""
        self.echo = Echo(None)
        self.connections = 1
        self.dropped_qos0 = self.takeovers = 0
        self.refused_publications = 0
        self.refused_subscriptions: dict[str, str] = {}
        self.abilities = Abilities()
        self.options = LinkOptions()
        self.reconnecting = Reconnecting(self.options)
        self._plant = plant
        self._clock = clock
        self._in_flight = in_flight
        self._paced = paced
        self._unacknowledged = 0
        self._tokens: list[int] = []
        self._last_token = 0
        self._last_given = 0.0

    def start(self) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""

    def receive(self, timeout_s: float, most: int) -> list[Message]:
        """Advance time, and return messages as far as the window and the step have room."""
        began = time.process_time()
        room = min(most, self._in_flight - self._unacknowledged)
        if self._paced:
            self._clock.now += min(timeout_s, STEP_S) or 0.001
            messages = self._plant.until(self._clock.now, room)
        else:
            messages = self._plant.until(math.inf, room)
            self._clock.now = self._plant.sent / self._plant.rate
        self._unacknowledged += len(messages)
        self.cpu_s += time.process_time() - began
        if messages:
            if self.pauses:
                time.sleep(min(self._clock.now - self._last_given, PAUSE_S))
            self._last_given = self._clock.now
        return messages

    def has_lost_session(self) -> bool:
        """Always False: the session never ends."""
        return False

    def of_session(self, messages: list[Message]) -> list[Message]:
        """All of the messages."""
        return messages

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:  # noqa: ARG002 - as a link
        """Make room in the window."""
        self._unacknowledged -= len(messages)

    def publish(self, *_arguments: Any, **_options: Any) -> int:
        """Accept an event."""
        self._last_token += 1
        self._tokens.append(self._last_token)
        return self._last_token

    def confirmations(self) -> list[int]:
        """Confirm every event."""
        tokens, self._tokens = self._tokens, []
        return tokens

    def refusals(self) -> list[Any]:
        """Refuse nothing."""
        return []
