"""`edgewarden sensors`: lists every sensor with its last value, detectors, and learning progress."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from edge.commands.support.places import Place, reads_store
from edge.commands.support.values import SensorGlob

PEERS_NAMED = 8
FEWEST_PEERS = 2
"""Maximum number of peers listed for a sensor, and minimum number for a comparison."""


@click.command()
@click.argument("sensors_", metavar="[GLOB]", type=SensorGlob(), required=False)
@reads_store
@click.option("--sensor", type=SensorGlob(), help="Same as GLOB.")
@click.option("--long", "-l", "in_full", is_flag=True, help="Print a block with all details for each sensor.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def sensors(place: Place, sensors_: str | None, sensor: str | None, in_full: bool, as_json: bool) -> None:
    """List the sensors: last value and its age, usual interval, detectors, and learning progress.

    A sensor is `new` until it has sent 30 readings. It is `learning` while its raising level is assumed from its
    interval, and `learned` once the level is computed from its own scores; with a configured threshold it is `fixed`.

    For a machine with states, the values of the states are listed, and for a counter the unit of its rate, as of the
    last snapshot.

    GLOB is a sensor's name or a glob: * matches within one level, ** any number of levels. The service may be running
    or stopped.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.places import one_glob  # noqa: PLC0415
    from edge.commands.support.printing.terminal import heading  # noqa: PLC0415
    from edge.commands.support.sensor_rows import sensor_rows  # noqa: PLC0415
    from edge.commands.support.service.service_state import service_state  # noqa: PLC0415
    from edge.commands.support.values import matching  # noqa: PLC0415
    from edge.core.model.notation.printable import printable  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415
    from edge.shell.store.reading.overview import read_counters, read_recognised, read_state  # noqa: PLC0415

    glob = one_glob(sensors_, sensor)
    with explained():
        configuration = place.configuration_if_any()
        store = place.store()
        rows = sensor_rows(read_state(store), configuration, read_recognised(store), read_counters(store))
        wanted = set(matching(glob, [row["sensor"] for row in rows]))
        state = service_state(store)
        if note := place.whose(str(state.status.get("gateway", ""))):
            click.echo(printable(note), err=True)
    rows = sorted((row for row in rows if row["sensor"] in wanted), key=lambda row: row["sensor"])
    now = time.time()
    if as_json:
        click.echo(state.words(), err=True)
        for row in rows:
            click.echo(json.dumps(_plain(row, now)))
        return
    heading(f"{counted(len(rows), 'sensor')}; {state.words()}")
    if configuration is None:
        click.echo("There is no configuration here, so their detectors aren't shown; name it with --config.", err=True)
    if in_full:
        for row in rows:
            _show(row, now)
    elif rows:
        _list(rows, now)


def _plain(row: dict[str, Any], now: float) -> dict[str, Any]:
    from edge.core.incidents.events.event import timestamp  # noqa: PLC0415 - loaded when the command runs

    seen = row["time"]
    age = None if seen is None else round(now - seen, 3)
    return {**row, "time": None if seen is None else timestamp(seen), "age_s": age}


def _list(rows: list[dict[str, Any]], now: float) -> None:
    """One line per sensor; the most common detectors are listed once, below."""
    from collections import Counter  # noqa: PLC0415 - loaded when the command runs

    from edge.commands.support.printing.tables import table  # noqa: PLC0415
    from edge.commands.support.printing.terminal import paragraph  # noqa: PLC0415
    from edge.core.model.notation.printable import printable  # noqa: PLC0415

    by = [_by(row) for row in rows]
    usual, often = Counter(by).most_common(1)[0]
    shown = ["" if each == usual and often > 1 else each for each in by]
    headings = ["sensor", "value", "age", "every", "learned", "readings"]
    lines = [
        [row["sensor"], _value(row), _age(row, now), _every(row), row["learned"], f"{row['readings']:,}"]
        for row in rows
    ]
    if any(row["counter"] for row in rows):
        headings.append("counts")
        lines = [[*line, _counts(row)] for line, row in zip(lines, rows, strict=True)]
    if any(row["states"] for row in rows):
        headings.append("states")
        lines = [[*line, _states(row)] for line, row in zip(lines, rows, strict=True)]
    if any(shown):
        headings.append("watched by")
        lines = [[*line, each] for line, each in zip(lines, shown, strict=True)]
    table(headings, lines, right=(1, 2, 3, 5))
    if often > 1 and usual:
        others = "They are" if often == len(rows) else "Where nothing else is said, they are"
        paragraph(f"{others} watched by {printable(usual)}.")


