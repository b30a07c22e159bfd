"""`edgewarden events`: what was found, as a list that can be filtered and followed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.moments import Moment

if TYPE_CHECKING:
    from edge.shell.store import EventFilter

COLOURS = {"INFO": "blue", "WARN": "yellow", "ERROR": "red", "FATAL": "magenta"}
FOLLOW_S = 0.5


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), default=Path("edgewarden.toml"), show_default=True,
              help="Configuration, for the place of the store.")  # fmt: skip
@click.option("--store", type=click.Path(path_type=Path), help="The store's file itself, instead of a configuration.")
@click.option("--sensor", help="Only sensors whose name fits this glob, such as 'line1/*'.")
@click.option("--kind", "kinds", multiple=True, help="Only this kind of incident; may be given several times.")
@click.option("--transition", "transitions", multiple=True, help="Only raised, updated, cleared, expired or gap.")
@click.option("--severity", type=click.IntRange(1, 1000), default=1, show_default=True, help="At least this severe.")
@click.option("--since", type=Moment(), help="Not before this time: RFC 3339, a date, or 24h for a day ago.")
@click.option("--until", type=Moment(), help="Before this time.")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="So many, the latest.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--follow", "-f", is_flag=True, help="Wait for more until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="The events themselves, as JSON lines.")
def events(
    path: Path,
    store: Path | None,
    sensor: str | None,
    kinds: tuple[str, ...],
    transitions: tuple[str, ...],
    severity: int,
    since: float | None,
    until: float | None,
    last: int,
    everything: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """List what was found, oldest first; filter it; follow it as it comes."""
    from edge.commands.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.shell.store import EventFilter  # noqa: PLC0415

    with explained():
        if store is None:
            from config.loading import load  # noqa: PLC0415

            store = load(path).store.path
        chosen = EventFilter(sensor, kinds, transitions, severity, since, until)
        _show(store, chosen, None if everything else last, follow=follow, as_json=as_json)


def _show(store: Path, chosen: EventFilter, last: int | None, *, follow: bool, as_json: bool) -> None:
    from edge.shell.store import read_events  # noqa: PLC0415 - loaded when the command runs

    rows = read_events(store, chosen, last=last)
    if not rows and not follow:
        click.echo("Nothing was found.", err=True)
    after = 0
    while True:
        for row in rows:
            click.echo(row["payload"] if as_json else line_of(row))
            after = row["sequence"]
        if not follow:
            return
        try:
            time.sleep(FOLLOW_S)
        except KeyboardInterrupt:
            return
        rows = read_events(store, chosen, after=after)


def line_of(row: dict[str, Any]) -> str:
    """One event on one line: when, how severe, what happened, and the sentence."""
    from edge.core.events import severity_name  # noqa: PLC0415 - loaded when the command runs

    text = severity_name(row["severity"])[0]
    moment = datetime.fromtimestamp(row["time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    colour = "green" if row["transition"] in {"cleared", "expired"} else COLOURS[text]
    word = click.style(f"{row['transition']:<8}", fg=colour, bold=row["transition"] == "raised")
    waiting = "" if row["confirmed"] else click.style("  (not yet delivered)", dim=True)
    return f"{moment}  {text:<5}  {word}  {row['kind']:<11}  {row['message']}{waiting}"
