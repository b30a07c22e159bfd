"""The runs of a backtest: over files and journals, once for each configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.schema import Configuration
from edge.commands.support.backtests.replaying import chunks, play_journal
from edge.commands.support.printing.progress import Progress
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Reading
from edge.core.pipeline import Pipeline
from edge.reports.backtest import BacktestRun, Dataset
from edge.reports.labels import Label, LabelRuns
from edge.reports.recording.recording import Recording
from edge.shell.files.csv_file import CsvAccount, CsvError, in_order, read_csv
from edge.shell.service.assembly.parts import make_pipeline


@dataclass
class RecordedPlant:
    """Readings of one plant.

    Attributes:
        name: Name in the report.
        files: CSV files in sequence, or the single file of a store.
        is_journal: Whether it is a store.
        labels: The labels; None if there are none.
    """

    name: str
    files: list[Path]
    is_journal: bool = False
    labels: list[Label] | None = None


def sources_of(files: Sequence[Path], journals: Sequence[Path], *, joined: bool) -> list[RecordedPlant]:
    """The data to run over.

    Raises:
        CsvError: There is no such file.
    """
    for each in (*files, *journals):
        if not each.is_file():
            raise CsvError(f"{each}: there is no such file")
    if joined and len(files) > 1:
        found = [RecordedPlant(f"{files[0].name} and {len(files) - 1} more", list(files))]
    else:
        names = [each.name for each in files]
        found = [RecordedPlant(each.name if names.count(each.name) == 1 else str(each), [each]) for each in files]
    return found + [RecordedPlant(each.name, [each], is_journal=True) for each in journals]


def run_all(
    source: RecordedPlant,
    configurations: Sequence[tuple[str, Configuration]],
    budgets: Sequence[float],
    progress: Progress,
    *,
    lenient: bool,
) -> tuple[Dataset, list[str]]:
    """Run every configuration over a source; returns the outcome, and the errors of rows that were skipped.

    Raises:
        CsvError: A row is malformed.
    """
    dataset = Dataset(source.name, source.labels, [])
    problems: list[str] = []
    for place, (name, configuration) in enumerate(configurations):
        progress.begin(f"{source.name}  {name}" if len(configurations) > 1 else source.name)
        pipeline = make_pipeline(configuration)
        recording = Recording(pipeline, budgets)
        if source.is_journal:
            steps = play_journal(pipeline, source.files[0])
        else:
            runs = [LabelRuns(each.name) for each in source.files]
            counters = [CsvAccount() for _ in source.files]
            steps = _over_files(pipeline, source.files, counters, runs, progress, lenient=lenient)
        for events in steps:
            recording.take(events)
        recording.finish()
        if not source.is_journal and place == 0:
            dataset.missing = sum(each.missing for each in counters)
            dataset.left_out = sum(each.left_out for each in counters)
            problems = [each.first_left_out for each in counters if each.left_out]
            if any(each.has_labels for each in counters):
                dataset.labels = [*(dataset.labels or ()), *(label for each in runs for label in each.finish())]
        refused = dict(pipeline.counters.readings_refused)
        dataset.runs.append(BacktestRun(recording.sensors, recording.budgets.incidents.tolist(), refused))
    return dataset, problems


def _over_files(
    pipeline: Pipeline,
    files: Sequence[Path],
    counters: Sequence[CsvAccount],
    runs: Sequence[LabelRuns],
    progress: Progress,
    *,
    lenient: bool,
) -> Iterator[list[Event]]:
    sizes = [max(1, each.stat().st_size) for each in files]
    readings = in_order(_chained(files, counters, runs, lenient=lenient))
    for chunk, quiet_until in chunks(readings):
        yield pipeline.process_readings(chunk, quiet_until).events
        progress.at(pipeline.counters.readings / max(1, sum(each.readings for each in counters))
                    * sum(each.bytes_read for each in counters) / sum(sizes))  # fmt: skip
    yield pipeline.flush().events


def _chained(
    files: Sequence[Path], counters: Sequence[CsvAccount], runs: Sequence[LabelRuns], *, lenient: bool
) -> Iterator[Reading]:
    for file, account, run in zip(files, counters, runs, strict=True):
        yield from read_csv(file, lenient=lenient, account=account, on_label=run.note)


def notes_on(dataset: Dataset, problems: Sequence[str]) -> str:
    """The part of a dataset that was not used, as text; empty if all was."""
    refused = dataset.runs[0].refused
    notes = [f"{count} readings refused: {reason}" for reason, count in sorted(refused.items()) if count]
    if dataset.left_out:
        notes.append(f"{dataset.left_out} rows left out, the first {problems[0]}")
    if dataset.missing:
        notes.append(f"{dataset.missing} empty cells")
    return f"{dataset.name}: {'; '.join(notes)}" if notes else ""
