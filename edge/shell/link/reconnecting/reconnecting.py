"""Reconnecting: the pause before the next connection, and whether another client uses the same ID.

A broker accepts one client per ID. A second client displaces the first, which reconnects and displaces the second. With
MQTT 5 a broker should report this (DISCONNECT, reason 0x8E); mosquitto 2.0.11 and all MQTT 3.1.1 brokers only close the
connection, and so does a bad network. There are two proofs: that report, and a message of another service on the
service's own status topic. A suspicion needs more than closed connections: another connection over the same network,
with a different ID, has to outlast several of them.

Source: MQTT 5.0, section 3.1.4, MQTT-3.1.4-3; MQTT 3.1.1, MQTT-3.1.4-2.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import Protocol

from edge.shell.link.link_options import LinkOptions
from edge.shell.link.reconnecting.connection_end import ConnectionEnd

log = logging.getLogger("edgewarden.link")

ACCEPTED_S = 10.0
"""Maximum delay before the next attempt after an accepted connection, however short."""

UNANSWERED_S = 5.0
"""The same after an attempt that no broker has answered: it may be back at any moment, and attempts cost nothing."""

REFUSED_S = 30.0
"""The same after one that the broker has refused: it may ban whoever tries too often."""

SOON_S = 90.0
"""A connection closed by the broker within this time was closed soon."""

CLOSED_IN_A_ROW = 2
"""Number of those, without a failed attempt in between, after which another connection is made for comparison."""

OUTLASTED = 3
"""Number of those that the other connection must outlast, in a row, for another client with the same ID to be
suspected."""

ANSWERED_S = 1.0
"""Minimum time in which the other connection may answer."""

CALM_S = 300.0
"""A connection that lasts this long shows that the other client has gone."""

LONGEST_SUSPECTED_S = 30.0
"""Maximum pause while another client is only suspected."""


class Compared(Protocol):
    """The part of a `ComparedConnection` that is used here."""

    @property
    def answered(self) -> int:
        """Number of the connection, which changes with each new one; 0 if it hasn't answered."""

    def ask(self) -> None:
        """Ask for an answer, and make a connection if there is none."""

    def stop(self) -> None:
        """End the connection."""


