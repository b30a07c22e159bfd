"""Serving: the page in its own thread with its own event loop, from the start of the service to its end."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from config.problems import ConfigurationError, Problem
from config.schema import Configuration
from config.tables.page import Page
from edge.core.model.notation.topics import Topics
from edge.page.loop.handover import Handover
from edge.page.server.app import App
from edge.page.server.connections import MOST_CONNECTIONS, REQUEST_S, PageConnection

log = logging.getLogger("edgewarden.page")

LARGEST_HEAD = 16 * 1024
UNREAD_BYTES = 256 * 1024
"""Size of the kernel's buffer for a client that doesn't read; the default would be megabytes for each."""

UNREAD_S = 30.0
"""A connection whose client reads nothing for this long is closed, whatever is still to be sent."""

END_S = 3.0
"""How long the end of the service waits for unfinished answers."""


@contextmanager
def served(page: Page, configuration: Configuration, source: Path) -> Iterator[Handover]:
    """Serve the page until the end.

    Args:
        page: The configuration's table `page`.
        configuration: The whole configuration.
        source: Path of the configuration, for error messages.

    Raises:
        ConfigurationError: The port isn't available.
        PasswordError: The password file can't be used.
    """
    _relay_messages()
    listening = _listen(page.bind, page.port, source)
    handover = Handover(Topics(configuration.gateway.topic_base))
    app = App(page, configuration.gateway.name, (configuration.store.path, source), handover)
    server = _Server(app, listening)
    server.start()
    log.info("page address=%s password=%s", address_of(listening), str(page.password_file is not None).lower())
    try:
        yield handover
    finally:
        server.stop()


def _listen(bind: str, port: int, source: Path) -> socket.socket:
    host = "127.0.0.1" if bind == "localhost" else bind
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio sets TCP_NODELAY
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bound(listening)
        listening.bind((host, port))
        listening.listen(MOST_CONNECTIONS)
    except OSError as error:
        listening.close()
        words = f"can't listen on {host}:{port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            words = f"{host}:{port} is in use by another program: choose another port, or end that program"
        raise ConfigurationError([Problem("page.port", None, words)], str(source)) from error
    return listening


def _bound(listening: socket.socket) -> None:
    """Limit the cost of a client that doesn't read; accepted sockets inherit the settings of the listening one."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; elsewhere such a connection ends when the kernel gives up
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * UNREAD_S))


def address_of(listening: socket.socket) -> str:
    """The address of the page, for a browser."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class _Relay(logging.Handler):
    """Passes uvicorn's messages to the service's log, where their rate is limited: a client can cause any number."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on, in one form for all."""
        log.log(record.levelno, "page_server message=%r", record.getMessage().strip(), exc_info=record.exc_info)


def _relay_messages() -> None:
    uvicorn_log = logging.getLogger("uvicorn.error")
    uvicorn_log.setLevel(logging.WARNING)
    uvicorn_log.propagate = False
    uvicorn_log.handlers = [_Relay()]


class _QuietServer(uvicorn.Server):
    """A server without periodic wake-ups; it ends listening pages before it waits for unfinished responses.

    uvicorn's own main loop wakes ten times a second to check for its end and to update the `Date` header.
    """

    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._app = app
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Serve until `end`."""
        await self.on_tick(0)
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._ending.wait()

    def end(self) -> None:
        """Let it end; from another thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down."""
        self._app.end()
        await super().shutdown(sockets)


class _Server:
    """Runs an application in a thread."""

    def __init__(self, app: App, listening: socket.socket) -> None:
        self._listening = listening
        config = uvicorn.Config(
            app.asgi,
            loop="asyncio",
            http=PageConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS + 1,  # reached only while all connections are being answered
            h11_max_incomplete_event_size=LARGEST_HEAD,
            timeout_keep_alive=int(REQUEST_S),
            timeout_graceful_shutdown=int(END_S),
        )
        self._server = _QuietServer(config, app)
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def stop(self) -> None:
        """Shut down; open pages are disconnected."""
        self._server.end()
        self._thread.join(END_S + 1.0)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        except Exception:  # a failure of the page is logged and must not end the service
            log.exception("page_failed")
