"""The connection log: a link's connections and failed attempts; a lasting failure is logged rarely."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("edgewarden.link")

AGAIN_S = 600.0
"""Interval at which a lasting failure is logged."""

SOON_S = 5.0
"""Minimum interval between two lines about the same failure if there was a connection in between."""

MOST = 32
"""Maximum number of failures remembered."""


class ConnectionLog:
    """Logs the connections of a link.

    A failed attempt is logged at once if the last attempts failed for other reasons; if it fails for the same reason
    again, every `AGAIN_S` seconds, with the number of attempts left out.

    Args:
        host: The broker's name or address.
        port: Its TCP port.
        monotonic: Seconds that never step.
    """

    def __init__(self, host: str, port: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._where = f"host={host} port={port}"
        self._monotonic = monotonic
        self._logged: dict[str, tuple[float, int]] = {}
        self._lasting: set[str] = set()

    def connected(self, version: str, *, session_present: bool) -> None:
        """Log that the broker has accepted a connection; the next failure is news."""
        self._lasting.clear()
        log.info("connected %s version=%s session=%s", self._where, version, session_present)

    def disconnected(self, reason: str, *, intended: bool = False) -> None:
        """Log the end of an accepted connection."""
        level = logging.INFO if intended else logging.WARNING
        log.log(level, "disconnected %s reason=%r", self._where, reason)

    def failed(self, error: str) -> None:
        """Log that no connection could be made."""
        self._note(logging.WARNING, f"connect_failed {self._where} error={error!r}")

    def refused(self, reason: str) -> None:
        """Log that the broker has refused the connection."""
        self._note(logging.ERROR, f"connect_refused {self._where} reason={reason!r}")

    def not_understood(self, version: str, reason: str) -> None:
        """Log that the broker has answered nothing in a version of MQTT."""
        self._note(logging.WARNING, f"not_understood {self._where} version={version} reason={reason!r}")

    def _note(self, level: int, line: str) -> None:
        now = self._monotonic()
        logged_at, left_out = self._logged.get(line, (float("-inf"), 0))
        if now - logged_at < (AGAIN_S if line in self._lasting else SOON_S):
            self._logged[line] = logged_at, left_out + 1
            return
        if len(self._logged) >= MOST:
            self._logged.clear()
            self._lasting.clear()
        self._logged[line] = now, 0
        self._lasting.add(line)
        more = f" left_out={left_out}" if left_out else ""
        log.log(level, "%s%s", line, more, extra={"bounded": True})
