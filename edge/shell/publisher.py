"""The publisher: brings the outbox to the broker, and keeps the retained topics up to date.

An event leaves the outbox by its PUBACK only. While the link is down nothing is handed to it; when it is back, what has
no PUBACK is read from the store again, in this order:

1. what belongs to incidents that are open now, and gaps;
2. what is stored from now on, as it comes;
3. the backlog: everything else that was stored before the connection, in order, at a bounded rate, marked as replayed.

The events of one incident always arrive in their order. Retained topics hold the latest word only: what changes while
one is waiting replaces it, so there are never more than one a topic.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from edge.core.events import severity_name
from edge.core.gaps import TRANSITION as GAP
from edge.shell.link import EventProperties
from edge.shell.store import OutboxRow, Store, StoreError

READ_AHEAD = 200
"""Events read from the store at a time."""

BURST_S = 0.1
"""The backlog's rate is kept on the average of so long."""

CONFIRM_S = 0.2
"""PUBACKs are noted in the store together, at the latest after this; what a crash cuts off is sent again."""

NOT_REPLAYED, REPLAYED = b'"replayed":false}}', b'"replayed":true}}'


class Outlet(Protocol):
    """What the publisher needs of a link."""

    @property
    def connected(self) -> bool:
        """Whether anything can be sent."""

    @property
    def connections(self) -> int:
        """How often the link has connected."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Send; returns a token, or None if that can't be done now."""

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has come."""


class Lane:
    """A part of the outbox that is sent in order.

    Args:
        read: Gives the next rows after a sequence, at most so many.
        after: The sequence to begin after.
    """

    def __init__(self, read: Callable[[int, int], list[OutboxRow]], after: int = 0) -> None:
        self._read = read
        self._after = after
        self._ahead: deque[OutboxRow] = deque()
        self._more = True

    def next(self) -> OutboxRow | None:
        """The row that is to be sent next, or None."""
        if not self._ahead and self._more:
            self._ahead.extend(self._read(self._after, READ_AHEAD))
            self._more = len(self._ahead) == READ_AHEAD
        return self._ahead[0] if self._ahead else None

    def sent(self) -> None:
        """Note that it was sent, or needn't be."""
        self._after = self._ahead.popleft().sequence

    def more(self) -> None:
        """Note that the store has new events."""
        self._more = True

    def look_again(self) -> None:
        """Note that what was read ahead may be gone from the store."""
        self._ahead.clear()
        self._more = True


