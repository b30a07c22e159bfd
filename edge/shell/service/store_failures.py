"""Store failures: each is counted, and a persistent one is logged at intervals."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.shell.store import Damage, Store, StoreError

log = logging.getLogger("edgewarden.service")

REPORTED_S = 60.0
"""Interval at which a persistent disk error is logged."""


class StoreFailures:
    """Counts and logs store failures.

    Args:
        monotonic: Seconds that never step.

    Attributes:
        count: Number of failures.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._reported_at = -REPORTED_S

    def note(self, during: str, error: StoreError) -> None:
        """Record a failure; damage is logged at once."""
        self.count += 1
        if self._monotonic() - self._reported_at >= REPORTED_S or error.damaged:
            self._reported_at = self._monotonic()
            log.error("store_failed during=%s error=%r count=%d", during, str(error), self.count)

    def replace(
        self, damaged: Store, replacement: Callable[[str], tuple[Store, Damage]], why: StoreError
    ) -> tuple[Store, Damage] | None:
        """Replace a damaged store; returns the new one and the outcome, or None if that isn't possible now."""
        try:
            replaced = replacement(str(why))
        except StoreError as another:
            log.error("store_not_replaced error=%r", str(another))  # noqa: TRY400 - its words say it all
            return None
        try:
            damaged.close()
        except StoreError as another:
            log.error("store_not_closed error=%r", str(another))  # noqa: TRY400 - for the same reason
        return replaced
