"""The open pages, each with a bounded queue of messages.

News are gathered for `GATHER_S` and then told to all at once, so that a flood of events costs a message a tab and not
a message an event. A page that can't keep up gets a message about it once it can read again, and is then closed: it
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
"""Incidents that are sent one by one; for more at once, only a note that the list has changed."""

MOST_PAGES = 32
WAITING_BYTES = 256 * 1024
"""Capacity of one page's queue."""

BEHIND = b"event: behind\ndata: {}\n\n"
ALIVE = b": alive\n\n"
ALIVE_S = 15.0
"""So often something is sent, so that both ends notice a connection that is dead."""


def message(event: str, data: Any) -> bytes:
    """A server-sent event; JSON has no line ends of its own."""
    return b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


class Tab:
    """One page that is open.

    Args:
        sensor: The sensor that it looks at, or None.
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
        """Let it go: the service ends."""
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
    """All pages that are open.

    Args:
        handover: The source of news, while a page is open.
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
        """Whether there are as many as may be."""
        return len(self._tabs) >= MOST_PAGES

    def join(self, tab: Tab) -> None:
        """Tell a page of news from here on."""
        self._tabs.add(tab)
        self._listen()

    def leave(self, tab: Tab) -> None:
        """Tell it no more."""
        self._tabs.discard(tab)
        self._listen()

    def end(self) -> None:
        """Let all of them go."""
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
            told = message("incidents", {"open": self._open, "many": many, "rows": changed})
            for tab in self._tabs:
                tab.tell(told)
        for name, its_rows in rows.items():
            told = message("readings", {"sensor": name, "rows": its_rows})
            for tab in self._tabs:
                if tab.sensor == name:
                    tab.tell(told)
