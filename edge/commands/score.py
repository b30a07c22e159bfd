"""`edgewarden score`: the score of each reading of a CSV file, as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from edge.commands.support.choosing import check_detector, with_only
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
@click.option("--lenient", is_flag=True, help="Leave out rows that can't be read, and count them.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the rows here instead of to standard output.")
def score(file: Path, config_path: Path | None, detector: str | None, lenient: bool, output: Path | None) -> None:
    """Write how surprising each reading of a CSV FILE is, one row a reading, in the file's order.

    The columns: time, sensor, value; score, in decades of surprise (6 is one in a million by chance), empty while
    nothing is known of the sensor or where the reading was refused; threshold, at which an incident is raised;
    expected, lower and upper of the most surprised detector that expects something; detector, the most surprised;
    incident, the open one after the reading, or empty.

    FILE has a column for the time and either the columns `sensor` and `value` or one column a sensor. Separators,
    decimal commas and forms of time are recognised. A row that can't be read ends the command with its line number,
    unless --lenient is given. Times may be out of order among 100,000 readings; what comes later still is refused, and
    so is a second reading of the same sensor and time.
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
        first = next(rows, None)  # what is wrong with the file is said before the output is opened
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
    from edge.commands.support.backtests.playing import chunks  # noqa: PLC0415 - loaded when the command runs
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
