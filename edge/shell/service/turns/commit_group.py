"""The commit group: steps committed together, to reduce flash wear.

Events and answers to the operator don't wait: a step with one is committed at once, together with all earlier steps.
Otherwise a group is due after a time, or when the messages that wait for its commit fill most of the broker's in-flight
window, since the broker would then stop sending; see `broker_window.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy

from edge.core.incidents.events.event import Event
from edge.core.intake.sparkplug.rebirths import Request
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.persistence.journal import Part, Readings, pack
from edge.core.persistence.steps.step import Step
from edge.shell.link.receiving.broker_window import QUIET_S, BrokerWindow
from edge.shell.publishing.event_publication import row_of
from edge.shell.store import OutboxRow, Store

MOST_READINGS = 50_000

SOON_S = 0.05
"""A group that is due this soon is committed now, instead of waking the loop again for it."""


class CommitGroup:
    """Steps that were processed and aren't committed yet.

    Args:
        seconds: Maximum time for which a group may wait.
        in_flight: Requested in-flight window of the broker, in messages.
        quiet_s: Time without a message after which the broker may be waiting for an acknowledgement.

    Attributes:
        seconds: Maximum time for which a group may wait.
        window: The broker's actual in-flight window.
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
        """Add a step and its messages; `now` in seconds of a monotonic clock."""
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
        """Delete undelivered events when this group is committed, or drop them from it."""
        self.replaced += sequences
        self.events = [each for each in self.events if each.sequence not in sequences]

    def take_requests(self) -> list[Request]:
        """Return and clear the requests to senders; they don't wait for a commit, because they can be repeated."""
        requests, self.requests = self.requests, []
        return requests

    def wait_s(self, now: float) -> float | None:
        """How long the group may still wait; None if it is empty."""
        due = self._due_at()
        return None if due is None else max(0.0, due - now)

    def _due_at(self) -> float | None:
        """The time at which the group is due; None if it is empty."""
        if self._since is None:
            return None
        is_full = self._readings >= MOST_READINGS or self.window.is_filled(self._unacknowledged)
        if self.events or self.answers or is_full:
            return self._news_at
        due = self._since + self.seconds
        patience_s = self.window.patience_s(self._unacknowledged)
        return due if patience_s is None else min(due, self._news_at + patience_s)

    def is_due(self, now: float) -> bool:
        """Whether the group should be committed now."""
        due = self._due_at()
        return self._since is not None and due is not None and now >= min(due, self._since + self.seconds - SOON_S)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to store, besides messages to acknowledge."""
        return bool(self.events or self.parts or self.dead_letters)

    def store_in(self, store: Store, positions: Mapping[str, int], now: float) -> list[OutboxRow]:
        """Keep it in a store, as one transaction.

        Args:
            store: The store.
            positions: The offset of the last of its messages, of each log.
            now: Seconds since the epoch, UTC.

        Returns:
            Its events as the outbox has them; none if it hasn't all of them, so that it must be read.

        Raises:
            StoreError: The store can't be written.
        """
        entry = pack(self.parts) if self.parts else None
        kept = self.events, self.dead_letters, entry
        are_new = store.append(*kept, now=now, instead_of=self.replaced, positions=positions)
        return [row_of(each) for each in self.events] if are_new else []

    def committed(self, now: float) -> CommitGroup:
        """Start a new group after a commit; returns the old one, to be published and acknowledged."""
        done = copy(self)
        # Messages that arrived while the store was slow or failing don't end the quiet period.
        decided_at = min(now, self._due_at() or now)
        self.window.committed(self._unacknowledged, decided_at - self._news_at, now)
        self._clear()
        return done
