"""`edgewarden score`: the score of each reading of a CSV file, as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from edge.commands.support.detector_choice import check_detector, with_only
from edge.commands.support.places import other_config_option
from edge.commands.support.printing.progress import Progress

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.core.model.readings.messages import Reading
    from edge.core.pipeline import Pipeline
    from edge.shell.files.csv_file import CsvAccount


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@other_config_option("Configuration; default: shipped defaults.")
@click.option("--detector", metavar="NAME", callback=check_detector,
              help="Only this detector, with its default parameters.")  # fmt: skip
@click.option("--lenient", is_flag=True, help="Skip and count rows that can't be read.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the rows here instead of to standard output.")
def score(file: Path, config_path: Path | None, detector: str | None, lenient: bool, output: Path | None) -> None:
    """Write the score of each reading in a CSV FILE, one row per reading, in the file's order.

    Columns: time, sensor, value; score, in decades of surprise (6 is one in a million by chance), empty if the sensor
    hasn't been learned yet or the reading was refused; threshold, the raising level; expected, lower and upper, of the
    detector with the highest score among those that expect a value; detector, the one with the highest score; incident,
    the incident that is open after the reading, or empty.

    FILE has a column for the time and either the columns `sensor` and `value` or one column per sensor. Separators,
    decimal commas and formats of times are detected. A row that can't be read ends the command with its line number,
    unless --lenient is given. Times may be out of order within 100,000 readings; later readings are refused, as are
    repeated readings of a sensor and time.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.files.csv_file import CsvAccount  # noqa: PLC0415
    from edge.shell.service.assembly.parts import load_or_default, make_pipeline  # noqa: PLC0415

    with explained():
        configuration = load_or_default(config_path)
        if detector is not None:
            configuration = with_only(configuration, detector)
        pipeline, account = make_pipeline(configuration), CsvAccount()
        rows = _rows(file, configuration, pipeline, account, lenient=lenient)
        first = next(rows, None)  # errors in the file are reported before the output is opened
        target = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
        try:
            _write(first, rows, target)
        finally:
            if output:
                target.close()
    refused = sum(pipeline.counters.readings_refused.values())
    notes = [
        f"{account.readings} readings of {pipeline.sensors.sensors} sensors",
        f"{pipeline.counters.events['raised']} incidents",
        f"{account.missing} empty cells" if account.missing else "",
        f"{refused} readings refused as late or repeated" if refused else "",
        f"{account.left_out} rows left out, the first {account.first_left_out}" if account.left_out else "",
    ]
    click.echo("; ".join(each for each in notes if each), err=True)


def _rows(
    file: Path, configuration: Configuration, pipeline: Pipeline, account: CsvAccount, *, lenient: bool
) -> Iterator[list[str]]:
    from edge.commands.support.backtests.replaying import chunks  # noqa: PLC0415 - loaded when the command runs
    from edge.reports.score_rows import ScoreRows  # noqa: PLC0415
    from edge.shell.files.csv_file import in_order, read_csv  # noqa: PLC0415

    rows = ScoreRows(pipeline, configuration.gateway.name)

    def noted() -> Iterator[Reading]:
        for reading in read_csv(file, lenient=lenient, account=account):
            rows.expect(reading)
            yield reading

    readings = in_order(noted())
    with Progress() as progress:
        progress.begin(file.name)
        size = max(1, file.stat().st_size) if file.exists() else 1
        for chunk, quiet_until in chunks(readings):
            pipeline.process_readings(chunk, quiet_until)
            if configuration.limits.reorder_s == 0:
                rows.settle(chunk)
            progress.at(account.bytes_read / size)
            yield from rows.ready()
        pipeline.flush()
        yield from rows.ready(everything=True)


def _write(first: list[str] | None, rows: Iterator[list[str]], target: TextIO) -> None:
    from edge.reports.score_rows import COLUMNS  # noqa: PLC0415 - loaded when the command runs

    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    if first is not None:
        writer.writerow(first)
        writer.writerows(rows)