def _show(row: dict[str, Any], now: float) -> None:
    from edge.commands.support.printing.durations import moment  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import term  # noqa: PLC0415
    from edge.core.model.notation.printable import printable  # noqa: PLC0415

    click.echo()
    click.secho(printable(row["sensor"]), fg="cyan", bold=True)
    if row["time"] is None:
        term("value", "none yet")
    else:
        term("value", f"{_value(row)} at {moment(row['time'])} UTC, {_age(row, now)}")
    term("interval", _every(row) or "unknown yet")
    term("learned", f"{row['learned']}: {row['readings']:,} readings, watched for {row['days_watched']:g} days")
    if row["counter"]:
        term("counter", _counter(row))
    if row["states"]:
        term("states", _states(row))
    if row["detectors"] is None:
        return
    term("rule", printable(row["rule"]) if row["rule"] else "the default")
    term("detectors", ", ".join(row["detectors"]) or "none: it isn't watched")
    if row["limits"]:
        term("limits", ", ".join(f"{name} {bound:g}" for name, bound in row["limits"].items()))
    if row["peers"]:
        term("peers", _peers(row))
    if row["companions"]:
        term("companions", ", ".join(printable(each.rpartition("/")[2]) for each in row["companions"]))
    if row["device"] is not None:
        term("device", printable(row["device"]))
    term("raising level", f"{row['level']:g} decades of surprise")


def _value(row: dict[str, Any]) -> str:
    from edge.core.model.notation.quantities import quantity  # noqa: PLC0415 - loaded when the command runs

    return "" if row["value"] is None else quantity(row["value"], row["unit"])


def _age(row: dict[str, Any], now: float) -> str:
    from edge.commands.support.printing.durations import ago  # noqa: PLC0415 - loaded when the command runs

    return "" if row["time"] is None else ago(now - row["time"])


def _every(row: dict[str, Any]) -> str:
    from edge.core.model.notation.quantities import duration  # noqa: PLC0415 - loaded when the command runs

    return "" if row["interval_s"] is None else duration(row["interval_s"])


def _peers(row: dict[str, Any]) -> str:
    from edge.core.model.notation.printable import printable  # noqa: PLC0415 - loaded when the command runs

    names = ", ".join(map(printable, row["peers"][:PEERS_NAMED]))
    more = len(row["peers"]) - PEERS_NAMED
    few = " (too few to compare)" if len(row["peers"]) < FEWEST_PEERS else ""
    return f"{names} and {more} more" if more > 0 else names + few


def _states(row: dict[str, Any]) -> str:
    from edge.core.model.notation.quantities import number  # noqa: PLC0415 - loaded when the command runs

    return ", ".join(map(number, row["states"]))


def _counts(row: dict[str, Any]) -> str:
    return "" if row["counter"] is None else row["counter"]["unit"] or "yes"


def _counter(row: dict[str, Any]) -> str:
    from edge.core.model.notation.quantities import duration  # noqa: PLC0415 - loaded when the command runs

    counter = row["counter"]
    why = "by its rule" if counter["by"] == "the rule" else "since it only rises, except for resets"
    if counter["unit"] is None:
        return f"{why}; how fast it counts isn't known yet"
    return f"{why}; monitored by its pace in {counter['unit']} over {duration(counter['stretch_s'])}"


def _by(row: dict[str, Any]) -> str:
    if row["detectors"] is None:
        return ""
    if not row["detectors"]:
        return "nothing"
    rule = f"{row['rule']}: " if row["rule"] else ""
    limits = ", ".join(f"{name} {bound:g}" for name, bound in (row["limits"] or {}).items())
    names = [f"limits ({limits})" if name == "limits" and limits else name for name in row["detectors"]]
    return rule + ", ".join(names) + (f"; device {row['device']}" if row["device"] is not None else "")
