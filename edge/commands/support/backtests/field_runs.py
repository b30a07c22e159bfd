"""Running field cases, in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from edge.commands.support.backtests.extent import Extent
from edge.commands.support.backtests.replaying import play
from edge.core.model.readings.messages import Reading
from edge.evaluation.csv_files import BenchmarkError
from edge.evaluation.field_cases import LABELS, READINGS, FieldCase, prepared, read_wanted
from edge.evaluation.field_judging import JudgedCase, ToldIncidents, judge
from edge.shell.files.csv_file import read_csv
from edge.shell.service.assembly.parts import load_or_default, make_pipeline


def run_cases(cases: Sequence[FieldCase], configs: Sequence[Path | None], workers: int) -> Iterator[JudgedCase]:
    """Run and judge cases, in their order.

    Args:
        cases: The cases.
        configs: The configuration of each, which must have been checked; None for the shipped defaults.
        workers: Number of processes.

    Raises:
        BenchmarkError: A case can't be made, its labels can't be read, or it has no reading.
        CsvError: Its readings can't be read.
    """
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_run, cases, configs)


def _run(case: FieldCase, config: Path | None) -> JudgedCase:
    pipeline = make_pipeline(load_or_default(config, None))
    told, extent = ToldIncidents(), Extent()
    with prepared(case) as folder:
        wanted = read_wanted(folder / LABELS)
        for events in play(pipeline, _noted(extent, read_csv(folder / READINGS))):
            told.take(events)
    if not extent.sensors:
        raise BenchmarkError(f"{case.name}: {READINGS} holds no reading")
    return judge(wanted, told.incidents, len(extent.sensors), extent.first, extent.last)


def _noted(extent: Extent, readings: Iterator[Reading]) -> Iterator[Reading]:
    for each in readings:
        extent.take(each.sensor, each.time)
        yield each
