"""Failures of the store: each is counted, and one that goes on is logged now and then."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.shell.store import StoreError

log = logging.getLogger("edgewarden.service")

REPORTED_S = 60.0
"""A fault of the disk that goes on is logged this often."""


class StoreFailures:
    """Counts and logs.

    Args:
        monotonic: Seconds that never step.

    Attributes:
        count: How many there were.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._reported_at = -REPORTED_S

    def note(self, during: str, error: StoreError) -> None:
        """Take note of a failure; damage is logged at once."""
        self.count += 1
        if self._monotonic() - self._reported_at >= REPORTED_S or error.damaged:
            self._reported_at = self._monotonic()
            log.error("store_failed during=%s error=%r count=%d", during, str(error), self.count)
