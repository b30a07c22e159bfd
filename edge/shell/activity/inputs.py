"""Inputs: the traffic of each topic filter, and when the last message arrived."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.core.incidents.events.event import timestamp
from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.core.model.notation.printable import printable, shortened
from edge.core.model.readings.messages import Message
from edge.shell.system.logs import BOUNDED

log = logging.getLogger("edgewarden.input")

SILENT_S = 60.0
"""An input without a message for this long after connecting is logged, once."""

RATE_S = 60.0
RATE_STEP_S = 5.0
"""Resolution of the message rate, which is averaged over the last minute."""

TOPICS_BYTES = 4 * 2**20
"""Maximum size of the cache of topics and their inputs; when it is exceeded, the cache is cleared."""

LONGEST_REMEMBERED = 512
LONGEST_SHOWN = 200

NOBODY = -1


class InputActivity(NamedTuple):
    """The traffic of one input.

    Attributes:
        topic: Its topic filter.
        messages: Number of messages since the start.
        per_minute: Messages per minute, over the last minute.
        last: Time of the last arrival, in seconds since the epoch, UTC; None if there was none.
    """

    topic: str
    messages: int
    per_minute: float
    last: float | None

    def as_dict(self) -> dict[str, object]:
        """The traffic in the form of the status file."""
        return {
            "topic": self.topic,
            "messages": self.messages,
            "per_minute": round(self.per_minute, 1),
            "last": None if self.last is None else timestamp(self.last),
        }


class Inputs:
    """Counts the messages of each input.

    Args:
        filters: Topic filters of the inputs, in configuration order.
        input_of: Returns the filter of the input that reads a topic; None if none does.
    """

    def __init__(self, filters: Sequence[str], input_of: Callable[[str], str | None]) -> None:
        self._filters = tuple(filters)
        self._index_of = {each: index for index, each in reversed(list(enumerate(filters)))}
        self._filter_of = input_of
        self._input_of: BoundedCache[str, int] = BoundedCache(TOPICS_BYTES)
        self._messages = [0] * len(filters)
        self._last: list[float | None] = [None] * len(filters)
        self._silence_told = [False] * len(filters)
        self._connected_since: float | None = None
        self._history: deque[tuple[float, list[int]]] = deque(maxlen=int(RATE_S / RATE_STEP_S) + 1)

    @property
    def heard(self) -> int:
        """Number of inputs that have received a message."""
        return sum(1 for each in self._messages if each)

    def note(self, messages: Sequence[Message]) -> None:
        """Count messages, and log the first of each input."""
        known, counts, last = self._input_of, self._messages, self._last
        for message in messages:
            index = known.get(message.topic)
            if index is None:
                index = self._find(message.topic)
            if index == NOBODY:
                continue
            if not counts[index]:
                shown = shortened(printable(message.topic), LONGEST_SHOWN)
                log.info("first_message input=%r topic=%r", self._filters[index], shown)
            counts[index] += 1
            last[index] = message.arrived

    def turn(self, now: float, *, connected: bool) -> None:
        """Advance time, in seconds of a monotonic clock; inputs without messages are logged.

        Args:
            now: The current time.
            connected: Whether the broker is connected, so that messages could arrive.
        """
        if not self._history or now - self._history[-1][0] >= RATE_STEP_S:
            self._history.append((now, list(self._messages)))
        if not connected:
            self._connected_since = None
            return
        if self._connected_since is None:
            self._connected_since = now
        if now - self._connected_since < SILENT_S:
            return
        for index, count in enumerate(self._messages):
            if not count and not self._silence_told[index]:
                self._silence_told[index] = True
                log.warning("input_silent input=%r seconds=%d", self._filters[index], SILENT_S, extra=BOUNDED)

    def listed(self, now: float) -> list[InputActivity]:
        """The traffic of each input."""
        began, before = self._history[0] if self._history else (now, self._messages)
        elapsed = max(now - began, RATE_STEP_S)
        return [
            InputActivity(each, count, (count - earlier) * 60.0 / elapsed, last)
            for each, count, earlier, last in zip(self._filters, self._messages, before, self._last, strict=True)
        ]

    def _find(self, topic: str) -> int:
        found = self._filter_of(topic)
        index = NOBODY if found is None else self._index_of.get(found, NOBODY)
        if len(topic) <= LONGEST_REMEMBERED:
            self._input_of.put(topic, index, size_of(topic))
        return index
