"""The publisher: brings the outbox to the broker, and keeps the retained topics up to date.

An event leaves the outbox by its PUBACK only; what that is worth on MQTT 3.1.1, `delivery_check.py` finds out. While
the link is down nothing is handed to it; when it is back, what has no PUBACK is read from the store again, in order:

1. what belongs to incidents that are open now, and gaps;
2. what is stored from now on, as it comes;
3. the backlog: everything else that was stored before the connection, in order, at a bounded rate, marked as replayed.

What the broker refuses, by its answer or by closing the connection, stays in the outbox with all that follows on its
topic, and holds up no other topic; see `refused_topics.py` and `closing_topics.py`. Once something is accepted again,
all is read from the store in the same order. As a broker may refuse one publication and take the next, only one of a
topic is under way on MQTT 5.

The events of one incident always arrive in their order. Retained topics hold the latest word only: what changes while
one is waiting replaces it, so there are never more than one a topic.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum, auto

from edge.core.incidents.events.gaps import TRANSITION as GAP
from edge.shell.link import RefusedPublication
from edge.shell.link.sending.delivery_check import DeliveryCheck
from edge.shell.publishing.closing_topics import ClosingTopics
from edge.shell.publishing.event_publication import as_replayed, properties_of
from edge.shell.publishing.outbox_cursor import READ_AHEAD, OutboxCursor, lanes_of
from edge.shell.publishing.outlet import Outlet
from edge.shell.publishing.refused_topics import RefusedTopics
from edge.shell.store import OutboxRow, Store, StoreError

log = logging.getLogger("edgewarden.publisher")

BURST_S = 0.1
"""The backlog's rate is averaged over this time."""

CONFIRM_S = 0.2
"""PUBACKs are noted in the store together, at the latest after this; what a crash cuts off is sent again."""

PASSED_OVER = 1000
"""Events on refused topics that are read from the store and passed over in one turn."""


class _Progress(Enum):
    """The outcome of sending a lane."""

    THROUGH = auto()
    WAITS = auto()
    NO_ROOM = auto()


