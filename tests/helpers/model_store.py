"""A trivially correct store: lists in memory. The real one is compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from edge.core.incidents.events.event import SEVERITIES, Event
from edge.core.incidents.events.gaps import TRANSITION, Gap, Reason
from edge.core.model.readings.messages import DeadLetter
from edge.core.persistence.snapshot import Part
from edge.shell.store import Backlog, OutboxRow, Overflow, SinkPosition, StoredState, StoreLimits
from edge.shell.store.base import LATELY
from edge.shell.store.retention import SPARE


class ModelStore:
    def __init__(self, limits: StoreLimits) -> None:
        self.limits = limits
        self.events: list[Event] = []
        self.stored: dict[int, float] = {}
        self.confirmed: dict[int, float] = {}
        self.letters: list[DeadLetter] = []
        self.last = 0
        self.journal: dict[int, tuple[float, bytes]] = {}
        self.entries = 0
        self.covered = 0
        self.state: bytes | None = None
        self.digest = ""
        self.pruned: float | None = None
        self.sink_positions: dict[str, SinkPosition] = {}
        self.read_up_to: dict[str, int] = {}
        self.kept: list[tuple[int, Part]] = []
        self.begin_snapshot()

    def append(
        self,
        events: Sequence[Event],
        dead_letters: Sequence[DeadLetter],
        journal: bytes | None = None,
        *,
        now: float = 0.0,
        instead_of: Sequence[int] = (),
        positions: Mapping[str, int] | None = None,
    ) -> bool:
        self.read_up_to |= positions or {}
        if journal is not None:
            self.entries += 1
            self.journal[self.entries] = (now, journal)
        going = [each for each in self._outbox() if each.sequence in instead_of]
        self._delete(each.sequence for each in going if each.transition == TRANSITION or not self._needed(each))
        known = {each.sequence for each in self.events}
        self.confirmed.update({each.sequence: 0.0 for each in going if each.sequence in known})
        are_new = True
        for event in events:
            if event.id not in {each.id for each in self.events}:
                self.events.append(event)
                self.stored[event.sequence] = now
            else:
                are_new = False
            self.last = max(self.last, event.sequence)
        self.letters.extend(dead_letters)
        return are_new

    def remember(self, state: bytes, digest: str, now: float) -> None:
        self.begin_snapshot()
        self.complete_snapshot(state, digest, now)

    def begin_snapshot(self) -> None:
        self.begun: list[tuple[int, Part]] = []

    def add_parts(self, parts: Sequence[Part]) -> None:
        self.begun += [(self.entries, each) for each in parts]

    def complete_snapshot(self, state: bytes, digest: str, now: float) -> None:
        self.state, self.digest, self.kept = state, digest, self.begun
        self.covered = min((entries for entries, _ in self.kept), default=self.entries)
        self.begin_snapshot()

    def forget_parts(self, most: int) -> bool:
        return False

    def parts(self) -> Iterator[tuple[int, Part]]:
        since = [number for number in self.journal if number > self.covered]
        return ((sum(number <= entries for number in since), each) for entries, each in self.kept)

    def recall(self) -> StoredState:
        since = [entry for number, (_, entry) in self.journal.items() if number > self.covered]
        last = self.journal[max(self.journal)][0] if self.journal else None
        complete = min(self.journal, default=1) == 1
        return StoredState(self.state, since, last, complete, self.digest, self._pruned())

    def past(self, *, newest_first: bool = False) -> Iterator[bytes]:
        entries = [entry for number, (_, entry) in self.journal.items() if number <= self.covered]
        yield from reversed(entries) if newest_first else entries

    def pending(self, after: int, most: int, up_to: int | None = None) -> list[OutboxRow]:
        waiting = [each for each in self._outbox() if after < each.sequence <= (up_to or 2**63)]
        return [
            OutboxRow(e.sequence, e.topic, e.transition, e.kind, e.severity, e.sensor, e.payload)
            for e in sorted(waiting)[:most]
        ]

    def pending_open(self, after: int, most: int, up_to: int) -> list[OutboxRow]:
        ends = [each for each in self.events if each.transition in {"cleared", "expired"} and each.sequence <= up_to]
        ended = {each.incident for each in ends}
        open_ones = {each.sequence for each in self.events if each.incident not in ended}
        return [row for row in self.pending(after, 10**9, up_to) if row.sequence in open_ones][:most]

    def pending_before(self, sequence: int, most: int) -> list[OutboxRow]:
        incidents = {each.incident for each in self.events if each.sequence == sequence}
        its = {each.sequence for each in self.events if each.incident in incidents and each.sequence < sequence}
        return [row for row in self.pending(0, 10**9) if row.sequence in its][:most]

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        known = {each.sequence for each in self.events}
        self.confirmed.update({each: now for each in sequences if each in known})

    def events_after(self, after: int) -> Iterator[Event]:
        yield from sorted(each for each in self.events if each.sequence > after)

    def ended(self) -> dict[str, float]:
        outbox, since = {each.sequence for each in self._outbox()}, self.last - LATELY
        lately = [each for each in self.events if each.sequence in outbox or each.sequence > since]
        return {each.sensor: each.time for each in sorted(lately) if each.transition in {"cleared", "expired"}}

    def backlog(self) -> Backlog:
        waiting = sorted(self._outbox())
        return Backlog(len(waiting), sum(len(e.payload) for e in waiting), waiting[0].time if waiting else None)

    def last_sequence(self) -> int:
        return self.last

    def sinks(self) -> dict[str, SinkPosition]:
        return dict(sorted(self.sink_positions.items()))

    def note_sinks(self, positions: Mapping[str, SinkPosition]) -> None:
        self.sink_positions = dict(positions)

    def positions(self) -> dict[str, int]:
        return dict(self.read_up_to)

    def note_positions(self, positions: Mapping[str, int]) -> None:
        self.read_up_to |= positions

    def journal_ends(self) -> int:
        return max(self.journal, default=0)

    def _needed(self, event: Event) -> bool:
        return any(
            event.sequence > each.passed and (event.sequence > each.skipped or event.transition == TRANSITION)
            for each in self.sink_positions.values()
        )

    def _pruned(self) -> float | None:
        stamps = [self.stored[each.sequence] for each in self.events]
        stamps += [arrived for arrived, _ in self.journal.values()]
        return None if self.pruned is None else max(self.pruned, min(stamps, default=self.pruned))

    def prune(self, now: float) -> None:
        self.pruned = now
        self._forget_history(now)

    def surplus(self, now: float, keep: Sequence[int] = ()) -> list[Overflow]:
        limits = self.limits
        oldest = now - 86_400 * limits.outbox_days
        old = [e for e in self._droppable(keep) if self.stored[e.sequence] < oldest]
        found = surplus("outbox_days", old)
        waiting = [e for e in self._droppable(()) if e not in old]
        ordered = [e for e in self._droppable(keep) if e not in old]
        ordered.sort(key=lambda e: ((e.severity - 1) // 250, e.sequence))
        if len(waiting) > limits.outbox_events:
            excess = len(waiting) - int((1 - SPARE) * limits.outbox_events)
            going, ordered = ordered[:excess], ordered[excess:]
            waiting = [e for e in waiting if e not in going]
            found += surplus("outbox_events", going)
        size = sum(len(e.payload) for e in waiting)
        if size > limits.outbox_bytes:
            excess = size - int((1 - SPARE) * limits.outbox_bytes)
            going = []
            while ordered and sum(len(e.payload) for e in going) < excess:
                going.append(ordered.pop(0))
            found += surplus("outbox_bytes", going)
        return found

    def close(self) -> None:
        pass

    def _outbox(self) -> list[Event]:
        return [each for each in self.events if each.sequence not in self.confirmed]

    def _droppable(self, keep: Sequence[int]) -> list[Event]:
        return [e for e in self._outbox() if e.transition != TRANSITION and e.sequence not in keep]

    def _delete(self, sequences: Iterable[int]) -> None:
        gone = set(sequences)
        self.events = [each for each in self.events if each.sequence not in gone]
        self.confirmed = {each: at for each, at in self.confirmed.items() if each not in gone}

    def _forget_history(self, now: float) -> None:
        limits = self.limits
        oldest = now - 86_400 * limits.events_days
        needed = {each.sequence for each in self.events if self._needed(each)}
        self._delete(sequence for sequence, at in self.confirmed.items() if at < oldest and sequence not in needed)
        size = 0
        too_many = []
        for event in sorted(self.events, reverse=True):
            if event.sequence in self.confirmed:
                size += len(event.payload)
                if size > limits.events_bytes and event.sequence not in needed:
                    too_many.append(event.sequence)
        self._delete(too_many)
        self.letters = self.letters[-limits.dead_letters :] if limits.dead_letters else []
        size = 0
        for number in sorted(self.journal, reverse=True):
            arrived, entry = self.journal[number]
            size += len(entry)
            old = arrived < now - 86_400 * limits.journal_days
            if number < self.covered and (old or size > limits.journal_bytes):
                del self.journal[number]


def surplus(reason: Reason, events: list[Event]) -> list[Overflow]:
    if not events:
        return []
    severities = {}
    for index, (text, _) in enumerate(SEVERITIES):
        number = sum((event.severity - 1) // 250 == index for event in events)
        if number:
            severities[text] = number
    times = [event.time for event in events]
    gap = Gap("events", reason, len(events), min(times), max(times), severities)
    return [Overflow(gap, [event.sequence for event in events])]
