"""`edgewarden replay`: runs the pipeline over a file or the store's journal, without a broker."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from edge.commands.support.moments import PastMoment
from edge.commands.support.places import FILE, USUAL, other_config_option

if TYPE_CHECKING:
    from edge.core.incidents.events.event import Event


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--journal", is_flag=True, help="Read the journal of a store; FILE is then the store.")
@click.option("--store", type=FILE, help="The store whose journal to read; implies --journal.")
@click.option(
    "--since",
    type=PastMoment(),
    help="For a journal: only readings that arrived since this time: RFC 3339, a date, or 24h.",
)
@other_config_option("Configuration; default: shipped defaults.")
@click.option("--gateway", default=None, help="Gateway name in the events; default: the configuration's.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the events here instead of to standard output.")
@click.option("--summary/--no-summary", default=True, help="Print a summary to standard error.")
def replay(
    file: Path | None,
    journal: bool,
    store: Path | None,
    since: float | None,
    config_path: Path | None,
    gateway: str | None,
    output: Path | None,
    summary: bool,
) -> None:
    """Run the detectors over a CSV FILE and write the events as JSON lines.

    FILE has a column for the time and either the columns `sensor` and `value` or one column per sensor. The events are
    the same as in the service, including those about new sensors.

    With --journal, the readings are those in a store, which shows the events that this configuration would have raised
    in the last days. FILE is the store, by default that of the configuration, which is edgewarden.toml without
    --config. The service may be running.
    """
    from edge.commands.support.backtests.replaying import play, play_journal  # noqa: PLC0415
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.files.csv_file import read_csv  # noqa: PLC0415
    from edge.shell.service.assembly.parts import load_or_default, make_pipeline  # noqa: PLC0415

    if store is not None and file is not None:
        raise click.UsageError("give either FILE or --store")
    file, journal = store or file, journal or store is not None
    if file is None and not journal:
        raise click.UsageError("give a CSV file, or --journal")
    if since is not None and not journal:
        raise click.UsageError("--since needs --journal")
    with explained():
        if file is None and config_path is None:
            config_path = USUAL
        configuration = load_or_default(config_path, gateway)
        pipeline = make_pipeline(configuration, tells_of_sensors=True)
        if journal:
            found = play_journal(pipeline, file or configuration.store.path, since)
        else:
            found = play(pipeline, read_csv(file or Path()))
        target = output.open("w", encoding="utf-8") if output else sys.stdout
        try:
            for events in found:
                _write(events, target)
        finally:
            if output:
                target.close()
    if summary:
        from edge.core.model.notation.quantities import counted  # noqa: PLC0415 - loaded when the command runs

        counters = pipeline.counters
        refused = ", ".join(f"{count} {reason}" for reason, count in sorted(counters.readings_refused.items()))
        click.echo(
            f"{counted(counters.readings_taken, 'reading')} of {counted(pipeline.sensors.sensors, 'sensor')}; "
            f"refused: {refused or 'none'}; {counted(counters.events['raised'], 'incident')}, "
            f"{len(pipeline.engine.open_incidents)} of them still open",
            err=True,
        )


def _write(events: list[Event], target: TextIO) -> None:
    target.writelines(f"{event.payload.decode()}\n" for event in events)
