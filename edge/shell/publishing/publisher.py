"""The publisher: sends the outbox to the broker, and keeps the retained topics up to date.

An event leaves the outbox only by its PUBACK; whether that proves delivery on MQTT 3.1.1 is checked by
`delivery_check.py`. While the link is down nothing is sent; after reconnection, events without a PUBACK are read from
the store again, in this order:

1. events of open incidents, and gaps;
2. new events as they are stored;
3. the backlog: all other events stored before the connection, in order, at a limited rate, marked as replayed.

A publication refused by the broker, by its answer or by closing the connection, stays in the outbox together with later
ones on its topic, and doesn't delay other topics; see `refused_topics.py` and `closing_topics.py`. Once one is accepted
again, the outbox is read from the beginning in the same order. Since a broker may refuse one publication and accept the
next, each topic has only one publication in flight on MQTT 5.

The events of an incident always arrive in order; see also `earlier_events.py`. For retained topics only the latest
payload is kept: a newer one replaces a waiting one, so at most one per topic is waiting.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto

from edge.core.incidents.events.gaps import TRANSITION as GAP
from edge.shell.link import RefusedPublication
from edge.shell.link.sending.delivery_check import DeliveryCheck
from edge.shell.link.sending.outlet import Outlet
from edge.shell.publishing.backlog_rate import BacklogRate
from edge.shell.publishing.closing_topics import ClosingTopics
from edge.shell.publishing.earlier_events import EarlierEvents
from edge.shell.publishing.event_publication import as_replayed, properties_of
from edge.shell.publishing.outbox_cursor import READ_AHEAD, OutboxCursor, lanes_of
from edge.shell.publishing.refused_topics import RefusedTopics
from edge.shell.publishing.retained_topics import RetainedTopics
from edge.shell.store import OutboxRow, Store, StoreError

log = logging.getLogger("edgewarden.publisher")

CONFIRM_S = 0.2
"""Maximum delay before PUBACKs are recorded in the store, several at a time; after a crash, events not yet recorded are
sent again."""

PASSED_OVER = 1000
"""Maximum number of events on refused topics read from the store and skipped in one turn."""


class _Progress(Enum):
    """The outcome of sending from a cursor."""

    THROUGH = auto()
    WAITS = auto()
    NO_ROOM = auto()


class Publisher:
    """Sends the outbox and retained topics.

    Args:
        store: The store with the events.
        link: The link for events.
        backlog_per_second: Maximum number of backlog events per second.
        monotonic: Seconds that never step.
        status_topic: The service's own status topic.

    Attributes:
        rate: Bounds the number of backlog events per second.
        refused: The topics that the broker currently refuses.
        check: Checks whether acknowledged events were delivered.
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
        self.confirmed = self.published = self.replayed = 0
        self._store = store
        self._link = link
        self.rate = BacklogRate(backlog_per_second, monotonic)
        self._monotonic = monotonic
        self._status_topic = status_topic
        self._connection = 0
        self._urgent, self._live, self._backlog = lanes_of(store)
        self._outstanding: dict[int, tuple[int, str]] = {}
        self._unwritten: list[int] = []
        self._unwritten_since = 0.0
        self._sent_first: set[int] = set()
        self._sent_before: set[int] = set()
        self._earlier = EarlierEvents(store, self.check)
        self._busy: set[str] = set()
        self._closing = ClosingTopics()
        self._waits = False
        self._tries: deque[OutboxRow] = deque()
        self._retained = RetainedTopics()
        self._last_gap = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is waiting to be sent or confirmed, except on refused topics."""
        return not (self._outstanding or self._unwritten or self._retained.outstanding) and self._has_sent_all()

    @property
    def awaits_broker(self) -> bool:
        """Whether there is nothing to do before the broker connects or answers, either of which wakes the loop."""
        return not self._unwritten and (not self._link.connected or self._has_sent_all())

    def _has_sent_all(self) -> bool:
        """Whether nothing is left to send, except on refused topics."""
        if self._tries or any(self.check.held) or any(topic not in self.refused for topic in self._retained.waiting):
            return False
        return all(lane.next() is None for lane in self._lanes())

    @property
    def on_their_way(self) -> list[int]:
        """Sequences of events that were sent and aren't recorded as confirmed yet."""
        return [*(sequence for sequence, _ in self._outstanding.values()), *self._unwritten, *self.check.held]

    def _lanes(self) -> tuple[OutboxCursor, ...]:
        """The cursors that may be sent from now."""
        return (self._urgent, self._live) if self.check.holds_backlog else (self._urgent, self._live, self._backlog)

    def was_sent(self, gap: int) -> bool:
        """Whether a gap's event was ever passed to the link."""
        return gap <= self._last_gap

    def stored(self, rows: Sequence[OutboxRow] = ()) -> None:
        """Record that the store has new events: all of them, or none if they are to be read from it."""
        self._live.more(rows)

    def changed(self, store: Store | None = None) -> None:
        """Record that events were deleted from the store, or that the store was replaced."""
        if store is None:
            for lane in (self._urgent, self._live, self._backlog):
                lane.look_again()
            return
        self._store, self._earlier = store, EarlierEvents(store, self.check)
        self._unwritten.clear()
        self._outstanding.clear()
        # PUBACKs for events of the old store are no longer recognised, so they can't release their topics.
        self._busy = self._retained.unanswered()
        self.refused.clear()
        self.check.begin()
        self._begin_again()

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish the latest payload of a retained topic as soon as there is room, after the events."""
        if topic == self._status_topic:
            self.check.status(payload)
        self._retained.waiting[topic] = payload

    def retain_all(self, latest: Mapping[str, bytes]) -> None:
        """Publish the latest payloads of several retained topics; see `retain()`."""
        self._retained.waiting.update(latest)

    def is_retaining(self, topic: str) -> bool:
        """Whether the latest payload of a retained topic is still waiting for the broker, as while it is refused."""
        return topic in self._retained.waiting or topic in self._retained.unanswered()

    @property
    def unsaid(self) -> dict[str, bytes]:
        """The latest payloads of retained topics that no broker has confirmed, except the service's status."""
        return {topic: payload for topic, payload in self._retained.unsaid().items() if topic != self._status_topic}

    def turn(self, now: float) -> None:
        """Process confirmations and send as far as there is room; never blocks.

        Args:
            now: Seconds since the epoch, UTC, for the confirmations.

        Raises:
            StoreError: The store can't be read or written; whatever could be sent was sent, and confirmations are
                recorded the next time.
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
                self._outstanding.clear()  # was sent in doubt, so that PUBACKs that arrive now prove nothing
                self._begin_again()
            if self._send_tries() and self._send_events():
                self._send_retained()
        if failure is not None:
            raise failure

    def _begin_anew(self) -> None:
        """Begin a new connection: publications in flight are void."""
        self._connection = self._link.connections
        self.refused.connected(closed=self._is_refused_by_closing())
        self._outstanding.clear()
        self._retained.void()
        self._busy.clear()
        self._begin_again()

    def _is_refused_by_closing(self) -> bool:
        """Search for a topic because of which the broker closed the last connection; returns whether there is one."""
        reason = self._link.closed_by_broker
        if not reason:
            self.check.lost_probe = False
            return False
        sequences: dict[str, int] = {}
        for sequence, topic in self._outstanding.values():
            sequences[topic] = min(sequence, sequences.get(topic, sequence))
        unanswered = {*sequences, *self._retained.unanswered()}
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
        """Whether sending needn't wait for the answer to the publication in flight."""
        return not self._closing.one_at_a_time or not (
            self._outstanding or self._retained.outstanding or self.check.is_probing
        )

    def _begin_again(self) -> None:
        """Read the outbox from its beginning; publications in flight are kept."""
        self._tries.clear()
        self._retained.tries.clear()
        self._sent_first.clear()
        self._sent_before = set(self.on_their_way)
        self._urgent, self._live, self._backlog = lanes_of(self._store)

    def _take_confirmations(self, tokens: Iterable[int]) -> None:
        sequences, mended = list[int](), False
        for token in tokens:
            self.check.acknowledged(token)
            if token in self._outstanding:
                sequence, topic = self._outstanding.pop(token)
                sequences.append(sequence)
            elif (said := self._retained.confirmed(token)) is not None:
                topic = said
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
            elif (unsaid := self._retained.refused(token)) is not None:
                topic = unsaid
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
        """Retry refused topics when due; returns whether there is room."""
        for topic, sequence in self.refused.due():
            if sequence is None:
                self._retained.tries.add(topic)
                continue
            rows = self._store.pending(sequence - 1, 1, sequence)
            if not rows:
                # A limit has dropped the event; the topic's next one must be looked up in the outbox.
                self.refused.forget(topic)
                self._begin_again()
            self._tries += rows
        while self._tries:
            if not self._send(self._tries[0]):
                return False
            self._tries.popleft()
        return True

    def _send_events(self) -> bool:
        """Send events until there are none or the link is full; returns whether there is room."""
        self._waits = False
        self._earlier.turn()
        lanes = self._lanes()
        if self.check.is_on and any(lane.next() for lane in lanes) and not self.check.may_send():
            return True
        for lane in lanes:
            result = self._send_lane(lane)
            if result is not _Progress.THROUGH:
                return result is _Progress.WAITS
        return True

    def _send_lane(self, lane: OutboxCursor) -> _Progress:
        """Send events from a cursor as far as possible now."""
        is_backlog, passed_over = lane is self._backlog, 0
        for row in self.rate.rows(lane) if is_backlog else iter(lane.next, None):
            if self._is_passed_over(row, is_backlog=is_backlog):
                passed_over += 1
            elif row.topic in self._busy or (self._earlier.before(row) and self._outstanding):
                self._waits = True
                return _Progress.WAITS
            elif not (self._send_earlier(row) and self._send(row, is_backlog=is_backlog)):
                return _Progress.NO_ROOM
            elif is_backlog:
                self.rate.sent()
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
        return self._earlier.before(row) is None or (is_backlog and row.sequence in self._sent_first)

    def _send_earlier(self, row: OutboxRow) -> bool:
        """Send what must be sent again before an event; returns whether there was room for all of it."""
        if all(self._send(each) for each in self._earlier.before(row) or ()):
            return True
        self._earlier.failed()
        return False

    def _send(self, row: OutboxRow, *, is_backlog: bool = False) -> bool:
        if not self._may_send():
            return False
        payload = as_replayed(row.payload) if is_backlog else row.payload
        token = self._link.publish(row.topic, payload, properties=properties_of(row))
        if token is None:
            return False
        self._outstanding[token] = row.sequence, row.topic
        self._earlier.sent(row.sequence)
        self._note_busy(row.topic)
        self.published += 1
        if row.transition == GAP:
            self._last_gap = max(self._last_gap, row.sequence)
        return True

    def _send_retained(self) -> None:
        for topic, payload in list(self._retained.waiting.items()):
            if topic in self._busy or (topic in self.refused and topic not in self._retained.tries):
                continue
            token = self._link.publish(topic, payload, retain=True) if self._may_send() else None
            if token is None:
                return
            self._retained.sent(topic, token)
            self._note_busy(topic)

    def _note_busy(self, topic: str) -> None:
        if not self._link.acknowledges_blindly:
            self._busy.add(topic)
