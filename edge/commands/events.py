"""`edgewarden events`: lists events, with filters and live updates."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.support.moments import PastMoment
from edge.commands.support.places import Place, reads_store
from edge.commands.support.values import (
    TRANSITIONS,
    Kind,
    SensorGlob,
    Severity,
    UnknownSensorError,
    Word,
    latest_of,
    no_sensor,
)
from edge.core.model.notation.globs import fits
from edge.core.model.notation.printable import printable, printable_json

if TYPE_CHECKING:
    from edge.shell.store import EventFilter

COLOURS = {"INFO": "blue", "WARN": "yellow", "ERROR": "red", "FATAL": "magenta"}
FOLLOW_S = 0.5


@click.command()
@click.argument("sensors", metavar="[GLOB]", type=SensorGlob(), required=False)
@reads_store
@click.option("--sensor", type=SensorGlob(), help="Same as GLOB.")
@click.option("--kind", "kinds", type=Kind(), multiple=True,
              help="Only this kind of incident, or gaps of this reason; may be given several times.")  # fmt: skip
@click.option("--transition", "transitions", type=Word("transition", TRANSITIONS), multiple=True,
              help="Only raised, updated, cleared, expired, gap, ...; may be given several times. discovered and"
                   " forgotten are shown only if given.")  # fmt: skip
@click.option("--severity", type=Severity(), default=1,
              help="Minimum severity: INFO, WARN, ERROR, FATAL, or 1 to 1000.")  # fmt: skip
@click.option("--since", type=PastMoment(), help="Only since this time: RFC 3339, a date, or 24h for a day ago.")
@click.option("--until", type=PastMoment(), help="Only before this time.")
@click.option("--last", type=click.IntRange(1), default=50, show_default=True, help="Maximum number, the latest ones.")
@click.option("--all", "everything", is_flag=True, help="No limit on the number.")
@click.option("--follow", "-f", is_flag=True, help="Wait for further events until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON lines.")
def events(
    place: Place,
    sensors: str | None,
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
    """List events, oldest first, with filters and live updates.

    GLOB is a sensor's name or a glob: * matches within one level, ** any number of levels.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.places import one_glob  # noqa: PLC0415
    from edge.shell.store import EventFilter  # noqa: PLC0415

    most = None if everything else last
    with explained():
        chosen = EventFilter(one_glob(sensors, sensor), kinds, transitions, severity, since, until)
        _show(place.store(), chosen, most, follow=follow, as_json=as_json)


def _show(store: Path, chosen: EventFilter, most: int | None, *, follow: bool, as_json: bool) -> None:
    from edge.shell.store import read_events, read_sensor_names  # noqa: PLC0415 - loaded when the command runs

    rows = latest_of(read_events(store, chosen, last=None if most is None else most + 1), most, "event")
    if not rows:
        names = [] if chosen.sensor is None else read_sensor_names(store)
        unknown = chosen.sensor is not None and not any(fits(chosen.sensor, each) for each in names)
        words = no_sensor(chosen.sensor or "", names) if unknown else "Nothing was found."
        if unknown and not follow:
            raise UnknownSensorError(words)
        if unknown or not follow:
            click.echo(f"{words}; waiting for it" if unknown else words, err=True)
    after = 0
    while True:
        for row in rows:
            click.echo(printable_json(row["payload"]) if as_json else line_of(row))
            after = row["sequence"]
        if not follow:
            return
        try:
            time.sleep(FOLLOW_S)
        except KeyboardInterrupt:
            return
        rows = read_events(store, chosen, after=after)


def line_of(row: dict[str, Any]) -> str:
    """One event on one line: time, severity, transition, and sentence."""
    from edge.core.incidents.events.event import severity_name  # noqa: PLC0415 - loaded when the command runs

    text = severity_name(row["severity"])[0]
    moment = datetime.fromtimestamp(row["time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    colour = "green" if row["transition"] in {"cleared", "expired"} else COLOURS[text]
    word = click.style(f"{row['transition']:<8}", fg=colour, bold=row["transition"] == "raised")
    waiting = "" if row["confirmed"] else click.style("  (not yet delivered)", dim=True)
    return f"{moment}  {text:<5}  {word}  {row['kind']:<11}  {printable(row['message'])}{waiting}"
