"""`edgewarden export`: writes the stored readings as CSV."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TextIO

import click

from edge.commands.support.moments import PastMoment
from edge.commands.support.places import FILE, Place, reads_store
from edge.commands.support.values import SensorGlob, UnknownSensorError, no_sensor
from edge.core.model.notation.globs import fits


@click.command()
@click.argument("file", type=FILE, metavar="[STORE]", required=False)
@reads_store
@click.option("--sensor", type=SensorGlob(), help="Only sensors that match this glob, such as 'line1/*'.")
@click.option("--since", type=PastMoment(), help="Only since this time: RFC 3339, a date, or 24h for a day ago.")
@click.option("--until", type=PastMoment(), help="Only before this time.")
@click.option("--output", type=FILE, help="Write the rows here instead of to standard output.")
def export(
    file: Path | None, place: Place, sensor: str | None, since: float | None, until: float | None, output: Path | None
) -> None:
    """Write the readings of a store's journal as CSV, in the order of their arrival: time, sensor, value.

    STORE is the same as --store. The service may be running or stopped. `edgewarden replay` reads this format. Readings
    that were refused later, as late or as duplicates, are included.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs

    with explained():
        store = file or place.store()
        target = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
        try:
            _write(store, sensor, since, until, target)
        finally:
            if output:
                target.close()


def _write(store: Path, sensor: str | None, since: float | None, until: float | None, target: TextIO) -> None:
    from edge.core.incidents.events.event import exact_timestamp  # noqa: PLC0415 - loaded when the command runs
    from edge.core.model.sensors.vacancies import had_it_last  # noqa: PLC0415
    from edge.core.persistence.journal import Readings, note_names  # noqa: PLC0415
    from edge.shell.store import read_history  # noqa: PLC0415

    history = read_history(store)
    names = [name for name, *_ in history.sensors]
    known: dict[str, bool] = {}

    def is_wanted(name: str) -> bool:
        if name not in known:
            known[name] = sensor is None or fits(sensor, name)
        return known[name]

    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(("time", "sensor", "value"))
    for part in history.parts:
        note_names(names, part)
        if not isinstance(part, Readings):
            continue
        batch = part.batch
        for slot, time, value in zip(batch.slots.tolist(), batch.times.tolist(), batch.values.tolist(), strict=True):
            name = had_it_last(names[slot])
            if is_wanted(name) and (since is None or time >= since) and (until is None or time < until):
                writer.writerow((exact_timestamp(time), name, repr(value)))
    if sensor is not None and not any(is_wanted(had_it_last(each)) for each in names):
        raise UnknownSensorError(no_sensor(sensor, list(map(had_it_last, names))))
