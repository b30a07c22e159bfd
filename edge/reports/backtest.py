"""A backtest: configurations side by side over the same data, and their results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.core.model.notation.severity import severity_class
from edge.reports.judging import IncidentSpan, JudgedRun, Judgement, Rules, judge, summarise
from edge.reports.labels import Label
from edge.reports.recording.recording import SensorRecord

NOTHING = SensorRecord("", 2)


@dataclass
class BacktestRun:
    """One configuration over one dataset.

    Attributes:
        sensors: The recording of each sensor, by name.
        budgets: Number of incidents for each of the backtest's budgets.
        refused: Number of refused readings, by reason.
        judgement: Judgement of its incidents, in the order of `incidents()`; None without labels.
    """

    sensors: dict[str, SensorRecord]
    budgets: list[int]
    refused: dict[str, int] = field(default_factory=dict)
    judgement: Judgement | None = None

    def incidents(self) -> list[IncidentSpan]:
        """All incidents, grouped by sensor."""
        return [each for record in self.sensors.values() for each in record.incidents]

    def words(self) -> dict[str, str]:
        """The verdict on each incident, by its ID."""
        if self.judgement is None:
            return {}
        return {each.incident: word for each, word in zip(self.incidents(), self.judgement.words, strict=True)}


@dataclass
class Dataset:
    """Readings of one plant.

    Attributes:
        name: Name of the file or store.
        labels: The labels; None if there are none.
        runs: One run for each configuration.
        missing: Number of cells without a reading.
        left_out: Number of malformed rows.
    """

    name: str
    labels: list[Label] | None
    runs: list[BacktestRun]
    missing: int = 0
    left_out: int = 0

    def sensors(self) -> list[str]:
        """Names of the sensors in order of their first reading."""
        return list(dict.fromkeys(name for run in self.runs for name in run.sensors))

    def record(self, run: int, sensor: str) -> SensorRecord:
        """The recording of a sensor; empty for an unknown one."""
        return self.runs[run].sensors.get(sensor, NOTHING)


@dataclass
class Total:
    """The outcome of one configuration.

    Attributes:
        readings: Number of scored readings.
        sensors: Number of sensors.
        sensor_days: Their total time in days.
        incidents: Number of incidents.
        by_class: Number of incidents by severity class: INFO, WARN, ERROR, FATAL.
        refused: Number of refused readings.
        budgets: Number of incidents for each budget.
        judged: Comparison with the labels; None without labels.
    """

    readings: int
    sensors: int
    sensor_days: float
    incidents: int
    by_class: list[int]
    refused: int
    budgets: list[int]
    judged: JudgedRun | None


@dataclass
class Backtest:
    """Configurations side by side.

    Attributes:
        configurations: Names of the configurations.
        budgets: Budgets for which incidents were counted, in false alarms per sensor and day.
        rules: The tolerances for matching labels.
        datasets: The datasets.
    """

    configurations: list[str]
    budgets: Sequence[float]
    rules: Rules
    datasets: list[Dataset] = field(default_factory=list)

    def add(self, dataset: Dataset) -> None:
        """Judge a dataset's runs and add it."""
        for run in dataset.runs:
            if dataset.labels is not None:
                run.judgement = judge(dataset.labels, run.incidents(), self.rules)
        self.datasets.append(dataset)

    def total(self, configuration: int) -> Total:
        """The outcome of a configuration."""
        runs = [(each, each.runs[configuration]) for each in self.datasets]
        records = [record for _, run in runs for record in run.sensors.values()]
        incidents = [span for record in records for span in record.incidents]
        judged = [
            (dataset.labels, run.judgement, math.fsum(record.days for record in run.sensors.values()))
            for dataset, run in runs
            if dataset.labels is not None and run.judgement is not None
        ]
        return Total(
            readings=sum(each.readings for each in records),
            sensors=len(records),
            sensor_days=math.fsum(each.days for each in records),
            incidents=len(incidents),
            by_class=[sum(severity_class(span.severity) == rank for span in incidents) for rank in range(4)],
            refused=sum(sum(run.refused.values()) for _, run in runs),
            budgets=[sum(column) for column in zip(*(run.budgets for _, run in runs), strict=True)],
            judged=summarise(judged) if judged else None,
        )

    def interesting(self) -> list[tuple[int, str]]:
        """Every sensor as (dataset, name): those with incidents or labels first, worst at the top."""
        ranked = []
        for number, dataset in enumerate(self.datasets):
            for order, sensor in enumerate(dataset.sensors()):
                ranked.append((*self._rank(dataset, sensor), number, order, sensor))
        return [(number, sensor) for *_, number, _, sensor in sorted(ranked)]

    @staticmethod
    def _rank(dataset: Dataset, sensor: str) -> tuple[int, int]:
        spans = [each for run in range(len(dataset.runs)) for each in dataset.record(run, sensor).incidents]
        labels = sum(each.sensor == sensor for each in dataset.labels or ())
        if not spans and not labels:
            return 2, 0
        return 0 if labels else 1, -max((each.severity for each in spans), default=0)


def verdict_words(label: int, judgement: Judgement) -> str:
    """The outcome of a label in words."""
    delay = judgement.delays[label]
    if not math.isnan(delay):
        return "found"
    return "an incident was open already" if judgement.already[label] else "missed"
