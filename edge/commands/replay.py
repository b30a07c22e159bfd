"""`edgewarden replay`: the same line over a file, without a broker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from edge.core.events import Event

CHUNK = 5_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="Configuration; default: shipped defaults.",
)
@click.option("--gateway", default=None, help="Gateway name in the events; default: the configuration's.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the events here instead of to standard output.")
@click.option("--summary/--no-summary", default=True, help="Say on standard error what was read and found.")
def replay(file: Path, config_path: Path | None, gateway: str | None, output: Path | None, summary: bool) -> None:
    """Run the detectors over a CSV FILE and write the events as JSON lines.

    FILE has a column for the time and either the columns `sensor` and `value` or one column a sensor. The same readings
    give the same events as they do live.
    """
    from edge.commands.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.assembly import load_or_default, make_pipeline  # noqa: PLC0415
    from edge.shell.csv_file import read_csv  # noqa: PLC0415

    with explained():
        configuration = load_or_default(config_path, gateway)
        pipeline = make_pipeline(configuration)
        readings = read_csv(file)
        target = output.open("w", encoding="utf-8") if output else sys.stdout
        try:
            chunk = []
            for reading in readings:
                chunk.append(reading)
                if len(chunk) >= CHUNK:
                    _write(pipeline.process_readings(chunk).events, target)
                    chunk.clear()
            _write(pipeline.process_readings(chunk).events, target)
        finally:
            if output:
                target.close()
    if summary:
        accounts = pipeline.accounts
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(accounts.readings_refused.items()))
        click.echo(
            f"{accounts.readings_taken} readings of {len(pipeline.sensors)} sensors; "
            f"refused: {refused or 'none'}; {accounts.events['raised']} incidents, "
            f"{len(pipeline.engine.open_incidents)} of them still open",
            err=True,
        )


def _write(events: list[Event], target: TextIO) -> None:
    target.writelines(f"{event.payload.decode()}\n" for event in events)
