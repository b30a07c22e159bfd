"""The open pages, each with a bounded queue of messages.

News is collected for `GATHER_S` and then sent to all tabs at once, so that a flood of events costs one message per tab
and not one per event. A page that can't keep up gets a message about it once it reads again, and is then closed: it
reconnects by itself and reloads everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from edge.core.incidents.events.event import Event
from edge.page.loop.handover import Handover
from edge.page.loop.observing import SensorRows
from edge.page.views.incidents import incident_row

GATHER_S = 0.2
MOST_TOGETHER = 100
"""Maximum number of incidents sent individually; for more at once, only a note that the list has changed."""

MOST_PAGES = 32
WAITING_BYTES = 256 * 1024
"""Capacity of one page's queue."""

BEHIND = b"event: behind\ndata: {}\n\n"
ALIVE = b"event: alive\ndata: {}\n\n"
ALIVE_S = 15.0
"""Interval of keep-alive messages, by which both ends detect a dead connection; they are events, as scripts don't see
comments."""


def message(event: str, data: Any) -> bytes:
    """Encode a server-sent event; JSON contains no line breaks."""
    return b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


class Tab:
    """One open page.

    Args:
        sensor: The sensor that it shows, or None.
    """

    def __init__(self, sensor: str | None) -> None:
        self.sensor = sensor
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_behind = False
        self._ended = False
        self._news = asyncio.Event()

    def tell(self, content: bytes) -> None:
        """Queue a message; if the queue is full, only a note that the page is behind."""
        if self._is_behind:
            return
        if self._size + len(content) > WAITING_BYTES:
            self._is_behind = True
            self._waiting.clear()
            content = BEHIND
        self._waiting.append(content)
        self._size += len(content)
        self._news.set()

    def end(self) -> None:
        """End it because the service ends."""
        self._ended = True
        self._news.set()

    async def next(self) -> bytes | None:
        """The next message to send, or a keep-alive; None at the end."""
        if not self._waiting and (self._is_behind or self._ended):
            return None
        try:
            await asyncio.wait_for(self._news.wait(), ALIVE_S)
        except TimeoutError:
            return ALIVE
        content = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._news.clear()
        if self._ended or self._is_behind:
            self._news.set()
        return content or None


class Audience:
    """All open pages.

    Args:
        handover: The source of news while a page is open.
        on_change: Called when incidents have changed.
    """

    def __init__(self, handover: Handover, on_change: Callable[[], None]) -> None:
        self._handover, self._on_change = handover, on_change
        self._tabs: set[Tab] = set()
        self._events: dict[str, Event] = {}
        self._rows: dict[str, SensorRows] = {}
        self._open = 0
        self._gathering: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Their number."""
        return len(self._tabs)

    @property
    def is_full(self) -> bool:
        """Whether the maximum number of pages is open."""
        return len(self._tabs) >= MOST_PAGES

    def join(self, tab: Tab) -> None:
        """Send news to a page from now on."""
        self._tabs.add(tab)
        self._listen()

    def leave(self, tab: Tab) -> None:
        """Stop sending news to a page."""
        self._tabs.discard(tab)
        self._listen()

    def end(self) -> None:
        """End all pages."""
        for each in self._tabs:
            each.end()

    def _listen(self) -> None:
        watched = frozenset(each.sensor for each in self._tabs if each.sensor is not None)
        self._handover.listen(self if self._tabs else None, watched)

    def events(self, events: Sequence[Event], open_incidents: int) -> None:
        """See `Listener`."""
        self._open = open_incidents
        self._on_change()
        for each in events:
            if each.sensor:  # not a gap, nor sensors that were found or forgotten
                self._events[each.sensor] = each
        self._gather()

    def readings(self, rows: dict[str, SensorRows]) -> None:
        """See `Listener`."""
        for name, its_rows in rows.items():
            self._rows.setdefault(name, []).extend(its_rows)
        self._gather()

    def _gather(self) -> None:
        if self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._tell)

    def _tell(self) -> None:
        self._gathering = None
        events, self._events = self._events, {}
        rows, self._rows = self._rows, {}
        if events:
            many = len(events) > MOST_TOGETHER
            changed = [] if many else [incident_row(each) for each in events.values()]
            news = message("incidents", {"open": self._open, "many": many, "rows": changed})
            for tab in self._tabs:
                tab.tell(news)
        for name, its_rows in rows.items():
            news = message("readings", {"sensor": name, "rows": its_rows})
            for tab in self._tabs:
                if tab.sensor == name:
                    tab.tell(news)
