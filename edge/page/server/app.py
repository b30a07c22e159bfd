"""The application: its addresses, and who may access them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from config.tables.page import Page
from edge.page.access.logging_in import LoggingIn, cookie_name
from edge.page.access.passwords import PasswordFile
from edge.page.access.protection import Protection
from edge.page.access.sessions import Sessions
from edge.page.live.audience import Audience
from edge.page.live.commanding import Commanding
from edge.page.live.streaming import stream
from edge.page.loop.handover import Handover
from edge.page.loop.recent_views import RecentViews
from edge.page.monitoring.monitoring import Monitoring
from edge.page.request_handling import Handler, explained, json, problem
from edge.page.server.assets import Assets
from edge.page.store.series import SeriesReader
from edge.page.store.store_reader import StoreReader
from edge.page.views.view_data import ViewData


class App:
    """The page as an ASGI application.

    Args:
        page: The configuration's table `page`.
        gateway: Name of the gateway.
        files: Paths of the store and of the configuration.
        handover: Queries the service's loop.
        clock: The current time, in seconds since the epoch, UTC.

    Raises:
        PasswordError: The password file can't be used.

    Attributes:
        audience: The open pages.
        asgi: The application.
    """

    def __init__(
        self,
        page: Page,
        gateway: str,
        files: tuple[Path, Path],
        handover: Handover,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._gateway = gateway
        store, configuration = files
        self._sessions = Sessions(PasswordFile(page.password_file).current if page.password_file is not None else None)
        self._views = RecentViews(handover)
        self.audience = Audience(handover, self._views.forget)
        self.reader = StoreReader(store)
        looking = ViewData(self._views, handover, self.reader, SeriesReader(store, configuration))
        logging_in, commanding = LoggingIn(self._sessions, clock), Commanding(handover, self._views.forget)
        assets = self._assets = Assets()
        open_to_all: list[tuple[str, Handler, str]] = [
            ("/", assets.page, "GET"),
            ("/assets/{name:path}", assets.file, "GET"),
            ("/api/session", self._session, "GET"),
            ("/api/login", logging_in.log_in, "POST"),
            ("/api/logout", logging_in.log_out, "POST"),
        ]
        routes = [Route(path, explained(handler), methods=[method]) for path, handler, method in open_to_all]
        monitoring = Monitoring(self._views, self.reader, store, self.audience.__len__, clock)
        routes += [Route(path, explained(handler)) for path, handler in monitoring.open_handlers().items()]
        for path, handler in (looking.handlers() | {"/api/status": monitoring.status}).items():
            routes.append(Route(path, self._for_viewers(explained(handler))))
        routes.append(Route("/metrics", self._for_collectors(logging_in, explained(monitoring.metrics))))
        routes.append(Route("/api/stream", self._for_viewers(explained(self._stream))))
        routes.append(Route("/api/command", self._for_operators(explained(commanding.say)), methods=["POST"]))
        app = Starlette(routes=routes, exception_handlers={404: _not_there, 405: _not_there})
        self.asgi: ASGIApp = Protection(app, page.bind, page.hosts)

    def end(self) -> None:
        """End all pages because the service ends."""
        self.audience.end()
        self.reader.close()

    def _role(self, request: Request) -> str | None:
        return self._sessions.role_of(request.cookies.get(cookie_name(request)), self._clock())

    def _for_viewers(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            if self._role(request) is None:
                return problem(401, "Log in first.")
            return await handler(request)

        return checked

    def _for_collectors(self, logging_in: LoggingIn, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            if self._role(request) is None and await logging_in.basic_role(request) is None:
                return PlainTextResponse("Log in first.\n", 401, {"www-authenticate": 'Basic realm="edgewarden"'})
            return await handler(request)

        return checked

    def _for_operators(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            role = self._role(request)
            if role is None:
                return problem(401, "Log in first.")
            if role != "operator":
                return problem(403, "You may look, but not change anything; log in with the operator's password.")
            return await handler(request)

        return checked

    async def _session(self, request: Request) -> Response:
        session: dict[str, Any] = {"role": self._role(request), "passwords": bool(self._sessions.passwords)}
        return json(session | {"gateway": self._gateway if session["role"] else ""})

    async def _stream(self, request: Request) -> Response:
        return stream(request, self.audience, self._assets.version)


async def _not_there(request: Request, _error: Exception) -> Response:
    return PlainTextResponse(f"There is nothing at {request.url.path!r}.\n", 404)
