"""Recording: the data of one run for a report, collected during the run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from detectors.numeric.arrays import Floats, Slots
from edge.core.incidents.events.event import Event
from edge.core.incidents.observer import ScoredRound
from edge.core.model.readings.rounds import runs_of
from edge.core.pipeline import Pipeline
from edge.reports.judging import IncidentSpan
from edge.reports.recording.budgets import BUDGETS, BudgetCounter
from edge.reports.recording.decimation import Decimator

BUCKETS_IN_ALL = 1_000_000
"""Buckets of all sensors of a run, about: 56 bytes each."""

MOST_BUCKETS, FEWEST_BUCKETS = 2048, 64


class SensorRecord:
    """One sensor in one run.

    Attributes:
        name: Its name.
        series: Its readings, scores and bands, made short.
        readings: Readings that were scored.
        first: Time of the first of them.
        last: Time of the last.
        incidents: Its incidents, in the order in which they were raised.
    """

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.series = Decimator(capacity)
        self.readings = 0
        self.first = math.nan
        self.last = math.nan
        self.incidents: list[IncidentSpan] = []

    @property
    def days(self) -> float:
        """Days from the first reading to the last."""
        return (self.last - self.first) / 86_400.0 if self.readings else 0.0


class Recording:
    """An observer of one run.

    Args:
        pipeline: Whose run it is; begins to tell us of it.
        budgets: False alarms a sensor and day, to count incidents for.

    Attributes:
        sensors: By name, in the order in which they were first scored.
        budgets: Incidents that other budgets would have cost.
    """

    def __init__(self, pipeline: Pipeline, budgets: Sequence[float] = BUDGETS) -> None:
        self.sensors: dict[str, SensorRecord] = {}
        self.budgets = BudgetCounter(budgets)
        self._names = pipeline.sensors.names
        self._statistics = pipeline.engine.statistics
        self._slots: list[Slots] = []
        self._rows: list[Floats] = []
        self._open: dict[str, tuple[SensorRecord, int]] = {}
        self._capacity = MOST_BUCKETS
        pipeline.observe(self)

    def scored(self, scored: ScoredRound) -> None:
        """Record a round."""
        self.budgets.count(scored, self._statistics.interval[scored.slots])
        self._slots.append(scored.slots)
        agree = scored.floor <= scored.ceiling
        lower, upper = np.where(agree, scored.floor, np.nan), np.where(agree, scored.ceiling, np.nan)
        self._rows.append(
            np.array([scored.times, scored.values, scored.values, scored.score, scored.level, lower, upper])
        )

    def take(self, events: Iterable[Event]) -> None:
        """Record a step's events, and put away the rounds that led to them."""
        self._put_away()
        for event in events:
            self._follow(event)

    def _put_away(self) -> None:
        if not self._slots:
            return
        slots, rows = np.concatenate(self._slots), np.concatenate(self._rows, axis=1)
        self._slots, self._rows = [], []
        runs = runs_of(slots)
        of_sensors = np.split(runs.order, runs.starts[1:])
        for slot, positions in zip(slots[runs.order[runs.starts]].tolist(), of_sensors, strict=True):
            record = self._record(self._names[slot])
            mine = rows[:, positions]
            if record.readings == 0:
                record.first = float(mine[0, 0])
            record.readings += len(positions)
            record.last = float(mine[0, -1])
            record.series.add(mine)

    def _record(self, name: str) -> SensorRecord:
        record = self.sensors.get(name)
        if record is None:
            record = self.sensors[name] = SensorRecord(name, self._capacity)
            if len(self.sensors) * self._capacity > BUCKETS_IN_ALL and self._capacity > FEWEST_BUCKETS:
                self._capacity //= 2
                for each in self.sensors.values():
                    each.series.shrink(self._capacity)
        return record

    def _follow(self, event: Event) -> None:
        if event.transition == "raised":
            record = self._record(event.sensor)
            record.incidents.append(_span(event))
            self._open[event.incident] = (record, len(record.incidents) - 1)
            return
        known = self._open.get(event.incident)
        if known is None:
            return
        record, place = known
        before, now = record.incidents[place], _span(event)
        if event.transition in {"cleared", "expired"}:
            del self._open[event.incident]
            now = now._replace(ended=event.time, message=before.message)
        record.incidents[place] = now._replace(
            raised=before.raised,
            severity=max(before.severity, now.severity),
            sensors=before.sensors | now.sensors,
        )


def _span(event: Event) -> IncidentSpan:
    data = msgspec.json.decode(event.payload)["data"]
    return IncidentSpan(
        sensor=event.sensor,
        about=data["contributions"][0]["sensor"] if data["contributions"] else event.sensor,
        raised=event.time,
        ended=math.inf,
        severity=event.severity,
        kind=event.kind,
        incident=event.incident,
        score=data["peak"]["score"],
        detectors=tuple(each["name"] for each in data["detectors"]),
        message=event.message,
        sensors=frozenset(data["sensors"]),
    )