class Publisher:
    """Sends what the store and the service want sent.

    Args:
        store: Where the events are.
        link: Where they go.
        backlog_per_second: How many events of the backlog are sent in a second.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        store: Store,
        link: Outlet,
        backlog_per_second: float = 500.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._link = link
        self._rate = backlog_per_second
        self._monotonic = monotonic
        self._connection = 0
        self._urgent, self._live, self._backlog = _lanes(store)
        self._outstanding: dict[int, int] = {}
        self._unwritten: list[int] = []
        self._unwritten_since = 0.0
        self._sent_first: set[int] = set()
        self._retained: dict[str, bytes] = {}
        self._retained_outstanding: set[int] = set()
        self._allowance = 0.0
        self._allowed_at = monotonic()
        self._last_gap = 0
        self.confirmed = 0
        self.published = 0
        self.replayed = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or confirmed."""
        if self._outstanding or self._unwritten or self._retained or self._retained_outstanding:
            return False
        return all(lane.next() is None for lane in (self._urgent, self._live, self._backlog))

    @property
    def on_their_way(self) -> list[int]:
        """Sequences of events that were sent, and aren't noted as confirmed yet."""
        return [*self._outstanding.values(), *self._unwritten]

    def was_sent(self, gap: int) -> bool:
        """Whether a gap's event was ever handed to the link."""
        return gap <= self._last_gap

    def stored(self) -> None:
        """Note that the store has new events."""
        self._live.more()

    def changed(self, store: Store | None = None) -> None:
        """Note that events were taken out of the store, or that it is another one now."""
        if store is not None:
            self._store = store
            self._unwritten.clear()
            self._outstanding.clear()
            self._urgent, self._live, self._backlog = _lanes(store)
        for lane in (self._urgent, self._live, self._backlog):
            lane.look_again()

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish the latest word on a retained topic as soon as there is room, after the events."""
        self._retained[topic] = payload

    def retain_all(self, latest: Mapping[str, bytes]) -> None:
        """Likewise, of several topics."""
        self._retained.update(latest)

    def turn(self, now: float) -> None:
        """Take confirmations and send what there is room for; never waits.

        Args:
            now: Seconds since the epoch, UTC, for the confirmations.

        Raises:
            StoreError: The store can't be read or written; what could be sent all the same was, and what was
                confirmed is noted the next time.
        """
        self._take_confirmations(self._link.confirmations())
        failure = None
        try:
            self._write_confirmations(now)
        except StoreError as error:
            failure = error
        if self._link.connected:
            if self._link.connections != self._connection:
                self._begin_anew()
            if self._send_events():
                self._send_retained()
        if failure is not None:
            raise failure

    def _begin_anew(self) -> None:
        self._connection = self._link.connections
        self._outstanding.clear()
        self._retained_outstanding.clear()
        self._sent_first.clear()
        self._urgent, self._live, self._backlog = _lanes(self._store)

    def _take_confirmations(self, tokens: Iterable[int]) -> None:
        sequences = []
        for token in tokens:
            self._retained_outstanding.discard(token)
            if token in self._outstanding:
                sequences.append(self._outstanding.pop(token))
        if sequences and not self._unwritten:
            self._unwritten_since = self._monotonic()
        self._unwritten += sequences
        self.confirmed += len(sequences)

    def _write_confirmations(self, now: float) -> None:
        due = len(self._unwritten) >= READ_AHEAD or self._monotonic() - self._unwritten_since >= CONFIRM_S
        if self._unwritten and (due or not self._outstanding or self._link.connections != self._connection):
            self._store.confirm(self._unwritten, now)
            self._unwritten.clear()

    def _send_events(self) -> bool:
        """Send events until there are none or there is no room; returns whether there is room."""
        for lane in (self._urgent, self._live):
            while (row := lane.next()) is not None:
                if not self._send(row, row.payload):
                    return False
                if lane is self._urgent:
                    self._sent_first.add(row.sequence)
                lane.sent()
        for row in self._backlog_rows():
            if row.sequence not in self._sent_first:
                if not self._send(row, as_replayed(row.payload)):
                    return False
                self._allowance -= 1
                self.replayed += 1
            self._backlog.sent()
        return True

    def _backlog_rows(self) -> Iterator[OutboxRow]:
        """What the backlog's rate allows for."""
        now = self._monotonic()
        self._allowance = min(self._allowance + self._rate * (now - self._allowed_at), 1.0 + BURST_S * self._rate)
        self._allowed_at = now
        while self._allowance >= 1 and (row := self._backlog.next()) is not None:
            yield row

    def _send(self, row: OutboxRow, payload: bytes) -> bool:
        token = self._link.publish(row.topic, payload, properties=properties_of(row))
        if token is None:
            return False
        self._outstanding[token] = row.sequence
        self.published += 1
        if row.transition == GAP:
            self._last_gap = max(self._last_gap, row.sequence)
        return True

    def _send_retained(self) -> None:
        for topic in list(self._retained):
            token = self._link.publish(topic, self._retained[topic], retain=True)
            if token is None:
                return
            self._retained_outstanding.add(token)
            del self._retained[topic]


def as_replayed(payload: bytes) -> bytes:
    """An event's payload with the word that it comes from the backlog."""
    return payload[: -len(NOT_REPLAYED)] + REPLAYED if payload.endswith(NOT_REPLAYED) else payload


def _lanes(store: Store) -> tuple[Lane, Lane, Lane]:
    """What is urgent, what comes from now on, and the backlog."""
    last = store.last_sequence()
    return (
        Lane(lambda after, most: store.pending_open(after, most, last)),
        Lane(store.pending, last),
        Lane(lambda after, most: store.pending(after, most, last)),
    )


def properties_of(row: OutboxRow) -> EventProperties:
    """What an MQTT 5 consumer can filter by without reading the payload."""
    kind = "gap" if row.transition == GAP else f"incident.{row.transition}"
    return EventProperties(
        content_type="application/cloudevents+json",
        user=(
            ("type", f"io.edgewarden.{kind}.v1"),
            ("severitytext", severity_name(row.severity)[0]),
            ("kind", row.kind),
            ("sensor", row.sensor),
        ),
    )
