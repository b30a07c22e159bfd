"""A store that is trivially right: lists in memory. The real one is held against it."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.events import Event
from edge.core.messages import DeadLetter
from edge.shell.store import Backlog, Limits, OutboxRow, Recollection


class ModelStore:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.events: list[Event] = []
        self.confirmed: dict[int, float] = {}
        self.letters: list[DeadLetter] = []
        self.last = 0
        self.journal: list[tuple[float, bytes]] = []
        self.covered = 0
        self.state: bytes | None = None

    def append(
        self, events: Sequence[Event], dead_letters: Sequence[DeadLetter], journal: tuple[float, bytes] | None = None
    ) -> None:
        if journal is not None:
            self.journal.append(journal)
        for event in events:
            if event.id not in {each.id for each in self.events}:
                self.events.append(event)
            self.last = max(self.last, event.sequence)
        self.letters.extend(dead_letters)

    def remember(self, state: bytes, digest: str, now: float) -> None:
        self.state, self.covered = state, len(self.journal)

    def recall(self) -> Recollection:
        return Recollection(self.state, [entry for _, entry in self.journal[self.covered :]])

    def pending(self, after: int, most: int) -> list[OutboxRow]:
        waiting = [each for each in self.events if each.sequence not in self.confirmed and each.sequence > after]
        return [
            OutboxRow(e.sequence, e.topic, e.transition, e.kind, e.severity, e.sensor, e.payload)
            for e in sorted(waiting)[:most]
        ]

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        self.confirmed.update(dict.fromkeys(sequences, now))

    def backlog(self) -> Backlog:
        times = [each.time for each in self.events if each.sequence not in self.confirmed]
        return Backlog(len(times), min(times, default=None))

    def last_sequence(self) -> int:
        return self.last

    def prune(self, now: float) -> int:
        before = len(self.events) + len(self.letters)
        oldest = now - 86_400 * self.limits.events_days
        self.events = [e for e in self.events if self.confirmed.get(e.sequence, oldest) >= oldest]
        size = 0
        kept: list[Event] = []
        for event in sorted(self.events, reverse=True):
            size += len(event.payload)
            if size <= self.limits.events_bytes or event.sequence not in self.confirmed:
                kept.append(event)
        self.events = sorted(kept)
        self.letters = self.letters[-self.limits.dead_letters :]
        return before - len(self.events) - len(self.letters)

    def close(self) -> None:
        pass
