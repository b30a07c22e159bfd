"""Streaming: server-sent events to one page, as long as it reads them.

Source: HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge.page.live.audience import Audience, Tab, message
from edge.page.request_handling import problem, text_of

log = logging.getLogger("edgewarden.page")

SLOW_S = 30.0
"""A page that reads nothing for this long is closed."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a reverse proxy would gather them
]


def stream(request: Request, audience: Audience, page: str) -> Response:
    """The stream of news for a page from now on.

    Args:
        request: The request.
        audience: The audience that it joins.
        page: Tells one version of the page's files from another; a page of another version loads itself again.
    """
    if request.method == "HEAD":
        return Response(headers={name.decode(): value.decode() for name, value in HEADERS})
    if audience.is_full:
        return problem(503, "Too many pages are open already; this one is updated from time to time.")
    return EventStream(Tab(text_of(request, "sensor") or None), audience, page)


class EventStream(Response):
    """The response to a page that listens.

    Args:
        tab: The page.
        audience: The audience that it joins.
        page: Version of the page's files.
    """

    def __init__(self, tab: Tab, audience: Audience, page: str) -> None:
        super().__init__()
        self._tab, self._audience, self._page = tab, audience, page

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send messages until the page disconnects, is too slow, or the service ends."""
        self._audience.join(self._tab)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            content: bytes | None = b"retry: 1000\n\n" + message("hello", {"page": self._page})
            while content is not None and not gone.done():
                sending = send({"type": "http.response.body", "body": content, "more_body": True})
                await asyncio.wait_for(sending, SLOW_S)
                content = await self._next(gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            log.info("slow_page_closed seconds=%g", SLOW_S)
        finally:
            gone.cancel()
            self._audience.leave(self._tab)

    async def _next(self, gone: asyncio.Future[None]) -> bytes | None:
        """The next message; None once the page is gone."""
        following = asyncio.ensure_future(self._tab.next())
        waiting: set[asyncio.Future[Any]] = {following, gone}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            return following.result()
        following.cancel()
        return None


async def _gone(receive: Receive) -> None:
    """Wait until the page closes its connection."""
    while (await receive())["type"] != "http.disconnect":
        continue
