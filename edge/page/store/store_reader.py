"""Reads the store for the page, in a few threads besides its event loop, each with a read-only connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from edge.page.loop.handover import BusyError

T = TypeVar("T")

THREADS = 2
MOST_WAITING = 24


class StoreReader:
    """Reads a store.

    Args:
        path: Path of the store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS, "page-store")
        self._waiting = 0

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of a function called with the store's path and arguments.

        Raises:
            BusyError: Too many requests are waiting.
            StoreError: The store can't be read.
        """
        if self._waiting >= MOST_WAITING:
            raise BusyError("too many pages read the store at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: function(self._path, *arguments)
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop reading."""
        self._threads.shutdown(wait=False, cancel_futures=True)
