"""The state of a Sparkplug host application: informs nodes that wait for their primary host.

It has its own connection because it needs its own last will: the broker publishes that the host is offline when the
connection breaks. A connection begins with a clean session and subscribes to the host's own state; once births and data
are subscribed to as well, it publishes that the host is online, with the timestamp of the will.

Source: Sparkplug 3.0.0, sections 4.3 (STATE), 5.3 (host application session establishment) and 6.4.21.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, Subscription

log = logging.getLogger("edgewarden.sparkplug")

LOOK_S = 0.2
"""How often the state is checked for changes."""

AGAIN_S = 1.0
"""Minimum interval for correcting a state that another client has published in the host's name."""

GOODBYE_S = 2.0
"""Maximum wait for the broker when the host goes offline."""


class Host(NamedTuple):
    """A Sparkplug host application.

    Attributes:
        name: Its host ID.
        options: The settings of its broker connection.
    """

    name: str
    options: LinkOptions


def state_payload(*, online: bool, at: float) -> bytes:
    """The payload of a state; `at` in seconds since the epoch, UTC."""
    return msgspec.json.encode({"online": online, "timestamp": int(at * 1000)})


class HostState:
    """Publishes the state of one host application, in its own thread.

    Args:
        host: The host application.
        listening: Returns whether births and data are subscribed to; called in the thread.
        clock: The current time, in seconds since the epoch, UTC.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        host: Host,
        listening: Callable[[], bool],
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = host.name
        self._topic = f"spBv1.0/STATE/{host.name}"
        self._listening = listening
        self._clock = clock
        self._monotonic = monotonic
        self._will_at = 0.0
        options = replace(host.options, clean_session=True, will=self._will)
        self._link = Link(options, [Subscription(self._topic, 1)], clock)
        self._connection = 0
        self._published: bool | None = None  # the last state that nodes have received on this connection
        self._unconfirmed: int | None = None  # the token of the last state, until the broker has confirmed it
        self._unheard: bytes | None = None  # the payload of the last state, until the broker has sent it back
        self._not_before = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgewarden-sparkplug-host", daemon=True)

    def start(self) -> None:
        """Connect, and publish that the host is online once it is."""
        self._link.start()
        self._thread.start()

    def stop(self) -> None:
        """Publish that the host is offline, and disconnect."""
        self._ending.set()
        self._thread.join(GOODBYE_S)
        if self._published:
            self._say(online=False, at=self._clock())
        until = self._monotonic() + GOODBYE_S
        # Closing a socket before all of it is read, the PUBACK and our own state, resets it: the broker may miss the
        # DISCONNECT and publish the will, whose timestamp is earlier than that of the last state. That state may be
        # one that the thread has published just before, because births and data are no longer subscribed to.
        while not (self._unconfirmed is None and self._unheard is None) and self._monotonic() < until:
            self._take()
        self._link.stop(GOODBYE_S)

    def turn(self) -> None:
        """Publish the state if it wasn't published on this connection yet, or if another client has overwritten it."""
        link = self._link
        taken = self._take()
        number = link.connections
        if not (link.connected and link.wait_subscribed(0) and number == link.connections):
            return
        if number != self._connection:
            self._connection, self._published, self._unconfirmed, self._unheard = number, None, None, None
        is_there = self._listening()
        if self._published and any(_says_offline(each.payload) for each in taken):
            self._published = False
        if self._published is None:
            if is_there:
                self._say(online=True, at=self._will_at)
        elif self._published != is_there and self._monotonic() >= self._not_before:
            self._say(online=is_there, at=self._clock())

    def _take(self) -> list[Message]:
        """Received messages, waiting for some; notes whether the broker has confirmed and sent back the last state."""
        taken = self._link.receive(LOOK_S)
        self._link.acknowledge(taken)
        if self._unconfirmed in self._link.confirmations():
            self._unconfirmed = None
        if any(each.payload == self._unheard for each in taken):
            self._unheard = None
        return taken

    def _will(self) -> tuple[str, bytes]:
        """The last will of the next connection."""
        self._will_at = self._clock()
        return self._topic, state_payload(online=False, at=self._will_at)

    def _say(self, *, online: bool, at: float) -> None:
        """Publish a state, unless there is no room or the connection was replaced: then the next turn retries."""
        payload = state_payload(online=online, at=at)
        token = self._link.publish(self._topic, payload, retain=True)
        if token is None:
            return
        self._published, self._unconfirmed, self._unheard = online, token, payload
        self._not_before = self._monotonic() + AGAIN_S
        log.info("sparkplug_host host_id=%r online=%s", self._name, str(online).lower())

    def _run(self) -> None:
        while not self._ending.is_set():
            self.turn()


class HostStates:
    """Publishes the states of all configured host applications.

    Args:
        listening: Returns whether births and data are subscribed to.
        clock: The current time, in seconds since the epoch, UTC.
    """

    def __init__(self, listening: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._listening = listening
        self._clock = clock
        self._states: dict[Host, HostState] = {}

    def follow(self, hosts: Sequence[Host]) -> None:
        """Publish the states of these hosts from now on, and that others are offline."""
        self._stop([each for each in self._states if each not in hosts])
        for host in hosts:
            if host not in self._states:
                self._states[host] = state = HostState(host, self._listening, self._clock)
                state.start()

    def close(self) -> None:
        """Publish that all hosts are offline."""
        self._stop(list(self._states))

    def _stop(self, hosts: Iterable[Host]) -> None:
        for host in hosts:
            self._states.pop(host).stop()


def _says_offline(payload: bytes) -> bool:
    try:
        content = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("online") is False
