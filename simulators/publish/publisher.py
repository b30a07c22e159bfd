"""Publishing at a pace: each message is sent at its plant time, and the run ends when all are confirmed.

Plant time runs `speed` times as fast as the wall clock, starting at its origin. Late messages are sent at once, to
catch up after delays of the broker or network. A message of QoS 1 is kept until its PUBACK; after a reconnection,
unconfirmed messages are sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from simulators.publish.payloads import Publication

SHORTEST_S, LONGEST_S = 0.0002, 0.05
"""Initial and maximum wait for room in the link's window."""

GLANCE_S = 0.2
"""Maximum sleep, so that a request to stop is noticed."""

PUNCTUAL_S = 0.001
"""Messages due within this time are sent now."""

PARTING_S = 5.0
"""Timeout after a request to stop."""

COLLECT_AT = 16
"""Number of unconfirmed messages at which confirmations are collected."""


class PublishingOutlet(Protocol):
    """The part of `edge.shell.link.Link` that a publisher uses."""

    @property
    def alive(self) -> bool:
        """Whether its network thread works."""

    @property
    def connections(self) -> int:
        """Number of connections so far."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int | None:
        """Send; returns a token, or None if that isn't possible now."""

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has arrived."""


class PublishError(Exception):
    """The broker doesn't accept publications; the message gives the reason or the duration."""


@dataclass(frozen=True)
class PublishingPace:
    """The speed of publishing.

    Attributes:
        speed: Seconds of plant time per second; 0 for as fast as possible.
        origin: Plant time at the start, seconds since the epoch, UTC.
        limit_s: Maximum duration in real seconds; infinity for no limit.
        patience_s: Seconds without progress after which to give up.
    """

    speed: float
    origin: float
    limit_s: float = float("inf")
    patience_s: float = 60.0


class PublishedCount(NamedTuple):
    """The published and confirmed messages.

    Attributes:
        readings: Number of readings.
        messages: Number of messages with readings.
        last: Plant time of the last reading, or None if there was none.
    """

    readings: int
    messages: int
    last: float | None


class PacedPublisher:
    """Publishes messages through a link.

    Args:
        link: Link to publish on, started by the caller.
        clock: Seconds of a monotonic clock, such as `time.monotonic`.
        sleep: Waits for a number of seconds.
        pace: The speed.
        qos: Quality of service of readings, 0 or 1; the truth is always published with 1.
        stopped: Set to end early.
    """

    def __init__(
        self,
        link: PublishingOutlet,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        pace: PublishingPace,
        *,
        qos: int = 1,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._link = link
        self._clock = clock
        self._sleep = sleep
        self._pace = pace
        self._qos = qos
        self._stopped = stopped
        self._in_hand: dict[tuple[int, int], Publication] = {}
        self._began: float | None = None
        self._sent = PublishedCount(0, 0, None)

    def run(self, publications: Iterable[Publication]) -> PublishedCount:
        """Publish messages at their times, until there are no more or a stop is requested.

        May be called again; the pace continues.

        Returns:
            The total published by all calls so far.

        Raises:
            PublishError: The broker accepted nothing for `patience_s`, or the link is dead.
        """
        for publication in publications:
            if not self._await_turn(publication.time):
                break
            self._publish(publication)
            if publication.readings:
                readings, messages, _ = self._sent
                self._sent = PublishedCount(readings + publication.readings, messages + 1, publication.time)
        return self._sent

    def tell(self, publication: Publication) -> None:
        """Publish a message at once, even after a request to stop.

        Raises:
            PublishError: The broker accepted nothing for `patience_s`, or the link is dead.
        """
        self._publish(publication)

    def finish(self) -> None:
        """Wait until everything is confirmed.

        Raises:
            PublishError: No confirmation came for `patience_s`, or the link is dead.
        """
        waiting = self._patience("confirmed nothing")
        while self._in_hand:
            before = len(self._in_hand)
            self._collect()
            if len(self._in_hand) < before:
                waiting = self._patience("confirmed nothing")
            elif self._in_hand:
                waiting.wait()

    def _await_turn(self, time: float) -> bool:
        now = self._clock()
        if self._began is None:
            self._began = now
        due = self._began + (time - self._pace.origin) / self._pace.speed if self._pace.speed else now
        end = self._began + self._pace.limit_s
        while not self._stopped() and now < end:
            if due - now < PUNCTUAL_S:
                return True
            self._collect()
            self._sleep(min(due - now, end - now, GLANCE_S))
            now = self._clock()
        return False

    def _publish(self, publication: Publication) -> None:
        qos = self._qos if publication.readings else 1
        waiting: _Patience | None = None
        while True:
            # Read before publishing: if the connection changes in between, the message is considered lost and sent
            # twice; in the other order its confirmation could be awaited forever.
            connection = self._link.connections
            token = self._link.publish(publication.topic, publication.payload, qos=qos)
            if token is not None:
                break
            waiting = waiting or self._patience("took nothing")
            waiting.wait()
            self._collect()
        if qos:
            self._in_hand[connection, token] = publication
        if len(self._in_hand) >= COLLECT_AT:
            self._collect()

    def _collect(self) -> None:
        connection = self._link.connections
        for token in self._link.confirmations():
            self._in_hand.pop((connection, token), None)
        for key in [each for each in self._in_hand if each[0] != connection]:
            self._publish(self._in_hand.pop(key))

    def _patience(self, complaint: str) -> _Patience:
        limit_s = min(self._pace.patience_s, PARTING_S) if self._stopped() else self._pace.patience_s
        return _Patience(self._link, self._clock, self._sleep, limit_s, complaint)


class _Patience:
    """Waits in increasing steps, and finally gives up."""

    def __init__(
        self,
        link: PublishingOutlet,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        limit_s: float,
        complaint: str,
    ) -> None:
        self._link = link
        self._clock = clock
        self._sleep = sleep
        self._limit_s = limit_s
        self._complaint = complaint
        self._since = clock()
        self._step = SHORTEST_S

    def wait(self) -> None:
        """Sleep for one step.

        Raises:
            PublishError: The patience is exhausted, or the link is dead.
        """
        if not self._link.alive:
            raise PublishError("the network thread has died")
        waited = self._clock() - self._since
        if waited >= self._limit_s:
            raise PublishError(f"the broker {self._complaint} for {waited:.0f} s")
        self._sleep(self._step)
        self._step = min(2 * self._step, LONGEST_S)
