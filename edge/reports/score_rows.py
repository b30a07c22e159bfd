"""Score rows: one row for each reading of a file, in the file's order, whatever the order of scoring."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence

from edge.core.incidents.events.event import exact_timestamp, incident_id
from edge.core.incidents.observer import NOBODY, ScoredRound
from edge.core.model.readings.messages import Reading
from edge.core.pipeline import Pipeline

COLUMNS = (
    "time", "sensor", "value", "score", "threshold", "expected", "lower", "upper", "detector", "incident",
)  # fmt: skip

MOST_WAITING = 250_000
"""Maximum number of rows waiting for their score; beyond it the oldest are written without one."""

GIVEN = 3
"""Number of columns filled from the reading itself."""

NOTHING = [""] * (len(COLUMNS) - GIVEN)

Row = list[str]


class ScoreRows:
    """An observer that assigns a score row to every reading.

    Args:
        pipeline: The pipeline that scores the readings; observed from now on.
        gateway: Name of the gateway, from which incident IDs are derived.
    """

    def __init__(self, pipeline: Pipeline, gateway: str) -> None:
        self._names = pipeline.sensors.names
        self._gateway = gateway
        self._rows: deque[tuple[Reading, Row]] = deque()
        self._waiting: dict[Reading, deque[Row]] = {}
        self._latest: dict[str, float] = {}
        pipeline.observe(self)

    def expect(self, reading: Reading) -> None:
        """Record the file's next reading, before it is scored."""
        row = [exact_timestamp(reading.time), reading.sensor, repr(reading.value)]
        self._rows.append((reading, row))
        self._waiting.setdefault(reading, deque()).append(row)

    def settle(self, readings: Sequence[Reading]) -> None:
        """Mark those of the readings without a score as final, because they were refused."""
        for reading in readings:
            for row in self._waiting.get(reading, ()):
                if len(row) == GIVEN:
                    row.extend(NOTHING)
                    break

    def scored(self, scored: ScoredRound) -> None:
        """Fill in the rows of a round."""
        detectors = scored.profile.detectors
        columns = (
            each.tolist()
            for each in (
                scored.slots, scored.times, scored.values, scored.score, scored.level, scored.expected, scored.lower,
                scored.upper, scored.leader, scored.started,
            )
        )  # fmt: skip
        for slot, time, value, score, level, expected, lower, upper, leader, started in zip(*columns, strict=True):
            name = self._names[slot]
            waiting = self._waiting.get(Reading(name, time, value))
            if waiting is None:  # taken a little after others of its time
                waiting = self._waiting.get(Reading(name, self._latest.get(name, time), value))
            else:
                self._latest[name] = time
            row = next((each for each in waiting or () if len(each) == GIVEN), None)
            if row is None:
                continue
            row.append("" if math.isnan(score) else f"{score:.4f}")
            row.append(f"{level:.4f}")
            row.extend("" if not math.isfinite(each) else repr(each) for each in (expected, lower, upper))
            row.append("" if leader == NOBODY else detectors[leader].name)
            row.append("" if math.isnan(started) else incident_id(self._gateway, name, started))

    def ready(self, *, everything: bool = False) -> Iterator[Row]:
        """The completed rows up to the first incomplete one.

        Args:
            everything: Whether to include rows without a score, because nothing more will be scored.
        """
        while self._rows:
            reading, row = self._rows[0]
            if len(row) == GIVEN:
                if not everything and len(self._rows) <= MOST_WAITING:
                    return
                row.extend(NOTHING)
            self._rows.popleft()
            waiting = self._waiting[reading]
            waiting.popleft()
            if not waiting:
                del self._waiting[reading]
            yield row
