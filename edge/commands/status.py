"""`edgewarden status`: whether the service runs, what arrives, what is refused, and whether events are delivered."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.commands.support.places import Place, reads_store

if TYPE_CHECKING:
    from edge.commands.support.service.service_state import ServiceState
    from edge.commands.support.service.well_being import WellBeing
    from edge.shell.store.reading.overview import OpenIncident, StoreSize

FINE, NOT_WELL, NOT_RUNNING = 0, 1, 3

OVER_S = 3600.0
"""What hasn't been refused for this long may have been remedied."""


@click.command()
@reads_store
@click.option("--quiet", "-q", is_flag=True, help="Print nothing, only set the exit code.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(place: Place, quiet: bool, as_json: bool) -> None:
    """Print the health of the service: connections, received messages, refused input, and delivery of events.

    Exits with 0 if it is running and well, 1 if it is running with problems, 3 if it isn't running, and 2 if the
    command or the configuration is wrong. Refused input and inputs without messages are shown but aren't problems.

    The data comes from the store and from a file beside it, which the service writes every 10 seconds, and within 2
    seconds of a change; no broker is contacted.
    """
    from edge.commands.support.failures import explained  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.service.disk import disk_problem  # noqa: PLC0415
    from edge.commands.support.service.service_state import service_state  # noqa: PLC0415
    from edge.commands.support.service.well_being import well_being  # noqa: PLC0415
    from edge.shell.store.reading.overview import read_open, read_size  # noqa: PLC0415

    now = time.time()
    with explained():
        store = place.store()
        state = service_state(store)
        size, incidents = (read_size(store), read_open(store)) if store.exists() else (None, [])
    if not quiet and (note := place.whose(str(state.status.get("gateway", "")))):
        click.echo(_safe(note), err=True)
    waiting_s = None if size is None or size.waiting_since is None else max(0.0, now - size.waiting_since)
    how = well_being(state, waiting_s, disk_problem(store))
    if as_json and not quiet:
        click.echo(json.dumps(_as_plain(store, state, how, size, incidents)))
    elif not quiet:
        _show(store, state, how, size, incidents, now)
    sys.exit(NOT_RUNNING if not state.running else NOT_WELL if how.problems else FINE)


def _as_plain(
    store: Path, state: ServiceState, how: WellBeing, size: StoreSize | None, incidents: list[OpenIncident]
) -> dict[str, Any]:
    from edge.core.incidents.events.event import timestamp  # noqa: PLC0415 - loaded when the command runs

    kept = None
    if size is not None:
        kept = {
            **size._asdict(),
            "waiting_since": None if size.waiting_since is None else timestamp(size.waiting_since),
            "last_arrival": None if size.last_arrival is None else timestamp(size.last_arrival),
        }
    return {
        "running": state.running,
        "well": state.running and not how.problems,
        "pid": state.pid,
        "problems": how.problems,
        "notes": how.notes,
        "store": str(store),
        "kept": kept,
        "open_incidents": len(incidents),
        "worst_severity": max((each.severity for each in incidents), default=None),
        "said_age_s": round(state.age_s, 1) if state.status else None,
        "said": state.status or None,
    }


def _show(
    store: Path,
    state: ServiceState,
    how: WellBeing,
    size: StoreSize | None,
    incidents: list[OpenIncident],
    now: float,
) -> None:
    from edge.commands.support.printing.durations import ago  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import heading, paragraph  # noqa: PLC0415

    current = {} if state.is_starting else state.status
    verdict, colour = ("fine", "green") if not how.problems else ("not well", "red")
    if not state.running:
        verdict, colour = "not running", "yellow"
    click.echo(f"{click.style(verdict, fg=colour, bold=True)}: {state.words()}")
    for each in how.problems:
        click.secho(f"  ! {_safe(each)}", fg="red")
    for each in how.notes:
        click.secho(f"  - {_safe(each)}", fg="yellow")
    if current:
        paragraph(
            f"Gateway {current.get('gateway', '')}, version {current.get('version', '')}. {_uptime(current, state)}"
        )
        heading("Connections" if state.running else f"Connections, {ago(state.age_s)}")
        for each in current.get("connections", ()):
            spoken = "Apache Kafka" if each["version"] == "Kafka" else f"MQTT {each['version']}"
            is_there = f"connected with {spoken}" if each["connected"] else "not connected"
            paragraph(_safe(f"{each['carries']}: {each['host']}:{each['port']}, {is_there}"))
        _show_inputs(current, now)
        _show_refused(current, now)
    _show_events(current.get("health", {}), size, incidents, now)
    heading("Store")
    click.echo(f"  {store}{'' if size is not None else ': missing; the service creates it'}")
    if size is not None:
        from edge.commands.support.printing.durations import size as in_bytes  # noqa: PLC0415
        from edge.core.model.notation.quantities import counted  # noqa: PLC0415 - loaded when the command runs

        last = "no reading yet" if size.last_arrival is None else f"last written {ago(now - size.last_arrival)}"
        click.echo(f"  {in_bytes(size.file_bytes)}, {counted(size.events, 'event')}, {last}")


def _uptime(current: dict[str, Any], state: ServiceState) -> str:
    from edge.commands.support.printing.durations import ago  # noqa: PLC0415 - loaded when the command runs
    from edge.core.model.notation.quantities import counted, duration  # noqa: PLC0415

    health = current.get("health", {})
    if "uptime_s" not in health:
        return ""
    known = counted(health.get("sensors", 0), "sensor")
    if health.get("devices"):
        known = f"{known} in {counted(health['devices'], 'device')}"
    learned = f"{known}, {counted(health.get('readings_taken', 0), 'reading')} learned from"
    if state.running:
        return f"Up for {duration(health['uptime_s'] + state.age_s)}. As of {ago(state.age_s)}: {learned}."
    return f"Was up for {duration(health['uptime_s'])}, {learned}."


def _show_inputs(current: dict[str, Any], now: float) -> None:
    from edge.commands.support.printing.durations import ago, epoch  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import heading, term  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415

    heading("Inputs")
    for each in current.get("inputs", ()):
        text = "nothing has arrived"
        if each["last"]:
            rate = f"{each['per_minute']:,.0f} a minute" if each["per_minute"] >= 1 else "less than one a minute"
            text = f"{counted(each['messages'], 'message')}, {rate}, the last {ago(now - epoch(each['last']))}"
        term(_safe(each["topic"]), text, column=20)


def _show_refused(current: dict[str, Any], now: float) -> None:
    """Show what was refused since the start; what has not recurred for a while, such as after a remedy, comes last."""
    from edge.commands.support.printing.durations import ago, epoch  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import heading, paragraph, term  # noqa: PLC0415
    from edge.commands.support.values import meaning_of  # noqa: PLC0415
    from edge.core.model.notation.quantities import duration  # noqa: PLC0415

    refused = current.get("refused", ())
    heading("Refused" if refused else "Refused: nothing")
    last = {id(each): now - epoch(each["last"]) for each in refused if "last" in each}
    for each in sorted(refused, key=lambda its: last.get(id(its), 0.0) >= OVER_S):
        of_input = f" on {_safe(each['input'])}" if each.get("input") else ""
        over = f", none for {duration(last[id(each)])}" if last.get(id(each), 0.0) >= OVER_S else ""
        term(each["reason"], f"{each['count']:,}{of_input}{over}: {meaning_of(each['reason'])}", column=20)
        if "topic" in each:
            detail = f", {each['detail']}" if each["detail"] else ""
            path = f" at {each['path']}" if each["path"] else ""
            example = f"{each['topic']}{path}{detail}: {each['payload']}"
            paragraph(_safe(f"the last {ago(last[id(each)])}: {example}"), indent=22)
    if refused:
        click.echo("  `edgewarden deadletters` shows them.")


def _show_events(health: dict[str, Any], size: StoreSize | None, incidents: list[OpenIncident], now: float) -> None:
    from edge.commands.support.printing.durations import ago  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.printing.terminal import heading, paragraph  # noqa: PLC0415
    from edge.core.model.notation.quantities import counted  # noqa: PLC0415

    heading("Events")
    if size is not None:
        waits = f"{counted(size.waiting, 'event')} wait{'s' if size.waiting == 1 else ''} for delivery"
        since = "" if size.waiting_since is None else f", the oldest since {ago(now - size.waiting_since)}"
        click.echo(f"  {waits}{since}; {health.get('events_confirmed', 0):,} delivered since the start")
    for name, each in health.get("sinks", {}).items():
        waits = f"{counted(each['lag_events'], 'event')} wait{'s' if each['lag_events'] == 1 else ''}"
        state = "" if each["connected"] else ", not connected"
        click.echo(f"  sink {name} ({each['kind']}): {waits}, {each['delivered']:,} delivered since the start{state}")
    if not incidents:
        click.echo("  no open incident")
        return
    worst = incidents[0]
    click.echo(f"  {counted(len(incidents), 'open incident')}; the worst is {worst.event['severitytext']}:")
    paragraph(_safe(worst.sentence), indent=4)
    if len(incidents) > 1:
        click.echo("  `edgewarden open` lists them.")


def _safe(text: str) -> str:
    from edge.core.model.notation.printable import printable  # noqa: PLC0415 - loaded when the command runs

    return printable(text)
