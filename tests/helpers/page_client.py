"""Requests to a running service's page, as sent by a browser."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from running import RunningService, wait_until

STARTED = re.compile(r"page address=http://([^/ ]+)/")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def page_host(service: RunningService) -> str:
    """Host and port of a service's page, once its log shows them."""
    text = wait_until(lambda: service.log.exists() and STARTED.search(service.log.read_text()), what="the page")
    return str(text[1])


class PageClient:
    """A client with the cookies of a browser.

    Args:
        host: Host and port.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.cookie = ""

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request; keywords are headers, with `_` for `-`."""
        connection = http.client.HTTPConnection(self.host, timeout=30)
        sent = {"Host": self.host} | ({"Cookie": self.cookie} if self.cookie else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, sent)
        answer = connection.getresponse()
        found = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        if "set-cookie" in found.headers:
            self.cookie = found.headers["set-cookie"].partition(";")[0]
        return found

    def get(self, path: str, **headers: str) -> Answer:
        """Get."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, content: Any, **headers: str) -> Answer:
        """Post JSON as the page does."""
        given = {"Origin": f"http://{self.host}", "Content_Type": "application/json"} | headers
        return self.ask("POST", path, json.dumps(content).encode(), **given)

    def say(self, command: str, **said: Any) -> Answer:
        """Say a command."""
        return self.post("/api/command", {"command": command, "said": said})

    def stream(self, sensor: str = "") -> Stream:
        """Listen like an open page."""
        return Stream(self, f"/api/stream?sensor={sensor}")


class Stream:
    """Server-sent events, collected by a thread."""

    def __init__(self, client: PageClient, path: str) -> None:
        self._connection = http.client.HTTPConnection(client.host, timeout=60)
        self._connection.request("GET", path, headers={"Host": client.host, "Cookie": client.cookie})
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.messages: list[tuple[str, Any]] = []
        self.ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        event = ""
        try:
            while line := self._answer.readline():
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    event = text.removeprefix("event: ")
                elif text.startswith("data: "):
                    self.messages.append((event, json.loads(text.removeprefix("data: "))))
        except (OSError, ValueError, AttributeError):  # closed, here or there
            pass
        self.ended = True

    def wait(self, event: str, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for a message that meets a condition."""

        def found() -> list[Any]:
            return [data for name, data in self.messages if name == event and holds(data)]

        return wait_until(found, what=f"the message {event}")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection.sock is not None:
            with contextlib.suppress(OSError):  # the other end was faster
                self._connection.sock.shutdown(socket.SHUT_RDWR)  # a reader would delay a plain close()
        self._thread.join()
        self._answer.close()
        self._connection.close()
