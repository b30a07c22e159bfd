"""HTTP servers for sinks: for webhooks, and for notifications as Apprise posts them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from delivered_events import with_message
from sink_line import BASE, SENSORS, sink_event

from edge.core.incidents.events.event import Event
from edge.shell.broker.embedded import free_port
from edge.shell.sinks.options import NotifyOptions, WebhookOptions


class Answer:
    """The webhook's response to an event."""

    def __init__(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.status, self.headers, self.body = status, headers or {}, body


class WebhookReceiver:
    """An HTTP server in a thread, which records everything."""

    kind = "webhook"

    def __init__(self, folder: Path | None = None) -> None:
        self.port = free_port()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda event: Answer(
            422 if "poison" in event["data"]["message"] else 204
        )
        self.tokens: set[str] = set()
        self._events: list[dict[str, Any]] = []
        self._open = threading.Event()
        self._open.set()
        self._server: ThreadingHTTPServer | None = None

    def how(self) -> WebhookOptions:
        return WebhookOptions(f"http://127.0.0.1:{self.port}/events?a=b", timeout_s=2.0)

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._open.wait(20)
                event = json.loads(body)
                receiver.requests.append((dict(self.headers.items()), body))
                receiver.tokens.add(self.headers.get("Authorization", ""))
                answer = receiver.answer(event)
                if 200 <= answer.status < 300:
                    receiver._events.append(event)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *values: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def __init__(self) -> None:
                self.sockets: set[Any] = set()
                super().__init__(("127.0.0.1", receiver.port), Handler)

            def process_request(self, request: Any, address: Any) -> None:
                self.sockets.add(request)
                super().process_request(request, address)

            def handle_error(self, *values: Any) -> None:
                pass  # a client that was killed

        self._server = Server()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            for each in server.sockets:  # type: ignore[attr-defined]
                try:
                    each.shutdown(2)
                except OSError:
                    continue

    def wedge(self) -> None:
        self._open.clear()

    def unwedge(self) -> None:
        self._open.set()

    def poison(self, event: Event) -> Event:
        return with_message(event, "poison")

    def received(self) -> list[dict[str, Any]]:
        return list(self._events)

    def arrived(self) -> int:
        return len(self._events)

    def close(self) -> None:
        self.unwedge()
        self.kill()


class NotifyReceiver(WebhookReceiver):
    """Receives what Apprise posts to `json://`; the lines of its messages identify the events."""

    kind = "notify"
    line = re.compile(r"\w{3} (\d\d):(\d\d):(\d\d) ([^:]+): (.*)")

    def __init__(self, folder: Path | None = None, **how: Any) -> None:
        pytest.importorskip("apprise")
        super().__init__(folder)
        self.answer = lambda notice: Answer(422 if "poison" in notice["message"] else 200)
        self._how = {"group_s": 0.02, "interval_s": 0.0, "timeout_s": 2.0, "most": 20, **how}

    def how(self) -> NotifyOptions:  # type: ignore[override]
        return NotifyOptions(f"json://127.0.0.1:{self.port}/hook", "gw", **self._how)

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The accepted messages, as posted by Apprise."""
        return list(self._events)

    def received(self) -> list[dict[str, Any]]:
        found = []
        for notice in self.notices:
            lines = notice["message"].splitlines()
            for each in lines:
                told = self.line.fullmatch(each)
                assert told is not None, each
                hours, minutes, seconds = map(int, told.groups()[:3])
                number = (3600 * hours + 60 * minutes + seconds - int(BASE)) % 86_400
                found.append(self._event(notice["title"] if len(lines) == 1 else "", number, told[4], told[5]))
        return found

    def arrived(self) -> int:
        return sum(notice["message"].count("\n") + 1 for notice in self.notices)

    @staticmethod
    def _event(title: str, number: int, word: str, message: str) -> dict[str, Any]:
        if word == "missing":
            return {"id": message, "type": "io.edgewarden.gap.v1", "sequence": f"{10**9}", "data": {"message": message}}
        sensor = title.removeprefix("gw: ").removeprefix(f"{word} ")
        named = sensor if sensor and sensor != SENSORS[number % len(SENSORS)] else None
        event = sink_event(number, named, transition="updated" if "now" in word else "raised")
        return json.loads(event.payload)
