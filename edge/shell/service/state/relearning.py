"""Relearning: changed detectors learn from the journal within a time budget.

Detectors learn from older readings to newer ones, so the first reading must be chosen in advance. They first learn from
the newest few, which measures the speed of this machine with this configuration, and then again from as many of the
newest as the budget allows. If that takes far longer than expected, the first result is used.
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
"""Maximum number of readings to learn from; more would hardly improve any detector."""

BUDGET_S = 10.0
"""Approximate maximum delay of a start by relearning, which is never exceeded by more than a factor of two."""

FEW = 5_000
"""Minimum number of readings to learn from."""

Parts = Callable[[Iterable[bytes]], Iterator[Part]]
Learn = Callable[[Iterable[Part]], int]


class Latest(NamedTuple):
    """The newest journal entries before the snapshot.

    Attributes:
        entries: The entries in order.
        readings: Number of readings in them.
        all: Whether there are no earlier ones.
    """

    entries: list[bytes]
    readings: int
    all: bool


class _OutOfTime(Exception):  # noqa: N818 - it is seen before anything is handed over
    """Learning takes far longer than expected."""


class RelearningPlan:
    """Chooses the readings to learn from.

    Args:
        newest_first: Returns the journal entries before the state, from the newest on.
        parts_of: Decodes journal entries.
        working: Called repeatedly during the work; an exception from it ends the work.
        budget_s: Approximate maximum duration of one call of `teach()`, in seconds.
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
        """Learn from as much of the journal as the budget allows; returns the number of readings used.

        Args:
            learn: Learns from parts, and replaces the result of an earlier call at the end.
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