class Reconnecting:
    """Decides on pauses between connections; for the network thread, except for the information about another client.

    Args:
        options: Minimum and maximum pause, and the client ID. The maximum is reached only because of another client.
        comparison: Another connection; None if there can be none, in which case nothing is suspected.
        monotonic: Seconds that never step.
        on_rival: Called whenever another client seems to have used the session.

    Attributes:
        takeovers: Number of connections certainly ended by another client.
        suspicions: Number of connections possibly ended by another client.
        closed_by_broker: Why the broker closed the last connection, in words; empty if it didn't, or if the cause can't
            be a publication.
    """

    def __init__(
        self,
        options: LinkOptions,
        comparison: Compared | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        on_rival: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_rival = on_rival
        self._options = options
        self._comparison = comparison
        self._monotonic = monotonic
        self._delay_s = options.first_delay_s
        self._closed_soon = 0
        self._outlasted = 0
        self._compared_with = 0
        self._is_comparing = self._is_asked = False
        self._in_a_row = 0
        self._rival_at: float | None = None
        self._certain_at: float | None = None
        self._is_seen = self._is_refused = False
        self.takeovers = 0
        self.suspicions = 0
        self.closed_by_broker = ""

    @property
    def has_rival(self) -> bool:
        """Whether another client seems to have used the same ID within the last `CALM_S` seconds."""
        return self._is_recent(self._rival_at)

    @property
    def is_certain(self) -> bool:
        """Whether it has certainly done so, and isn't only suspected."""
        return self._is_recent(self._certain_at)

    def ended(
        self, ending: ConnectionEnd, stood_s: float, *, after_publication: bool = True, is_settled: bool = True
    ) -> None:
        """Record the end of an accepted connection.

        Args:
            ending: The facts about its end.
            stood_s: Duration of the connection in seconds.
            after_publication: Whether it ended so soon after a publication that this may be the cause.
            is_settled: Whether all subscriptions and publications had been accepted; otherwise they may be the cause,
                and the end doesn't count.
        """
        may_be_ours = ending.for_reason or (ending.by_broker and after_publication)
        self.closed_by_broker = ending.words if may_be_ours else ""
        self._is_seen = False
        if stood_s >= CALM_S:
            self._in_a_row = 0
        # A rival also explains a connection that is closed late, because its own pauses grow as well.
        is_suspicious = ending.by_broker and (stood_s < SOON_S or self.has_rival)
        if is_suspicious and not is_settled:
            return  # no evidence either way: in a stream of publications there is always one that isn't confirmed yet
        self._closed_soon = self._closed_soon + 1 if is_suspicious else 0
        if ending.taken_over:
            self._note_rival(certain=True)
        elif self._closed_soon < CLOSED_IN_A_ROW:
            self._outlasted = 0
        elif self._comparison is not None:
            self._is_comparing = self._is_asked = True
            self._comparison.ask()

    def compare(self) -> None:
        """Find out whether the other connection has outlasted ours; to be called after the pause that follows."""
        if self._comparison is None or not self._is_asked:
            return
        self._is_asked, before, self._compared_with = False, self._compared_with, self._comparison.answered
        if self._closed_soon < CLOSED_IN_A_ROW or not before or self._compared_with != before:
            self._outlasted = 0
            return
        self._outlasted += 1
        if self._outlasted >= OUTLASTED:
            self._note_rival(certain=False)

    def stands(self, since_s: float) -> None:
        """Record that a connection has lasted for some seconds: the other one may not be needed any more."""
        if self._is_comparing and since_s >= (CALM_S if self.has_rival else SOON_S):
            self.end()

    def end(self) -> None:
        """End the other connection, if there is one."""
        self._is_comparing, self._compared_with = False, 0
        if self._comparison is not None:
            self._comparison.stop()

    def refused(self) -> None:
        """Record that the broker has refused the connection."""
        self._is_refused = True

    def explained(self) -> None:
        """Record that the broker closes connections because of publications and not because of a rival; thread-safe."""
        self._closed_soon = 0

    def rival_seen(self) -> None:
        """Record that another client has certainly been connected in this one's place; thread-safe."""
        if not self._is_seen:
            self._is_seen = True
            self._note_rival(certain=True)

    def _note_rival(self, *, certain: bool) -> None:
        self._rival_at = self._monotonic()
        self._in_a_row += 1
        self._on_rival()
        if certain:
            self._certain_at = self._rival_at
            self.takeovers += 1
        else:
            self.suspicions += 1
        log.error(
            "client_id_in_use id=%r count=%d: %s; two gateways need different names",
            self._options.client_id,
            self.takeovers + self.suspicions,
            "another client uses this id and takes messages that are ours"
            if certain
            else "another client may be using this id, since the broker closes our connections and keeps another one",
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
        bound_s = ACCEPTED_S if stood_s else REFUSED_S if self._is_refused else UNANSWERED_S
        self._is_refused, longest_s = False, min(options.longest_delay_s, bound_s)
        self._delay_s = options.first_delay_s if stood_s >= self._delay_s else min(self._delay_s, longest_s)
        pause_s = self._delay_s * random.uniform(0.25, 1.0)
        self._delay_s = min(2 * self._delay_s, longest_s)
        if self._in_a_row and self.has_rival:
            longest_s = options.longest_delay_s
            if not self.is_certain:
                longest_s = min(longest_s, LONGEST_SUSPECTED_S)
            longest_s = min(longest_s, options.first_delay_s * 2.0 ** min(self._in_a_row, 30))
            pause_s = max(pause_s, longest_s * random.uniform(0.5, 1.0))
        return max(pause_s, ANSWERED_S) if self._is_asked else pause_s
