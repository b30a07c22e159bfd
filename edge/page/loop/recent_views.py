"""Recent views: the page's questions to the loop, asked once for all requests at about the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from edge.page.loop.handover import Handover
from edge.shell.onlooker import Running

T = TypeVar("T")

AGE_S = 1.0
"""A view younger than this is used for the next request."""


class RecentViews:
    """Caches the last view of each kind briefly.

    Args:
        handover: Asks the loop.
        monotonic: Seconds that never step.
    """

    def __init__(self, handover: Handover, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._handover, self._monotonic = handover, monotonic
        self._known: dict[Callable[..., Any], tuple[float, asyncio.Future[Any]]] = {}

    async def of(self, question: Callable[[Running], T]) -> T:
        """The answer to a question, possibly a recent one.

        Raises:
            BusyError: The loop hasn't answered.
        """
        return await self.shared(question, lambda: self._handover.ask(question))

    async def shared(self, key: Callable[..., T], ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` gives, or gave a moment ago for the same key, also to others."""
        now = self._monotonic()
        asked, task = self._known.get(key, (now - 2 * AGE_S, None))
        if task is None or now - asked > AGE_S or (task.done() and task.exception() is not None):
            task = asyncio.ensure_future(ask())
            self._known[key] = now, task
        return cast("T", await asyncio.shield(task))

    def forget(self) -> None:
        """Drop all views, because something has changed."""
        self._known.clear()
