"""Delivery check: verifies that acknowledged publications were delivered, for brokers whose PUBACK doesn't prove it.

An MQTT 3.1.1 broker may acknowledge publications that its access list drops (mosquitto does). The service's own
retained status is therefore published again after acknowledged events and must come back: since the broker processes
publications in order, the events were then delivered. While it doesn't come back, no event counts as delivered and all
of them wait, or they would overtake those that were dropped. After `PATIENCE_S` new events are sent anyway, once, since
the access list may only deny reading the status; the stored events still wait until it comes back, and are sent then.
Since the list may be corrected at any moment, the publisher sends undelivered events of an incident again before a new
one of that incident. The status is published repeatedly, and always before new events are sent, so that changes of the
list are noticed in both directions. A list that denies for less than `PROBE_S` may go unnoticed.

A foreign status on the topic is of another service: of one with our client id, which takes our session from time to
time, or of one with another client id, which publishes as the same gateway.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from edge.core.model.notation.printable import printable, shortened
from edge.shell.link.receiving.echo import Echo

log = logging.getLogger("edgewarden.publisher")

ECHO_S = 5.0
"""Maximum time for the status to come back after its acknowledgement."""

STILL_MISSING_S = 2.0
"""Maximum time for a status after one that didn't come back; a verdict remains valid for as long."""

PATIENCE_S = 30.0
"""Time without it after which events are sent although they don't count as delivered."""

LOGGED_S = 60.0
"""Minimum interval between log lines."""

PROBE_S = 2.0
"""Minimum interval between statuses while events wait to be counted."""

IDLE_PROBE_S = 60.0
"""Interval between statuses without events."""

LONGEST_ID = 128
"""Maximum number of characters of a client id of others."""

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 10.0
"""Time until the next status after one that didn't come back; doubled each time, up to the second."""


class EchoLink(Protocol):
    """The part of a link that the check uses."""

    @property
    def connections(self) -> int:
        """Number of connections so far."""

    @property
    def acknowledges_blindly(self) -> bool:
        """Whether the broker may acknowledge publications that it drops."""

    @property
    def echo(self) -> Echo:
        """Receives the service's own status topic."""

    def rival_seen(self) -> None:
        """Record that another client has the same ID."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Send; returns a token, or None if that isn't possible now."""


