"""The commit group: steps that are committed together, for the flash's sake.

An event doesn't wait, nor does an answer to the operator: a step that gave one is committed at once, with all that came
before it. Otherwise a group is
due after a time, or when the messages that wait for its commit fill most of the broker's in-flight window, for then the
broker would send no more. A broker whose window is smaller than we were told shows it: it falls silent, and goes on as
soon as it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.events import Event
from edge.core.journal import Part, Readings
from edge.core.messages import DeadLetter, Message
from edge.core.pipeline import Step

FILLED = 0.75
"""The share of the in-flight window that makes a group due."""

MOST_READINGS = 50_000

AT_ONCE_S = 0.05
"""A message that comes so soon after an acknowledgement had been waiting for it."""

SILENT = 0.5
"""The share of its time for which a group must have been without news for the broker to have been waiting."""


class CommitGroup:
    """Steps that are processed, and not yet committed.

    Args:
        seconds: For how long a group may wait.
        in_flight: The broker's in-flight window, in messages, as we were told.

    Attributes:
        window: The window as it turned out to be.
    """

    def __init__(self, seconds: float, in_flight: int) -> None:
        self._seconds = seconds
        self._in_flight = in_flight
        self.window = in_flight
        self._stalled_with = 0
        self._committed_at = 0.0
        self._clear()

    def _clear(self) -> None:
        self.events: list[Event] = []
        self.dead_letters: list[DeadLetter] = []
        self.parts: list[Part] = []
        self.replaced: list[int] = []
        self.messages: list[Message] = []
        self.retained: dict[str, bytes] = {}
        self.answers: list[bytes] = []
        self._unacknowledged = 0
        self._readings = 0
        self._since: float | None = None
        self._news_at = 0.0

    def add(self, step: Step, messages: Sequence[Message], now: float) -> None:
        """Add a step and the messages that it came of; `now` in seconds that never step."""
        self.events += step.events
        self.dead_letters += step.dead_letters
        self.retained |= step.retained
        self.answers += step.answers
        self.messages += messages
        if messages:
            self._learn_window(now)
            self._unacknowledged += sum(1 for each in messages if each.qos > 0)
            self.window = min(max(self.window, self._unacknowledged), self._in_flight)
            self._news_at = now
        if step.journal is not None:
            self.parts.append(step.journal)
            if isinstance(step.journal, Readings):
                self._readings += len(step.journal)
        if self._since is None and (self.parts or self.messages or self.dead_letters or self.answers):
            self._since = now

    def replace(self, sequences: Sequence[int]) -> None:
        """Note that events, not yet delivered, go when this group is committed, or don't come with it at all."""
        self.replaced += sequences
        self.events = [each for each in self.events if each.sequence not in sequences]

    def wait_s(self, now: float) -> float | None:
        """For how long the group may wait still; None if it is empty."""
        if self._since is None:
            return None
        if (
            self.events
            or self.answers
            or self._unacknowledged >= max(1, int(FILLED * self.window))
            or self._readings >= MOST_READINGS
        ):
            return 0.0
        return max(0.0, self._since + self._seconds - now)

    def is_due(self, now: float) -> bool:
        """Whether it should be committed now."""
        return self.wait_s(now) == 0.0

    @property
    def has_content(self) -> bool:
        """Whether there is anything to be stored, beside messages to be acknowledged."""
        return bool(self.events or self.parts or self.dead_letters)

    def committed(self, now: float) -> None:
        """Begin anew: all of it is safe, and is being acknowledged."""
        silent = now - self._news_at >= SILENT * self._seconds
        self._stalled_with = self._unacknowledged if silent else 0
        self._committed_at = now
        self._clear()

    def _learn_window(self, now: float) -> None:
        if self._stalled_with > 1 and now - self._committed_at <= AT_ONCE_S:
            self.window = min(self.window, self._stalled_with)
        self._stalled_with = 0
