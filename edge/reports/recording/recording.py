"""Recording: collects the data of one run for a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from detectors.numeric.arrays import Floats, Slots
from edge.core.incidents.events.event import Event
from edge.core.incidents.observer import ScoredRound
from edge.core.intake.decoders.notation.times import read_time
from edge.core.model.notation.quantities import rounded_alike
from edge.core.model.readings.rounds import runs_of
from edge.core.persistence.components.recognised_sensors import recognised_states
from edge.core.pipeline import Pipeline
from edge.reports.found import ToldKinds
from edge.reports.judging import IncidentSpan
from edge.reports.recording.budgets import BUDGETS, BudgetCounter
from edge.reports.recording.decimation import Decimator

BUCKETS_IN_ALL = 1_000_000
"""Approximate maximum number of buckets of all sensors of a run, at 56 bytes each."""

MOST_BUCKETS, FEWEST_BUCKETS = 2048, 64


class SensorRecord:
    """One sensor in one run.

    Attributes:
        name: Name of the sensor.
        series: Its readings, scores and bands, reduced.
        readings: Number of scored readings.
        first: Time of the first reading.
        last: Time of the last reading.
        incidents: Incidents in order of their start.
        states: The values of its states at the end of the run; empty for a sensor without states.
    """

    def __init__(self, name: str, capacity: int) -> None:
        self.name = name
        self.series = Decimator(capacity)
        self.readings = 0
        self.first = math.nan
        self.last = math.nan
        self.incidents: list[IncidentSpan] = []
        self.states: list[float] = []

    @property
    def days(self) -> float:
        """Days between the first and the last reading."""
        return (self.last - self.first) / 86_400.0 if self.readings else 0.0


class Recording:
    """An observer of one run.

    Args:
        pipeline: The observed pipeline.
        budgets: Budgets for which to count incidents, in false alarms per sensor and day.

    Attributes:
        sensors: Records by name, in the order in which sensors were first scored.
        budgets: Number of incidents of the other budgets.
    """

    def __init__(self, pipeline: Pipeline, budgets: Sequence[float] = BUDGETS) -> None:
        self.sensors: dict[str, SensorRecord] = {}
        self.budgets = BudgetCounter(budgets)
        self._pipeline = pipeline
        self._names = pipeline.sensors.names
        self._statistics = pipeline.engine.statistics
        self._slots: list[Slots] = []
        self._rows: list[Floats] = []
        self._open: dict[str, tuple[SensorRecord, int, ToldKinds]] = {}
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
        """Record a step's events, and process the rounds that led to them."""
        self._put_away()
        for event in events:
            self._follow(event)

    def finish(self) -> None:
        """Record what was recognised by the end of the run."""
        learned = (part for parts in self._pipeline.saving() for part in parts)
        for slot, values in recognised_states(learned).items():
            record = self.sensors.get(self._names[slot])
            if record is not None:
                record.states = rounded_alike(values)

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
            record, told = self._record(event.sensor), ToldKinds()
            record.incidents.append(_span(event, told))
            self._open[event.incident] = (record, len(record.incidents) - 1, told)
            return
        known = self._open.get(event.incident)
        if known is None:
            return
        record, place, told = known
        before, now = record.incidents[place], _span(event, told)
        if event.transition in {"cleared", "expired"}:
            del self._open[event.incident]
            now = now._replace(ended=event.time, message=before.message)
        record.incidents[place] = now._replace(
            raised=before.raised,
            severity=max(before.severity, now.severity),
            sensors=before.sensors | now.sensors,
            conditions=tuple((dict(now.conditions) | dict(before.conditions)).items()),
        )


def _span(event: Event, told: ToldKinds) -> IncidentSpan:
    data = msgspec.json.decode(event.payload)["data"]
    told.hear(data, event.time)
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
        joined=told.joined,
        conditions=tuple((each["kind"], read_time(each["since"])) for each in data["conditions"]),
    )
