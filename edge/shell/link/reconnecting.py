"""Reconnecting: why a connection ended, the pause before the next one, and whether another client uses the same ID.

A broker accepts one client per ID. A second client displaces the first, which reconnects and displaces the second. With
MQTT 5 a broker should report this (DISCONNECT, reason 0x8E); mosquitto 2.0.11 and all MQTT 3.1.1 brokers only close the
connection. Several consecutive accepted connections that the broker closed soon are suspicious. Proof is a message of
another service on the service's own status topic.

Source: MQTT 5.0, section 3.1.4, MQTT-3.1.4-3; MQTT 3.1.1, MQTT-3.1.4-2.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt.client import error_string
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.link_options import LinkOptions

log = logging.getLogger("edgewarden.link")

ACCEPTED_S = 10.0
"""Maximum delay before the next attempt after an accepted connection, however short."""

SESSION_TAKEN_OVER = 0x8E

NOT_OUR_DOING = frozenset({0x00, 0x04, 0x89, 0x8B, 0x8D, 0x8E, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
"""DISCONNECT reasons that don't concern a publication: the server's own, the keepalive's, another client's."""

SOON_S = 30.0
"""A connection closed by the broker within this time was closed soon."""

CLOSED_IN_A_ROW = 4
"""Number of those, without a failed attempt in between, that indicate another client with the same ID."""

CALM_S = 300.0
"""A connection that lasts this long shows that the other client has gone."""

LONGEST_SUSPECTED_S = 30.0
"""Maximum pause while another client is only suspected, since the network may be bad instead."""


class Ending(NamedTuple):
    """The end of a connection.

    Attributes:
        words: The reason in words.
        taken_over: Whether the broker reported that another client took over the session.
        by_broker: Whether the broker closed it without a reason.
        for_reason: Whether the broker gave a reason that may concern a publication.
    """

    words: str
    taken_over: bool = False
    by_broker: bool = False
    for_reason: bool = False


def ending_of(said: ReasonCode | None, error: OSError | None, code: MQTTErrorCode) -> Ending:
    """The facts about the end of a connection.

    Args:
        said: Reason of the broker's DISCONNECT, if it sent one.
        error: The error that ended reading from the socket, if any.
        code: Return code of paho's loop.
    """
    if said is not None:
        is_taken_over = said.value == SESSION_TAKEN_OVER
        return Ending(str(said), taken_over=is_taken_over, for_reason=said.value not in NOT_OUR_DOING)
    if error is not None:
        is_closed = error.errno is None or isinstance(error, ConnectionResetError)
        return Ending(error.strerror or str(error), by_broker=is_closed)
    # A loss without a read error was detected when writing to a connection closed by the broker.
    return Ending(error_string(code).rstrip("."), by_broker=code == MQTTErrorCode.MQTT_ERR_CONN_LOST)


class Reconnecting:
    """Decides on pauses between connections; for the network thread, except for the information about another client.

    Args:
        options: Minimum and maximum pause, and the client ID.
        monotonic: Seconds that never step.

    Attributes:
        takeovers: Number of connections certainly ended by another client.
        suspicions: Number of connections possibly ended by another client.
        closed_by_broker: Why the broker closed the last connection, in words; empty if it didn't, or if the cause can't
            be a publication.
    """

    def __init__(self, options: LinkOptions, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._monotonic = monotonic
        self._delay_s = options.first_delay_s
        self._closed_soon = 0
        self._in_a_row = 0
        self._rival_at: float | None = None
        self._certain_at: float | None = None
        self.takeovers = 0
        self.suspicions = 0
        self.closed_by_broker = ""

    @property
    def has_rival(self) -> bool:
        """Whether another client seems to have used the same ID within the last `CALM_S` seconds."""
        return self._is_recent(self._rival_at)

    def ended(self, ending: Ending, stood_s: float, *, after_publication: bool = True) -> None:
        """Record the end of an accepted connection.

        Args:
            ending: The facts about its end.
            stood_s: Duration of the connection in seconds.
            after_publication: Whether it ended so soon after a publication that this may be the cause.
        """
        may_be_ours = ending.for_reason or (ending.by_broker and after_publication)
        self.closed_by_broker = ending.words if may_be_ours else ""
        if stood_s >= CALM_S:
            self._in_a_row = 0
        self._closed_soon = self._closed_soon + 1 if ending.by_broker and stood_s < SOON_S else 0
        # A known rival also explains a connection that is closed late, because its own pauses grow as well.
        if ending.taken_over or (ending.by_broker and self._is_recent(self._certain_at)):
            self._note_rival(certain=True)
        elif self._closed_soon >= CLOSED_IN_A_ROW or (ending.by_broker and self.has_rival):
            self._note_rival(certain=False)

    def explained(self) -> None:
        """Record that the broker closes connections because of publications and not because of a rival; thread-safe."""
        self._closed_soon = 0

    def rival_seen(self) -> None:
        """Record that another client has certainly been connected in this one's place; thread-safe."""
        if not self._is_recent(self._certain_at):
            self._note_rival(certain=True)

    def _note_rival(self, *, certain: bool) -> None:
        self._rival_at = self._monotonic()
        self._in_a_row += 1
        if certain:
            self._certain_at = self._rival_at
            self.takeovers += 1
        else:
            self.suspicions += 1
        log.error(
            "client_id_in_use id=%r count=%d: another client %s this id and takes messages that are ours; two gateways"
            " need different names",
            self._options.client_id,
            self.takeovers + self.suspicions,
            "uses" if certain else "seems to use",
        )

    def _is_recent(self, moment: float | None) -> bool:
        return moment is not None and self._monotonic() - moment < CALM_S

    def pause_s(self, stood_s: float) -> float:
        """The pause before the next attempt, in seconds; to be called once per attempt, after `ended()`.

        Args:
            stood_s: Duration of the last connection in seconds; 0 if the attempt failed.
        """
        options = self._options
        if stood_s == 0.0:
            self._closed_soon = 0
        longest_s = min(options.longest_delay_s, ACCEPTED_S) if stood_s else options.longest_delay_s
        self._delay_s = options.first_delay_s if stood_s >= self._delay_s else min(self._delay_s, longest_s)
        pause_s = self._delay_s * random.uniform(0.25, 1.0)
        self._delay_s = min(2 * self._delay_s, longest_s)
        if self._in_a_row and self.has_rival:
            longest_s = options.longest_delay_s
            if not self._is_recent(self._certain_at):
                longest_s = min(longest_s, LONGEST_SUSPECTED_S)
            longest_s = min(longest_s, options.first_delay_s * 2.0 ** min(self._in_a_row, 30))
            pause_s = max(pause_s, longest_s * random.uniform(0.5, 1.0))
        return pause_s
