"""`edgewarden tell`: sends operator commands over the configured broker and prints the answers."""

from __future__ import annotations

import json
import sys
import time
import uuid
from functools import wraps
from getpass import getuser
from pathlib import Path
from typing import Any, ClassVar

import click

from edge.commands.support.places import Command, ForwardingGroup, config_option
from edge.commands.support.service.exchange import MomentError, exchange, moment_of
from edge.core.model.notation.printable import printable, printable_json

How = dict[str, Any]
WAIT = "Seconds to wait."
FUTURE = "Accept a SENSOR that matches none yet: those found later are meant."


class Tell(ForwardingGroup):
    """The group of commands; their common options may be before or after the command's name."""

    handed_on: ClassVar[dict[str, bool]] = {
        **dict.fromkeys(("--config", "-c", "--timeout", "--by", "--comment", "--id"), True),
        "--json": False,
    }


def said_how(command: Command) -> Command:
    """Add the options common to all commands; the command gets them as its first argument, a mapping."""

    @config_option("Configuration, for the broker and the topics.")
    @click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help=WAIT)
    @click.option("--by", default=None, help="Who gives the command.  [default: the user's name]")
    @click.option("--comment", default="", help="The reason; it is added to the events.")
    @click.option("--id", "identity", default=None, help="ID of the command; repeating it has no effect.")
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @wraps(command)
    def with_how(**given: Any) -> Any:
        how = {name: given.pop(name) for name in ("path", "timeout", "by", "comment", "identity", "as_json")}
        return command(how, **given)

    return with_how  # type: ignore[return-value]


@click.group(cls=Tell)
def tell() -> None:
    """Send a command to the running service and wait for its answer.

    Exits with 0 if the command was carried out, 1 if it was refused or no answer came, and 2 if the command or the
    configuration is wrong. The options of a command, such as --comment, may come before or after its name.
    """


@tell.command()
@click.argument("sensor", required=False)
@click.option("--incident", help="ID of an incident, instead of a sensor.")
@said_how
def acknowledge(how: How, sensor: str | None, incident: str | None) -> None:
    """Acknowledge the open incidents of SENSOR.

    SENSOR is a name or a glob.
    """
    _say(how, "acknowledge", **_one_of(sensor, incident))


@tell.command()
@click.argument("sensor")
@click.option("--until", required=True, help="A time (06:00 or RFC 3339) or a duration (90m, 2h, 3d).")
@click.option("--future", is_flag=True, help=FUTURE)
@said_how
def mute(how: How, sensor: str, until: str, future: bool) -> None:
    """Stop publishing anything about SENSOR until a time.

    SENSOR is a name or a glob. ISA-18.2 calls it shelving.
    """
    how["future"] = future
    _say(how, "shelve", sensor=sensor, until=_moment(until))


@tell.command()
@click.argument("sensor")
@said_how
def unmute(how: How, sensor: str) -> None:
    """End a mute of the same SENSOR or glob."""
    _say(how, "unshelve", sensor=sensor)


@tell.command()
@click.argument("sensor", required=False)
@click.option("--incident", help="ID of an incident, instead of a sensor.")
@said_how
def normal(how: How, sensor: str | None, incident: str | None) -> None:
    """Declare what SENSOR shows now as normal.

    Its open incident ends, and its detectors learn again. SENSOR is a name or a glob.
    """
    _say(how, "normal", **_one_of(sensor, incident))


@tell.command()
@click.argument("sensor")
@said_how
def forget(how: How, sensor: str) -> None:
    """Forget SENSOR and everything learned about it.

    SENSOR is a name or a glob. A sensor that reports again starts as a new one.
    """
    _say(how, "forget", sensor=sensor)


