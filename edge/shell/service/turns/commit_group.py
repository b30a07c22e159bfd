"""The commit group: steps that are committed together, for the flash's sake.

An event doesn't wait, nor does an answer to the operator: a step that gave one is committed at once, with all that came
before it. Otherwise a group is due after a time, or when the messages that wait for its commit fill most of the
broker's in-flight window, for then the broker would send no more; see `broker_window.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from edge.core.incidents.events.event import Event
from edge.core.intake.sparkplug.rebirths import Request
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.persistence.journal import Part, Readings
from edge.core.persistence.steps.step import Step
from edge.shell.link.receiving.broker_window import QUIET_S, BrokerWindow

MOST_READINGS = 50_000


class CommitGroup:
    """Steps that are processed, and not yet committed.

    Args:
        seconds: For how long a group may wait.
        in_flight: The broker's in-flight window, in messages, as requested.
        quiet_s: A broker that has sent nothing for this long may be waiting for an acknowledgement.

    Attributes:
        seconds: For how long a group may wait.
        window: The window as it turned out to be.
    """

    def __init__(self, seconds: float, in_flight: int, quiet_s: float = QUIET_S) -> None:
        self.window = BrokerWindow(in_flight, quiet_s)
        self.seconds = seconds
        self._clear()

    def _clear(self) -> None:
        self.events: list[Event] = []
        self.dead_letters: list[DeadLetter] = []
        self.parts: list[Part] = []
        self.replaced: list[int] = []
        self.messages: list[Message] = []
        self.retained: dict[str, bytes] = {}
        self.answers: list[bytes] = []
        self.requests: list[Request] = []
        self._unacknowledged = 0
        self._readings = 0
        self._since: float | None = None
        self._news_at = 0.0

    def add(self, step: Step, messages: Sequence[Message], now: float) -> None:
        """Add a step and the messages it was made from; `now` in seconds of a monotonic clock."""
        self.events += step.events
        self.dead_letters += step.dead_letters
        self.retained |= step.retained
        self.answers += step.answers
        self.requests += step.requests
        self.messages += messages
        if messages:
            self._unacknowledged += sum(1 for each in messages if each.qos > 0)
            self.window.received(self._unacknowledged, now)
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

    def take_requests(self) -> list[Request]:
        """Requests to senders; they don't wait for a commit, as they can be repeated."""
        requests, self.requests = self.requests, []
        return requests

    def wait_s(self, now: float) -> float | None:
        """For how long the group may wait still; None if it is empty."""
        due = self._due_at()
        return None if due is None else max(0.0, due - now)

    def _due_at(self) -> float | None:
        """The time at which it is due; None if it is empty."""
        if self._since is None:
            return None
        is_full = self._readings >= MOST_READINGS or self.window.is_filled(self._unacknowledged)
        if self.events or self.answers or is_full:
            return self._news_at
        due = self._since + self.seconds
        patience_s = self.window.patience_s(self._unacknowledged)
        return due if patience_s is None else min(due, self._news_at + patience_s)

    def is_due(self, now: float) -> bool:
        """Whether it should be committed now."""
        return self.wait_s(now) == 0.0

    @property
    def has_content(self) -> bool:
        """Whether there is anything to store, apart from messages to acknowledge."""
        return bool(self.events or self.parts or self.dead_letters)

    def committed(self, now: float) -> CommitGroup:
        """Start a new group: this one is stored. Returns its contents, to be published and acknowledged."""
        done = copy(self)
        # Messages that came while the store was slow or failing don't end the quiet period.
        decided_at = min(now, self._due_at() or now)
        self.window.committed(self._unacknowledged, decided_at - self._news_at, now)
        self._clear()
        return done
