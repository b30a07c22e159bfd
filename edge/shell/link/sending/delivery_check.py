"""Whether what a broker acknowledges gets through, where an acknowledgement doesn't say so.

An MQTT 3.1.1 broker may acknowledge what its access list makes it drop (mosquitto does). So our own retained status is
published again behind events that were acknowledged, and has to come back: then they got through, as the broker takes
publications in order. While it doesn't come back, no event counts as delivered, and all wait, or they would overtake
those that were dropped. After `PATIENCE_S` new events are sent anyway, once, as the list may only
forbids us to read our status; what is stored still waits until it comes back, and is sent then. The status is published
again and again, so that a list that is changed is noticed either way, and always before new events are sent.

A status on our topic that isn't ours shows that another service has our name.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from edge.shell.link import Echo

log = logging.getLogger("edgewarden.publisher")

ECHO_S = 5.0
"""The status has to come back within this time after the broker has acknowledged it."""

DOUBT_S = 0.3
"""It usually comes back in no time; once it is this late, events wait."""

STILL_MISSING_S = 2.0
"""The status that didn't come back the last time has this time; a verdict is good for as long again."""

PATIENCE_S = 30.0
"""After this time without it, events are sent though they don't count."""

LOGGED_S = 60.0
"""Least time between two lines in the log."""

PROBE_S = 2.0
"""Least time between two statuses while events wait to be counted."""

IDLE_PROBE_S = 60.0
"""Time between two statuses without events, and the longest pause while none comes back."""

FIRST_RETRY_S = 1.0


class EchoLink(Protocol):
    """The part of a link that the check uses."""

    @property
    def connections(self) -> int:
        """Number of connections so far."""

    @property
    def acknowledges_blindly(self) -> bool:
        """Whether an acknowledgement may be of something that was dropped."""

    @property
    def echo(self) -> Echo:
        """Hears our own status topic."""

    def rival_seen(self) -> None:
        """Record that another client has our id."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Send; returns a token, or None if that can't be done now."""


class DeliveryCheck:
    """Counts acknowledged events as delivered once our status has come back behind them.

    Args:
        link: The link that events go to.
        topic: Our own status topic.
        monotonic: Seconds that never step.

    Attributes:
        missing_since: Since when the status doesn't come back, by the monotonic clock; None if it does.
        is_impossible: Set while the broker closes the connection for our status: it isn't one that drops in silence.
        lost_probe: Whether a status was under way, unacknowledged, when the last connection ended.
        mended: Set when it comes back after it didn't, until what is stored is sent again.
    """

    def __init__(self, link: EchoLink, topic: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.missing_since: float | None = None
        self.mended = False
        self.is_impossible = False
        self.lost_probe = False
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
        self._logged_at = -math.inf

    @property
    def is_on(self) -> bool:
        """Whether acknowledgements on the present connection are checked."""
        return self._link.acknowledges_blindly and self._link.echo.state != "off" and not self.is_impossible

    @property
    def is_probing(self) -> bool:
        """Whether a status is under way that the broker hasn't acknowledged."""
        return self._token is not None and self._acknowledged_at == math.inf

    @property
    def holds_backlog(self) -> bool:
        """Whether what was stored before the connection has to wait: nothing has come back yet, or nothing does."""
        return self.is_on and (self._is_waiting or self.missing_since is not None)

    @property
    def held(self) -> Iterable[int]:
        """Sequences of events that are acknowledged, and wait for the status behind them."""
        return self._held

    def begin(self) -> None:
        """Note that there is another connection."""
        self.lost_probe = self.lost_probe or self.is_probing
        self._held.clear()
        self._forget_probe()
        self._is_waiting = True
        self._due = 0.0
        if not self.is_on:
            self.missing_since = None

    def may_send(self) -> bool:
        """Whether new events may be sent now; asked when there are some."""
        if not self.is_on:
            return True
        now = self._monotonic()
        if self.missing_since is None:
            return now < self._acknowledged_at + DOUBT_S
        is_patient = now < self.missing_since + PATIENCE_S
        if not is_patient and self._token is None and now < self._missed_at + STILL_MISSING_S:
            return True
        self._due = min(self._due, now)
        return False

    def status(self, payload: bytes) -> None:
        """Note what our status is; it is what is published again."""
        self._status = payload

    def acknowledged(self, token: int) -> None:
        """Note that the broker has acknowledged a publication, maybe the status."""
        if token == self._token:
            self._acknowledged_at = self._monotonic()

    def count(self, sequences: list[int]) -> list[int]:
        """Take events that were acknowledged; returns those that count as delivered by that alone."""
        if not self.is_on:
            return sequences
        if self.missing_since is None:
            self._held.extend(sequences)
        return []

    def turn(self, *, may_probe: bool = True) -> list[int]:
        """See what has come back, and publish the status if it is time; returns the events that count as delivered."""
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
            instance = _instance(payload)
            if instance == _instance(self._status):
                self._knows_itself = True
            elif self._knows_itself and self._status:
                self._link.rival_seen()
        return delivered

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
        """The status didn't come back: what was acknowledged since it last did counts as nothing."""
        if self.missing_since is None:
            self.missing_since = now
        self._held.clear()
        self._forget_probe()
        self._missed_at, self._due = now, now + self._delay_s
        self._delay_s = min(2 * self._delay_s, IDLE_PROBE_S)
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
    state: str
    instance: str | None = None


def _instance(payload: bytes) -> str | None:
    """Which service has published a status; None if it doesn't say so."""
    try:
        return msgspec.json.decode(payload, type=_Status).instance
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
