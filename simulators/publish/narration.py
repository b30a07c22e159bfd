"""Publishes the truth during a run: each fault when it starts, and a summary at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from simulators.faults.truth import TOPIC, TruthSummary
from simulators.publish.payloads import Publication
from simulators.signals.label import Fault


class Narrator:
    """Publishes the truth together with the readings.

    Args:
        faults: The faults of the run.
        record: Called with each line of truth as JSON when it is due.
    """

    def __init__(self, faults: Iterable[Fault], record: Callable[[bytes], None]) -> None:
        self._pending = sorted(faults, key=lambda each: (each.start, each.sensor))[::-1]
        self._record = record
        self.count = 0

    def accompany(self, publications: Iterable[Publication]) -> Iterator[Publication]:
        """Insert every fault before the first message of its time or later.

        A fault that starts after the last message, such as a silence of the only sensor, is published at the end.
        """
        for publication in publications:
            yield from self._tell(publication.time)
            yield publication
        yield from self._tell(float("inf"))

    def conclude(self, summary: TruthSummary) -> Publication:
        """Publish the summary."""
        return self._line(summary.end, summary.to_json())

    def _tell(self, time: float) -> Iterator[Publication]:
        while self._pending and self._pending[-1].start <= time:
            fault = self._pending.pop()
            self.count += 1
            yield self._line(fault.start, fault.to_json())

    def _line(self, time: float, line: bytes) -> Publication:
        self._record(line)
        return Publication(time, TOPIC, line, 0)
