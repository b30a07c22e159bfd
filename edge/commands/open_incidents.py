"""`edgewarden open`: lists the open incidents, worst first."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from edge.commands.support.places import Place, reads_store
from edge.commands.support.values import SensorGlob, Severity

if TYPE_CHECKING:
    from edge.shell.store.reading.overview import OpenIncident


@click.command("open")
@click.argument("sensors", metavar="[GLOB]", type=SensorGlob(), required=False)
@reads_store
@click.option("--sensor", type=SensorGlob(), help="Same as GLOB.")
@click.option("--severity", type=Severity(), default=1,
              help="Minimum severity: INFO, WARN, ERROR, FATAL, or 1 to 1000.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the last event of each as JSON lines.")
def open_incidents(place: Place, sensors: str | None, sensor: str | None, severity: int, as_json: bool) -> None:
    """List the open incidents, the most severe first: since when, and what is wrong.

    GLOB is a sensor's name or a glob: * matches within one level, ** any number of levels. The service may be running
    or stopped; if it is stopped, these are the incidents that were open at its end.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.places import one_glob  # noqa: PLC0415
    from edge.commands.support.printing.terminal import heading  # noqa: PLC0415
    from edge.commands.support.service.service_state import service_state  # noqa: PLC0415
    from edge.commands.support.values import UnknownSensorError, no_sensor  # noqa: PLC0415
    from edge.core.model.notation.globs import fits  # noqa: PLC0415
    from edge.core.model.notation.printable import printable_json  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415
    from edge.shell.store import read_sensor_names  # noqa: PLC0415
    from edge.shell.store.reading.overview import read_open  # noqa: PLC0415

    glob = one_glob(sensors, sensor)
    with explained():
        store = place.store()
        incidents = read_open(store)
        if glob is not None:
            names = [*read_sensor_names(store), *(each.sensor for each in incidents)]
            if not any(fits(glob, name) for name in names):
                raise UnknownSensorError(no_sensor(glob, names))
            incidents = [each for each in incidents if fits(glob, each.sensor)]
        incidents = [each for each in incidents if each.severity >= severity]
        state = service_state(store)
    if as_json:
        click.echo(state.words(), err=True)
        for each in incidents:
            click.echo(printable_json(json.dumps(each.event, ensure_ascii=False)))
        return
    heading(f"{counted(len(incidents), 'open incident')}; {state.words()}")
    now = time.time()
    for each in incidents:
        _show(each, now)


def _show(incident: OpenIncident, now: float) -> None:
    from edge.commands.events import COLOURS  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.durations import ago, epoch, moment  # noqa: PLC0415
    from edge.commands.support.printing.terminal import paragraph  # noqa: PLC0415
    from edge.core.model.notation.printable import printable  # noqa: PLC0415

    event = incident.event
    data = event["data"]
    started = epoch(data["started"])
    word = click.style(f"{event['severitytext']:<5}", fg=COLOURS[event["severitytext"]], bold=True)
    notes = [name for name in ("acknowledged", "shelved") if data[name]]
    click.echo(
        f"{word}  since {moment(started)} ({ago(now - started)})"
        f"  {data['kind']}, severity {data['severity']}{''.join(f', {each}' for each in notes)}"
    )
    paragraph(printable(incident.sentence), indent=7)
