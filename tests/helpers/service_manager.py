"""The service manager's end of sd_notify(3): a datagram socket, in the file system or in the abstract namespace."""

from __future__ import annotations

import secrets
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from running import wait_until


class ServiceManager:
    """Receives the notifications of a service.

    Args:
        folder: Where its socket is; None for the abstract namespace.
    """

    def __init__(self, folder: Path | None = None) -> None:
        name = f"edgewarden-{secrets.token_hex(8)}"
        self.address = f"@{name}" if folder is None else str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{name}" if folder is None else self.address)
        self._socket.setblocking(False)
        self.heard: list[tuple[float, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def states(self) -> list[str]:
        """All notifications so far, one assignment each, in order."""
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return [state for _, state in self.heard]
            self.heard += [(time.monotonic(), each) for each in datagram.decode().splitlines()]

    def wait_for(self, beginning: str, after: int = 0, timeout_s: float = 60.0) -> int:
        """Wait for an assignment after the first `after` ones; returns the number of assignments then."""

        def found() -> int:
            for place, state in enumerate(self.states()):
                if place >= after and state.startswith(beginning):
                    return place + 1
            return 0

        return int(wait_until(found, timeout_s, f"{beginning}, after {self.states()}"))
