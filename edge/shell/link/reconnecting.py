"""Reconnecting: why a connection ended, how long to wait before the next one, and whether another client uses our id.

A broker lets one client of an id in. A second one throws the first out, which comes back and throws out the second.
With MQTT 5 a broker should say so (DISCONNECT, reason 0x8E); mosquitto 2.0.11 and every MQTT 3.1.1 broker only close
the connection. Several accepted connections in a row that the broker closed soon after are suspicious. Certain is what
our own status topic shows, if it holds the word of another service.

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
"""After a connection that was accepted, however short, the next attempt comes within this time."""

SESSION_TAKEN_OVER = 0x8E

NOT_OUR_DOING = frozenset({0x00, 0x04, 0x89, 0x8B, 0x8D, 0x8E, 0x98, 0x9C, 0x9D, 0x9F, 0xA0})
"""Reasons of a DISCONNECT that say nothing about a publication: the server's own, the keepalive's, another client's."""

SOON_S = 30.0
"""A connection that the broker closed within this time was closed soon."""

CLOSED_IN_A_ROW = 4
"""So many of those, with no failed attempt in between, are taken for another client with our id."""

CALM_S = 300.0
"""A connection that has lasted this long shows that the other client has gone."""

LONGEST_SUSPECTED_S = 30.0
"""The longest pause while another client is suspected only: it may as well be a bad network."""


class Ending(NamedTuple):
    """The end of a connection.

    Attributes:
        words: Why, for a person.
        taken_over: Whether the broker said that another client has taken the session over.
        by_broker: Whether the broker closed it without a reason.
        for_reason: Whether the broker gave a reason that may lie with a publication.
    """

    words: str
    taken_over: bool = False
    by_broker: bool = False
    for_reason: bool = False


def ending_of(said: ReasonCode | None, error: OSError | None, code: MQTTErrorCode) -> Ending:
    """The facts about the end of a connection.

    Args:
        said: The reason of a DISCONNECT that the broker sent, if it did.
        error: The error that ended reading from the socket, if any.
        code: The return code of paho's loop.
    """
    if said is not None:
        is_taken_over = said.value == SESSION_TAKEN_OVER
        return Ending(str(said), taken_over=is_taken_over, for_reason=said.value not in NOT_OUR_DOING)
    if error is not None:
        is_closed = error.errno is None or isinstance(error, ConnectionResetError)
        return Ending(error.strerror or str(error), by_broker=is_closed)
    # What is lost without an error of reading was found out by writing to a connection that the broker had closed.
    return Ending(error_string(code).rstrip("."), by_broker=code == MQTTErrorCode.MQTT_ERR_CONN_LOST)


class Reconnecting:
    """Decides on pauses between connections; for the network thread, but for what it says of a rival.

    Args:
        options: The shortest and longest pause, and the client id.
        monotonic: Seconds that never step.

    Attributes:
        takeovers: Number of connections certainly ended by another client.
        suspicions: Number of connections possibly ended by another client.
        closed_by_broker: Why the broker has closed the last connection, in words; empty if it wasn't the broker, or
            the reason can't lie with what was published.
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
        """Whether another client seems to have used our id within the last `CALM_S` seconds."""
        return self._is_recent(self._rival_at)

    def ended(self, ending: Ending, stood_s: float) -> None:
        """Note the end of a connection that the broker had accepted.

        Args:
            ending: The facts about its end.
            stood_s: For how long it had stood, in seconds.
        """
        self.closed_by_broker = ending.words if ending.by_broker or ending.for_reason else ""
        if stood_s >= CALM_S:
            self._in_a_row = 0
        self._closed_soon = self._closed_soon + 1 if ending.by_broker and stood_s < SOON_S else 0
        # A rival that was seen explains a connection that is closed later, too: its own pauses grow as ours do.
        if ending.taken_over or (ending.by_broker and self._is_recent(self._certain_at)):
            self._note_rival(certain=True)
        elif self._closed_soon >= CLOSED_IN_A_ROW or (ending.by_broker and self.has_rival):
            self._note_rival(certain=False)

    def explained(self) -> None:
        """Note that the broker closes connections for what we publish, and for no rival; safe in any thread."""
        self._closed_soon = 0

    def rival_seen(self) -> None:
        """Note that another client has certainly been connected in our place; safe in any thread."""
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
            stood_s: For how long the last connection had stood; 0 if the attempt failed.
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
