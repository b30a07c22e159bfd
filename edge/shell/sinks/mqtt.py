"""MQTT: publishes events on another broker under the same topics, as `[upstream]` does.

The broker also gets the retained `status`. Since an MQTT 3.1.1 broker acknowledges publications that its access list
drops, an event counts as delivered only once that status has come back after it; see
`edge.shell.link.sending.delivery_check`.

A broker may close the connection instead of refusing a publication, such as one that is too large. The events in flight
are then sent one by one, and an event that was alone each time it happened again is refused.
"""

from __future__ import annotations

import time
from collections import Counter

from edge.shell.link import Link
from edge.shell.link.sending.delivery_check import DeliveryCheck
from edge.shell.link.versions.abilities import NO_QOS_1
from edge.shell.publishing.event_publication import properties_of
from edge.shell.sinks.base import Outcome, SinkTrouble
from edge.shell.sinks.options import MqttOptions
from edge.shell.store import OutboxRow

CONNECT_S = 15.0
STOP_S = 2.0
MOST = 1000
"""Maximum number of events in flight; the broker's own window is smaller."""

WAIT_S = 0.02
CLOSED = 3
"""Number of closed connections with only one event in flight before that event is held responsible."""

UNCONFIRMED = (
    "the broker acknowledges events, but our own status doesn't come back from it: see its access list, or set"
    " check_delivery = false if only reading is forbidden"
)


class MqttSink:
    """Publishes events to a broker.

    Args:
        options: Settings of the receiver.
    """

    def __init__(self, options: MqttOptions) -> None:
        self._options = options
        self._link: Link | None = None
        self._suspected: set[int] = set()
        self._closed: Counter[int] = Counter()
        self._begin()

    def _begin(self) -> None:
        self._connection = 0
        self._under_way: dict[int, int] = {}
        self._outcomes: list[Outcome] = []

    @property
    def most(self) -> int:
        """See `Sink`."""
        return 1 if self._suspected else MOST

    @property
    def keeps_order(self) -> bool:
        """See `Sink`: an MQTT 5 broker may refuse one event and accept the next."""
        return self._link is None or self._link.acknowledges_blindly

    def open(self) -> None:
        """See `Sink`."""
        self._begin()
        link = Link(self._options.link)
        self._link = link
        link.start()
        if not link.wait_connected(CONNECT_S):
            trouble = link.trouble
            self.close()
            raise SinkTrouble(trouble or "no answer in time: a firewall, a wrong address, or the broker hangs")
        if not link.abilities.confirms:
            self.close()
            raise SinkTrouble(NO_QOS_1)
        self._connection = link.connections
        topic, online, _ = self._options.status
        self._check = DeliveryCheck(link, topic)
        link.confirmations()
        self._check.begin()
        self._check.status(online)
        if not self._check.is_on:
            link.publish(topic, online, retain=True)

    def send(self, row: OutboxRow) -> bool:
        """See `Sink`."""
        link = self._alive()
        if self._check.holds_backlog or not self._check.may_send():
            return False
        token = link.publish(row.topic, row.payload, properties=properties_of(row))
        if token is None:
            return False
        self._under_way[token] = row.sequence
        return True

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """See `Sink`."""
        until = time.monotonic() + wait_s
        while not self._collect() and self._is_on_connection() and time.monotonic() < until:
            self._alive().receive(WAIT_S)
        if not self._outcomes and not self._is_on_connection():
            self._judge()
        if not self._outcomes:
            self._alive()
            if self._check.missing_since is not None:
                raise SinkTrouble(UNCONFIRMED)
        found, self._outcomes = self._outcomes, []
        self._suspected.difference_update(each.sequence for each in found)
        return found

    def close(self) -> None:
        """See `Sink`; the status `offline` is published, as the will would be."""
        link, self._link = self._link, None
        if link is None:
            return
        if link.connected:
            topic, _, offline = self._options.status
            link.publish(topic, offline, retain=True)
        link.stop(STOP_S)

    def _alive(self) -> Link:
        """The link, if it is still on the connection on which it was opened."""
        link = self._link
        if link is None:
            raise SinkTrouble("not open")
        if not self._is_on_connection():
            raise SinkTrouble(link.trouble or "the connection has ended")
        return link

    def _is_on_connection(self) -> bool:
        return self._link is not None and self._link.connected and self._link.connections == self._connection

    def _judge(self) -> None:
        """Check whether the broker has closed the connection because of one event."""
        under_way, self._under_way = set(self._under_way.values()), {}
        reason = self._link.closed_by_broker if self._link is not None else ""
        if not reason or not under_way:
            return
        if len(under_way) == 1 and under_way <= self._suspected:
            (sequence,) = under_way
            self._closed[sequence] += 1
            if self._closed[sequence] >= CLOSED:
                self._closed.clear()
                self._outcomes.append(Outcome(sequence, f"the broker closes the connection for it ({reason})"))
                return
        self._suspected |= under_way

    def _collect(self) -> bool:
        """Process the broker's answers; returns whether an event has an outcome."""
        link = self._link
        if link is None:
            return False
        acknowledged = []
        for token in link.confirmations():
            self._check.acknowledged(token)
            sequence = self._under_way.pop(token, None)
            if sequence is not None:
                acknowledged.append(sequence)
        delivered = [*self._check.count(acknowledged), *self._check.turn()]
        self._outcomes += map(Outcome, delivered)
        for token, reason in link.refusals():
            sequence = self._under_way.pop(token, None)
            if sequence is not None:
                self._outcomes.append(Outcome(sequence, f"the broker refuses it: {reason}"))
        return bool(self._outcomes)