class DeliveryCheck:
    """Counts acknowledged events as delivered once a status sent after them has come back.

    Args:
        link: The link for events.
        topic: The service's own status topic.
        monotonic: Seconds that never step.

    Attributes:
        missing_since: Monotonic time since which the status hasn't come back; None if it does.
        is_impossible: Whether the broker closes the connection because of the status, so that it isn't one that drops
            silently.
        lost_probe: Whether an unacknowledged status was in flight when the last connection ended.
        mended: Whether the status has come back again and stored events haven't been resent yet.
        namesake: Client id of another service that publishes as the same gateway; empty if there is none.
    """

    def __init__(self, link: EchoLink, topic: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.missing_since: float | None = None
        self.mended = False
        self.is_impossible = False
        self.lost_probe = False
        self.namesake = ""
        self._link = link
        self._topic = topic
        self._monotonic = monotonic
        self._status = b""
        self._number = 0
        self._held: deque[int] = deque()
        self._is_waiting = True
        self._knows_itself = False
        self._delay_s = FIRST_RETRY_S
        self._token: int | None = None
        self._probed = b""
        self._covered = 0
        self._acknowledged_at = math.inf
        self._due = 0.0
        self._probed_at = 0.0
        self._missed_at = 0.0
        self._logged_at = self._named_at = -math.inf

    @property
    def is_on(self) -> bool:
        """Whether acknowledgements on the present connection are checked."""
        return self._link.acknowledges_blindly and self._link.echo.state != "off" and not self.is_impossible

    @property
    def is_in_doubt(self) -> bool:
        """Whether the broker may be dropping what it acknowledges."""
        return self.is_on and self.missing_since is not None

    @property
    def is_probing(self) -> bool:
        """Whether an unacknowledged status is in flight."""
        return self._token is not None and self._acknowledged_at == math.inf

    @property
    def holds_backlog(self) -> bool:
        """Whether events stored before the connection must wait, because no status has come back."""
        return self.is_on and (self._is_waiting or self.is_in_doubt)

    @property
    def held(self) -> Iterable[int]:
        """Sequences of acknowledged events that wait for a later status."""
        return self._held

    def begin(self) -> None:
        """Record a new connection."""
        self.lost_probe = self.lost_probe or self.is_probing
        self._held.clear()
        self._forget_probe()
        self._is_waiting = True
        self._due = 0.0
        if not self.is_on:
            self.missing_since = None

    def may_send(self) -> bool:
        """Whether new events may be sent now; called when there are some."""
        if not self.is_on:
            return True
        now = self._monotonic()
        if self.missing_since is None:
            return self._token is None
        is_patient = now < self.missing_since + PATIENCE_S
        if not is_patient and self._token is None and now < self._missed_at + STILL_MISSING_S:
            return True
        self._due = min(self._due, now)
        return False

    def status(self, payload: bytes) -> None:
        """Record the service's status, which is the one published again."""
        self._status = payload

    def acknowledged(self, token: int) -> None:
        """Record an acknowledgement, possibly of the status."""
        if token == self._token:
            self._acknowledged_at = self._monotonic()

    def count(self, sequences: list[int]) -> list[int]:
        """Take acknowledged events; returns those that count as delivered at once."""
        if not self.is_on:
            return sequences
        if self.missing_since is None:
            self._held.extend(sequences)
        return []

    def turn(self, *, may_probe: bool = True) -> list[int]:
        """Process returned statuses, and publish the status if due; returns the events that count as delivered."""
        delivered = self._take_echoes()
        if not self.is_on:
            delivered += self._held
            self._held.clear()
            self.missing_since = None
            return delivered
        now = self._monotonic()
        if now >= self._acknowledged_at + (ECHO_S if self.missing_since is None else STILL_MISSING_S):
            self._miss(now)
        is_due = now >= self._due or (
            self._held and self.missing_since is None and now >= self._due - IDLE_PROBE_S + PROBE_S
        )
        if self._token is None and self._status and self._link.echo.state == "granted" and is_due and may_probe:
            self._probe(now)
        return delivered

    def _take_echoes(self) -> list[int]:
        delivered: list[int] = []
        for payload in self._link.echo.take():
            if self._probed and payload == self._probed:
                delivered += self._found()
            said, own = _status_in(payload), _status_in(self._status)
            if said.instance == own.instance:
                self._knows_itself = True
            elif said.instance is not None and self._knows_itself and self._status:
                self._note_other(said, own)
        return delivered

    def _note_other(self, said: _Status, own: _Status) -> None:
        """Record the status of another service on our topic."""
        if said.client_id in {None, own.client_id}:
            self._link.rival_seen()
            return
        other = shortened(printable(said.client_id or "-"), LONGEST_ID)
        if said.state == "offline":
            self.namesake = "" if self.namesake == other else self.namesake
            return
        now, self.namesake = self._monotonic(), other
        if now >= self._named_at + LOGGED_S:
            self._named_at = now
            log.error(
                "gateway_name_in_use topic=%r client_id=%r: another service publishes as this gateway, with this client"
                " id; two gateways need different names",
                self._topic,
                other,
                extra={"bounded": True},
            )

    def _found(self) -> list[int]:
        delivered = [self._held.popleft() for _ in range(min(self._covered, len(self._held)))]
        if self.missing_since is not None:
            log.info("delivery_confirmed topic=%r after_s=%.0f", self._topic, self._monotonic() - self.missing_since)
            self.missing_since, self.mended = None, True
        self._is_waiting = False
        self._delay_s = FIRST_RETRY_S
        self._forget_probe()
        return delivered

    def _miss(self, now: float) -> None:
        """Handle a status that didn't come back: acknowledgements since the last one are void."""
        if self.missing_since is None:
            self.missing_since = now
        self._held.clear()
        self._forget_probe()
        self._missed_at, self._due = now, now + self._delay_s
        self._delay_s = min(2 * self._delay_s, LONGEST_RETRY_S)
        if now < self._logged_at + LOGGED_S:
            return
        self._logged_at = now
        log.error(
            "delivery_unconfirmed topic=%r: the broker acknowledges our status, but doesn't send it to us; its access"
            " list forbids us to publish below our base, or to read this topic. No event counts as delivered until it"
            " comes back; if only reading is forbidden, allow it or set check_delivery = false",
            self._topic,
        )

    def _probe(self, now: float) -> None:
        payload = b'%s,"probe":%d}' % (self._status[:-1], self._number)
        token = self._link.publish(self._topic, payload, retain=True)
        if token is None:
            return
        self._number += 1
        self._token, self._probed, self._covered = token, payload, len(self._held)
        self._due, self._probed_at = now + IDLE_PROBE_S, now

    def _forget_probe(self) -> None:
        self._token = None
        self._probed = b""
        self._covered = 0
        self._acknowledged_at = math.inf


class _Status(msgspec.Struct):
    state: str = ""
    instance: str | None = None
    client_id: str | None = None


def _status_in(payload: bytes) -> _Status:
    """The part of a status that says whose it is; empty if it isn't one."""
    try:
        return msgspec.json.decode(payload, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Status()