class Publisher:
    """Sends what the store and the service want sent.

    Args:
        store: The store of the events.
        link: Where they go.
        backlog_per_second: Backlog events sent per second, at most.
        monotonic: Seconds that never step.
        status_topic: Our own status topic.

    Attributes:
        backlog_per_second: Backlog events sent per second, at most.
        refused: The topics that the broker refuses at present.
        check: Whether what the broker acknowledges gets through.
        confirmed: Number of events confirmed as delivered.
        published: Number of publications.
        replayed: Number of publications from the backlog.
    """

    def __init__(
        self,
        store: Store,
        link: Outlet,
        backlog_per_second: float = 500.0,
        monotonic: Callable[[], float] = time.monotonic,
        status_topic: str = "",
    ) -> None:
        self.refused = RefusedTopics(monotonic)
        self.check = DeliveryCheck(link, status_topic, monotonic)
        self.confirmed = 0
        self.published = 0
        self.replayed = 0
        self._store = store
        self._link = link
        self.backlog_per_second = backlog_per_second
        self._monotonic = monotonic
        self._status_topic = status_topic
        self._connection = 0
        self._urgent, self._live, self._backlog = lanes_of(store)
        self._outstanding: dict[int, tuple[int, str]] = {}
        self._unwritten: list[int] = []
        self._unwritten_since = 0.0
        self._sent_first: set[int] = set()
        self._sent_before: set[int] = set()
        self._busy: set[str] = set()
        self._closing = ClosingTopics()
        self._waits = False
        self._tries: deque[OutboxRow] = deque()
        self._retained: dict[str, bytes] = {}
        self._retained_tries: set[str] = set()
        self._retained_outstanding: dict[int, tuple[str, bytes]] = {}
        self._allowance = 0.0
        self._allowed_at = monotonic()
        self._last_gap = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or confirmed, but for what the broker refuses at present."""
        if self._outstanding or self._unwritten or self._tries or self._retained_outstanding or any(self.check.held):
            return False
        if any(topic not in self.refused for topic in self._retained):
            return False
        return all(lane.next() is None for lane in self._lanes())

    @property
    def on_their_way(self) -> list[int]:
        """Sequences of events that were sent, and aren't noted as confirmed yet."""
        return [*(sequence for sequence, _ in self._outstanding.values()), *self._unwritten, *self.check.held]

    def _lanes(self) -> tuple[OutboxCursor, ...]:
        """The lanes from which may be sent now."""
        return (self._urgent, self._live) if self.check.holds_backlog else (self._urgent, self._live, self._backlog)

    def was_sent(self, gap: int) -> bool:
        """Whether a gap's event was ever handed to the link."""
        return gap <= self._last_gap

    def stored(self) -> None:
        """Note that the store has new events."""
        self._live.more()

    def changed(self, store: Store | None = None) -> None:
        """Note that events were taken out of the store, or that it is another one now."""
        if store is None:
            for lane in (self._urgent, self._live, self._backlog):
                lane.look_again()
            return
        self._store = store
        self._unwritten.clear()
        self._outstanding.clear()
        # The PUBACKs of that store's events are no longer recognised, so they can't free their topics.
        self._busy = {topic for topic, _ in self._retained_outstanding.values()}
        self.refused.clear()
        self.check.begin()
        self._begin_again()

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish the latest word on a retained topic as soon as there is room, after the events."""
        if topic == self._status_topic:
            self.check.status(payload)
        self._retained[topic] = payload

    def retain_all(self, latest: Mapping[str, bytes]) -> None:
        """Publish the latest word on several retained topics, as `retain()` does for one."""
        self._retained.update(latest)

    def is_retaining(self, topic: str) -> bool:
        """Whether the latest word on a retained topic still waits for the broker, as it does while that is refused."""
        return topic in self._retained or any(each == topic for each, _ in self._retained_outstanding.values())

    @property
    def unsaid(self) -> dict[str, bytes]:
        """The latest word on retained topics that no broker has confirmed, but for that of our own status."""
        latest = dict(self._retained_outstanding.values()) | self._retained
        return {topic: payload for topic, payload in latest.items() if topic != self._status_topic}

    def turn(self, now: float) -> None:
        """Take confirmations and send what there is room for; never waits.

        Args:
            now: Seconds since the epoch, UTC, for the confirmations.

        Raises:
            StoreError: The store can't be read or written; what could be sent anyway was sent, and what was
                confirmed is noted the next time.
        """
        if self._link.connections != self._connection:
            self.check.begin()
        self._take_confirmations(self._link.confirmations())
        self._take_refusals(self._link.refusals())
        failure = None
        try:
            self._write_confirmations(now)
        except StoreError as error:
            failure = error
        if self._link.connected:
            if self._link.connections != self._connection:
                self._begin_anew()
            self.check.is_impossible = self._status_topic in self.refused
            self._count(self.check.turn(may_probe=self._may_send()))
            if self.check.mended:
                self.check.mended = False
                self._begin_again()
            if self._send_tries() and self._send_events():
                self._send_retained()
        if failure is not None:
            raise failure

    def _begin_anew(self) -> None:
        """Begin on another connection: what was under way is void."""
        self._connection = self._link.connections
        self.refused.connected(closed=self._is_refused_by_closing())
        self._outstanding.clear()
        self._retained = dict(self._retained_outstanding.values()) | self._retained
        self._retained_outstanding.clear()
        self._busy.clear()
        self._begin_again()

    def _is_refused_by_closing(self) -> bool:
        """Look for a topic for which the broker has closed the last connection; returns whether there is one."""
        reason = self._link.closed_by_broker
        if not reason:
            self.check.lost_probe = False
            return False
        sequences: dict[str, int] = {}
        for sequence, topic in self._outstanding.values():
            sequences[topic] = min(sequence, sequences.get(topic, sequence))
        unanswered = {*sequences, *(topic for topic, _ in self._retained_outstanding.values())}
        if self.check.lost_probe:
            self.check.lost_probe = False
            unanswered.add(self._status_topic)
        tried = self.refused.tried_at_a_cost
        guilty = tried if tried in unanswered else self._closing.closed(unanswered)
        if guilty is None:
            return False
        reason = f"the broker closes the connection ({reason})"
        self.refused.note(guilty, reason, sequences.get(guilty), costly=True)
        self._link.closing_explained()
        log.error("publication_refused topic=%r reason=%r", guilty[:99], reason)
        return True

    def _may_send(self) -> bool:
        """Whether the answer to what is under way needn't be waited for."""
        return not self._closing.one_at_a_time or not (
            self._outstanding or self._retained_outstanding or self.check.is_probing
        )

    def _begin_again(self) -> None:
        """Read the outbox from its beginning; what is under way stays so."""
        self._tries.clear()
        self._retained_tries.clear()
        self._sent_first.clear()
        self._sent_before = set(self.on_their_way)
        self._urgent, self._live, self._backlog = lanes_of(self._store)

    def _take_confirmations(self, tokens: Iterable[int]) -> None:
        sequences = []
        mended = False
        for token in tokens:
            self.check.acknowledged(token)
            if token in self._outstanding:
                sequence, topic = self._outstanding.pop(token)
                sequences.append(sequence)
            elif token in self._retained_outstanding:
                topic, _ = self._retained_outstanding.pop(token)
            else:
                continue
            self._busy.discard(topic)
            self._closing.answered(topic)
            mended = self.refused.accepted(topic) or mended
        self._count(self.check.count(sequences))
        if mended:
            self._begin_again()

    def _count(self, sequences: list[int]) -> None:
        """Count events as delivered."""
        if sequences and not self._unwritten:
            self._unwritten_since = self._monotonic()
        self._unwritten += sequences
        self.confirmed += len(sequences)

    def _take_refusals(self, refusals: Iterable[RefusedPublication]) -> None:
        for token, reason in refusals:
            if token in self._outstanding:
                sequence, topic = self._outstanding.pop(token)
                self.refused.note(topic, reason, sequence)
            elif token in self._retained_outstanding:
                topic, payload = self._retained_outstanding.pop(token)
                self._retained.setdefault(topic, payload)
                self.refused.note(topic, reason)
            else:
                continue
            self._busy.discard(topic)
            self._closing.answered(topic)

    def _write_confirmations(self, now: float) -> None:
        if not self._unwritten:
            return
        due = len(self._unwritten) >= READ_AHEAD or self._monotonic() - self._unwritten_since >= CONFIRM_S
        is_last = not self._outstanding and not self._waits
        if due or is_last or self._link.connections != self._connection:
            self._store.confirm(self._unwritten, now)
            self._unwritten.clear()

    def _send_tries(self) -> bool:
        """Try refused topics again, if it is time; returns whether there is room."""
        for topic, sequence in self.refused.due():
            if sequence is None:
                self._retained_tries.add(topic)
                continue
            rows = self._store.pending(sequence - 1, 1, sequence)
            if not rows:
                # A limit has dropped the event; what the topic's next one is, only the outbox knows.
                self.refused.forget(topic)
                self._begin_again()
            self._tries += rows
        while self._tries:
            if not self._send(self._tries[0], self._tries[0].payload):
                return False
            self._tries.popleft()
        return True

    def _send_events(self) -> bool:
        """Send events until there are none or the link is full; returns whether there is room."""
        self._waits = False
        lanes = self._lanes()
        if self.check.is_on and any(lane.next() for lane in lanes) and not self.check.may_send():
            return True
        for lane in lanes:
            result = self._send_lane(lane)
            if result is not _Progress.THROUGH:
                return result is _Progress.WAITS
        return True

    def _send_lane(self, lane: OutboxCursor) -> _Progress:
        """Send what a lane has, as far as that goes now."""
        is_backlog = lane is self._backlog
        passed_over = 0
        for row in self._backlog_rows() if is_backlog else iter(lane.next, None):
            if self._is_passed_over(row, is_backlog=is_backlog):
                passed_over += 1
            elif row.topic in self._busy:
                self._waits = True
                return _Progress.WAITS
            elif not self._send(row, as_replayed(row.payload) if is_backlog else row.payload):
                return _Progress.NO_ROOM
            elif is_backlog:
                self._allowance -= 1
                self.replayed += 1
            elif lane is self._urgent:
                self._sent_first.add(row.sequence)
            lane.sent()
            if passed_over >= PASSED_OVER:
                return _Progress.WAITS
        return _Progress.THROUGH

    def _is_passed_over(self, row: OutboxRow, *, is_backlog: bool) -> bool:
        if row.topic in self.refused or row.sequence in self._sent_before:
            return True
        return is_backlog and row.sequence in self._sent_first

    def _backlog_rows(self) -> Iterator[OutboxRow]:
        """The next rows of the backlog, as many as its rate allows now."""
        now = self._monotonic()
        self._allowance = min(
            self._allowance + self.backlog_per_second * (now - self._allowed_at),
            1.0 + BURST_S * self.backlog_per_second,
        )
        self._allowed_at = now
        while self._allowance >= 1 and (row := self._backlog.next()) is not None:
            yield row

    def _send(self, row: OutboxRow, payload: bytes) -> bool:
        if not self._may_send():
            return False
        token = self._link.publish(row.topic, payload, properties=properties_of(row))
        if token is None:
            return False
        self._outstanding[token] = row.sequence, row.topic
        self._note_busy(row.topic)
        self.published += 1
        if row.transition == GAP:
            self._last_gap = max(self._last_gap, row.sequence)
        return True

    def _send_retained(self) -> None:
        for topic in list(self._retained):
            if topic in self._busy or (topic in self.refused and topic not in self._retained_tries):
                continue
            payload = self._retained[topic]
            token = self._link.publish(topic, payload, retain=True) if self._may_send() else None
            if token is None:
                return
            self._retained_outstanding[token] = topic, payload
            self._note_busy(topic)
            self._retained_tries.discard(topic)
            del self._retained[topic]

    def _note_busy(self, topic: str) -> None:
        if not self._link.acknowledges_blindly:
            self._busy.add(topic)
