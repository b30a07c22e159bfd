"""Connections: limits for clients that send no request, or send it slowly.

A client owes a request from the moment it connects, and again from the end of each answer. The request has to be
complete, head and body, within `REQUEST_S`, however many bytes of it have come. If the maximum of connections is
reached, a new one takes the place of the one that has owed its request for longest, so that idle clients can't keep
others out.

Sources: RFC 9112, 9.5; CWE-400 ("slowloris").
"""

from __future__ import annotations

import asyncio
import logging
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger("edgewarden.page")

MOST_CONNECTIONS = 128
REQUEST_S = 20.0
"""Maximum time for a whole request, from the connection or from the end of the last answer."""


class PageConnection(H11Protocol):
    """A connection of which the client must make use.

    Attributes:
        owes_since: The event loop's time since which the client owes a request; None while it doesn't.
    """

    owes_since: float | None = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._note_debt()
        if len(self.connections) > MOST_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle received data; afterwards the request is complete, or part of it is still missing."""
        super().handle_events()
        self._note_debt()

    def _note_debt(self) -> None:
        owes = self.conn.their_state in {h11.IDLE, h11.SEND_BODY}
        if not owes or self.transport.is_closing():
            self._stop_waiting()
        elif self._timer is None:
            self.owes_since = self.loop.time()
            self._timer = self.loop.call_later(REQUEST_S, self.cut)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.owes_since = None

    def _make_room(self) -> None:
        others = [cast("PageConnection", each) for each in self.connections if each is not self]
        waiting = [each for each in others if each.owes_since is not None]
        if waiting:
            oldest = min(waiting, key=lambda each: each.owes_since or 0.0)
            address = oldest.client[0] if oldest.client is not None else ""
            log.warning("connection_cut address=%r reason='too many connections'", address)
            oldest.cut()

    def cut(self) -> None:
        """End it at once."""
        self._stop_waiting()
        self.connections.discard(self)  # now, so that those who count them next don't count this one
        self.transport.abort()
