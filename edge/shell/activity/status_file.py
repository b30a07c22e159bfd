"""The status file next to the store, for `edgewarden status` and for monitoring.

Its name is the store's name with `.status` appended. It holds one JSON object and is replaced as a whole every
`EVERY_S` seconds, and early when a connection is made, lost or refused, an input receives its first message,
something is refused for a new reason, or the store can't be written. It isn't synced to disk: after a power cut an
older version may be there. It contains what the store doesn't: connections, traffic, refusals. Writing it costs the
disk about one commit per `EVERY_S` seconds.
"""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

log = logging.getLogger("edgewarden.service")

EVERY_S = 10.0
STALE_S = 3 * EVERY_S
"""A running service with an older status file hangs, or can't write."""

RUNNING, STOPPED = "running", "stopped"


def status_path(store: Path) -> Path:
    """Path of a store's status file."""
    return Path(f"{store}.status")


class StatusFile:
    """Writes the status file; a disk error is logged once.

    Args:
        store: The store's file.
    """

    def __init__(self, store: Path) -> None:
        self.path = status_path(store)
        self._failed = False

    def write(self, content: bytes) -> None:
        """Replace the file."""
        part = Path(f"{self.path}.part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            part.replace(self.path)
        except OSError as error:
            if not self._failed:
                log.warning("status_not_written path=%r error=%r", str(self.path), error.strerror or str(error))
            self._failed = True
            with suppress(OSError):
                part.unlink()
        else:
            self._failed = False


class Status(NamedTuple):
    """The contents of the file.

    Attributes:
        content: The JSON object.
        age_s: Age in seconds by this machine's clock; never negative.
    """

    content: dict[str, Any]
    age_s: float

    @property
    def pid(self) -> int:
        """ID of the process that wrote it."""
        return int(self.content.get("pid", 0))


def read_status(store: Path, now: float | None = None) -> Status | None:
    """The status file of a store; None if it is missing or unreadable.

    Args:
        store: The store's file.
        now: Seconds since the epoch; the system time by default.
    """
    path = status_path(store)
    try:
        content = json.loads(path.read_bytes())
        written = path.stat().st_mtime
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict):
        return None
    return Status(content, max(0.0, (time.time() if now is None else now) - written))
