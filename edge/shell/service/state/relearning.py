"""Relearning: what changed detectors learn from the journal's past, within a time.

Detectors learn from older readings to newer ones, so the first reading has to be chosen before. They learn from the
newest few at first, which shows how fast this machine is with this configuration; then again, from as many of the
newest as the time allows. If that takes far longer than expected after all, what they learned at first counts.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from edge.core.persistence.journal import Part, Readings

log = logging.getLogger("edgewarden.service")

RELEARNED = 500_000
"""Readings that are learned from at most; more would teach hardly any detector more."""

BUDGET_S = 10.0
"""Relearning may delay a start by about this long, and never by more than twice as long."""

FEW = 5_000
"""Readings that are learned from in any case."""

Parts = Callable[[Iterable[bytes]], Iterator[Part]]
Learn = Callable[[Iterable[Part]], int]


class Latest(NamedTuple):
    """The newest journal entries before the snapshot.

    Attributes:
        entries: In order.
        readings: The number of their readings.
        all: Whether these are all of them.
    """

    entries: list[bytes]
    readings: int
    all: bool


class _OutOfTime(Exception):  # noqa: N818 - it is seen before anything is handed over
    """Learning takes far longer than it should have."""


class RelearningPlan:
    """Chooses what is learned from.

    Args:
        newest_first: Gives the journal entries before the state that is taught, from the newest on.
        parts_of: Reads journal entries.
        working: Called again and again while this takes its time; what it raises ends it.
        budget_s: Seconds that one call of `teach()` may take, about.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        newest_first: Callable[[], Iterable[bytes]],
        parts_of: Parts,
        working: Callable[[], None] = lambda: None,
        budget_s: float = BUDGET_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._newest_first = newest_first
        self._parts_of = parts_of
        self._working = working
        self._budget_s = budget_s
        self._monotonic = monotonic

    def teach(self, learn: Learn) -> int:
        """Let something learn from as much of the past as there is time for; returns from how many readings it did.

        Args:
            learn: Goes through parts, and hands over what was learned at their end, in place of what it did before.
        """
        began = self._monotonic()
        latest = self._latest(FEW)
        learned = learn(self._parts(latest))
        took_s = max(1e-3, self._monotonic() - began)
        affordable = min(RELEARNED, int(latest.readings * (self._budget_s - took_s) / took_s))
        if not latest.all and affordable >= 2 * latest.readings:
            more = self._latest(affordable)
            try:
                learned = learn(self._parts(more, until=began + 2 * self._budget_s))
                latest = more
            except _OutOfTime:
                log.warning("relearning_out_of_time readings=%d", more.readings)
        log.info(
            "relearned readings=%d journal_readings=%d whole_journal=%s seconds=%.2f",
            learned,
            latest.readings,
            str(latest.all).lower(),
            self._monotonic() - began,
        )
        return learned

    def _latest(self, most: int) -> Latest:
        """The newest entries that hold about a given number of readings."""
        entries: list[bytes] = []
        readings = 0
        for entry in self._newest_first():
            if readings >= most:
                return Latest(entries[::-1], readings, all=False)
            self._working()
            entries.append(entry)
            readings += sum(len(part) for part in self._parts_of([entry]) if isinstance(part, Readings))
        return Latest(entries[::-1], readings, all=True)

    def _parts(self, latest: Latest, until: float = math.inf) -> Iterator[Part]:
        for part in self._parts_of(latest.entries):
            self._working()
            if self._monotonic() > until:
                raise _OutOfTime
            yield part
