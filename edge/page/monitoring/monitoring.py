"""Monitoring: `/metrics` for Prometheus, `/health` for container runtimes, and the text of the health view.

With passwords configured, `/metrics` also accepts a role's name and password as HTTP Basic, which collectors send.
`/health` is open to everyone who can reach the page, and reports only whether the service is well.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.core.incidents.events.event import timestamp
from edge.page.loop.core_queries import status
from edge.page.loop.handover import BusyError
from edge.page.loop.recent_views import RecentViews
from edge.page.request_handling import Handler, json
from edge.page.store.store_reader import StoreReader
from edge.shell.activity.well_being import notes_on, problems_in
from edge.shell.store import StoreError
from edge.shell.store.reading.overview import StoreSize, read_size


class Monitoring:
    """Answers requests of monitoring systems.

    Args:
        views: The loop's view of the service.
        reader: Reads the store.
        store: The store's file.
        pages: Number of open pages.
        clock: The current time, in seconds since the epoch, UTC.
    """

    def __init__(
        self, views: RecentViews, reader: StoreReader, store: Path, pages: Callable[[], int], clock: Callable[[], float]
    ) -> None:
        self._views, self._reader, self._store = views, reader, store
        self._pages, self._clock = pages, clock

    def open_handlers(self) -> dict[str, Handler]:
        """The routes that need no log-in."""
        return {"/health": self.health, "/health/live": self.live}

    async def metrics(self, _request: Request) -> Response:
        """The figures in OpenMetrics."""
        from edge.page.monitoring.metrics import KIND, metrics  # noqa: PLC0415 - only if they are scraped

        current = _plain(await self._views.of(status))
        more = {"page_open": ("Pages that are open in browsers", float(self._pages()))}
        free = self._free_bytes()
        if free is not None:
            more["store_free_bytes"] = ("Free space on the store's disk", float(free))
        return Response(metrics(current, more), headers={"content-type": KIND})

    async def live(self, _request: Request) -> Response:
        """Whether the service's loop runs: 200, or 503."""
        try:
            await self._views.of(status)
        except BusyError as error:
            return json({"live": False, "why": str(error)}, 503)
        return json({"live": True})

    async def health(self, _request: Request) -> Response:
        """Whether the service is well, as in `edgewarden status`: 200, or 503."""
        try:
            current = _plain(await self._views.of(status))
        except BusyError:
            return json({"well": False}, 503)
        is_well = not problems_in(current, await self._waiting_s())
        return json({"well": is_well}, 200 if is_well else 503)

    async def status(self, _request: Request) -> Response:
        """The health of the service in words, and the size of its store."""
        current = _plain(await self._views.of(status))
        described: dict[str, Any] = current | {
            "problems": problems_in(current, await self._waiting_s()),
            "notes": notes_on(current),
        }
        try:
            size = await self._size()
        except StoreError as error:
            return json(described | {"store": {"error": str(error)}})
        times = {
            name: None if at is None else timestamp(at)
            for name, at in (("waiting_since", size.waiting_since), ("last_arrival", size.last_arrival))
        }
        return json(described | {"store": size._asdict() | times | {"free_bytes": self._free_bytes()}})

    def _free_bytes(self) -> int | None:
        try:
            return shutil.disk_usage(self._store.parent).free
        except OSError:
            return None

    async def _size(self) -> StoreSize:
        """The store's size, read once for all who ask at about the same time: `/health` is open to everybody."""
        return await self._views.shared(read_size, lambda: self._reader.read(read_size))

    async def _waiting_s(self) -> float | None:
        """How long the oldest event has waited; None if none is waiting or it is unknown."""
        try:
            since = (await self._size()).waiting_since
        except StoreError:
            return None
        return None if since is None else max(0.0, self._clock() - since)


def _plain(current: dict[str, Any]) -> dict[str, Any]:
    """The message, with the JSON inside it decoded."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(current))
    return plain