@tell.command()
@click.argument("sensor")
@click.option("--name", required=True, help="Name of the window; it replaces one of the same name.")
@click.option("--from", "start", help="Start: 06:00, RFC 3339, or 2h from now.  [default: now]")
@click.option("--to", "end", help="End of the window.")
@click.option("--every", help="Weekly instead: 'Mon 06:00-08:00', 'Mon-Fri 22:00-06:00', 'daily 12:00-12:30'.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of --every, such as Europe/Berlin.")
@click.option("--learn", is_flag=True, help="Keep learning during the window.")
@click.option("--future", is_flag=True, help=FUTURE)
@said_how
def maintenance(
    how: How,
    sensor: str,
    name: str,
    start: str | None,
    end: str | None,
    every: str | None,
    zone: str,
    learn: bool,
    future: bool,
) -> None:
    """Declare maintenance of SENSOR, once or weekly.

    During maintenance, nothing is published about it and nothing is learned. SENSOR is a name or a glob.
    """
    if (every is None) == (end is None) or (every is not None and start is not None):
        raise click.UsageError("give either --every, or --to and perhaps --from")
    how["future"] = future
    fields: dict[str, Any] = {"name": name, "sensor": sensor, "learn": learn}
    if every is not None:
        fields |= {"every": every, "zone": zone}
    else:
        fields |= {"from": _moment(start)} if start else {}
        fields |= {"to": _moment(end or "")}
    _say(how, "maintenance", **fields)


@tell.command("end-maintenance")
@click.argument("name")
@said_how
def end_maintenance(how: How, name: str) -> None:
    """Remove the maintenance window called NAME.

    A window from the configuration can't be removed.
    """
    _say(how, "end_maintenance", name=name)


def _check_sensor(store: Path, glob: str) -> None:
    """Check that a sensor matches, as far as this machine has the store.

    Raises:
        UnknownSensorError: None does.
    """
    from config.notation.topics import glob_problem  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.values import matching  # noqa: PLC0415
    from edge.shell.store import StoreError, read_sensor_names  # noqa: PLC0415

    try:
        names = [] if glob_problem(glob) else read_sensor_names(store)
    except StoreError:
        return
    if names:
        matching(glob, names)


def _one_of(sensor: str | None, incident: str | None) -> dict[str, str]:
    if (sensor is None) == (incident is None):
        raise click.UsageError("give either a sensor or --incident")
    return {"incident": incident} if incident is not None else {"sensor": str(sensor)}


def _moment(text: str) -> str:
    try:
        return moment_of(text)
    except MomentError as error:
        raise click.UsageError(str(error)) from None


def _say(how: How, command: str, /, **fields: Any) -> None:
    """Send a command, print the answer, and exit with the corresponding code."""
    from config.loading import load  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.commands.support.service.broker_queries import BrokerQueryError  # noqa: PLC0415

    identity = how["identity"] or uuid.uuid4().hex
    payload = {"id": identity, "by": how["by"] or getuser(), "comment": how["comment"], **fields}
    until = time.monotonic() + how["timeout"]
    with explained():
        configuration = load(how["path"])
        if not configuration.commands.enabled:
            click.echo(
                f"{how['path']}: commands.enabled is false: set it to true for the service to accept commands", err=True
            )
            sys.exit(2)
        if command != "unshelve" and "sensor" in fields and not (how.get("future") or how["identity"]):
            _check_sensor(configuration.store.path, fields["sensor"])
        try:
            found = exchange(configuration, command, payload, until)
        except BrokerQueryError as error:
            click.echo(f"edgewarden: {error}", err=True)
            sys.exit(1)
    if found is None:
        click.echo(
            f"edgewarden: no answer within {how['timeout']:g} s. The service may still carry it out; "
            f"repeated with --id {identity}, it is carried out only once.",
            err=True,
        )
        sys.exit(1)
    answer = json.loads(found)
    if how["as_json"]:
        click.echo(printable_json(found.decode()))
    elif answer["ok"]:
        click.echo(printable(answer["message"]))
    else:
        click.echo(printable(f"refused: {answer['message']} ({answer['reason']})"), err=True)
    sys.exit(0 if answer["ok"] else 1)
