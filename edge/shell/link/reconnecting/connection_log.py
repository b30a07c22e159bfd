"""The connection log: a link's connections and failed attempts; a lasting failure is logged ever more rarely."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

log = logging.getLogger("edgewarden.link")

FIRST_AGAIN_S, AGAIN_S = 10.0, 600.0
"""Time until a failure that lasts is logged again; doubled each time, up to the second."""

SOON_S = 5.0
"""Minimum interval between two lines about the same failure if there was a connection in between."""

MOST = 32
"""Maximum number of failures remembered."""


class _Logged(NamedTuple):
    """A failure that was logged: when, how often it was left out since, and after how long it is logged again."""

    at: float
    left_out: int
    again_s: float


class ConnectionLog:
    """Logs the connections of a link.

    A failed attempt is logged at once if the last attempts failed for other reasons. If it fails for the same reason
    again, it is logged after `FIRST_AGAIN_S` seconds, then ever more rarely, with the number of attempts left out. Each
    line says when the next attempt is.

    Args:
        host: The broker's name or address.
        port: Its TCP port.
        monotonic: Seconds that never step.
    """

    def __init__(self, host: str, port: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._where = f"host={host} port={port}"
        self._monotonic = monotonic
        self._failures: list[tuple[int, str]] = []
        self._logged: dict[str, _Logged] = {}
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
        """Record that no connection could be made; logged by `pauses()`."""
        self._failures.append((logging.WARNING, f"connect_failed {self._where} error={error!r}"))

    def refused(self, reason: str) -> None:
        """Record that the broker has refused the connection."""
        self._failures.append((logging.ERROR, f"connect_refused {self._where} reason={reason!r}"))

    def not_understood(self, version: str, reason: str) -> None:
        """Record that the broker has answered nothing in a version of MQTT."""
        self._failures.append((logging.WARNING, f"not_understood {self._where} version={version} reason={reason!r}"))

    def pauses(self, seconds: float) -> None:
        """Log the recorded failures, as far as they are news, and that the next attempt is after a pause."""
        failures, self._failures = self._failures, []
        for level, line in failures:
            left_out = self._left_out(line)
            if left_out is not None:
                more = f" left_out={left_out}" if left_out else ""
                log.log(level, "%s next_try_in_s=%.1f%s", line, seconds, more, extra={"bounded": True})

    def _left_out(self, line: str) -> int | None:
        """How often a line was left out since it was logged; None if it is to be left out again."""
        now, lasts = self._monotonic(), line in self._lasting
        logged = self._logged.get(line)
        if logged is not None and now - logged.at < (logged.again_s if lasts else SOON_S):
            self._logged[line] = logged._replace(left_out=logged.left_out + 1)
            return None
        if len(self._logged) >= MOST:
            self._logged.clear()
            self._lasting.clear()
        again_s = min(AGAIN_S, 2 * logged.again_s) if logged is not None and lasts else FIRST_AGAIN_S
        self._logged[line] = _Logged(now, 0, again_s)
        self._lasting.add(line)
        return 0 if logged is None else logged.left_out
