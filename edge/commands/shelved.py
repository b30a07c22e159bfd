"""`edgewarden shelved`: lists muted sensors and maintenance windows."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from edge.commands.support.places import config_option
from edge.core.model.notation.printable import printable, printable_json


@click.command()
@config_option("Configuration, for the broker and the topics.")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, help="Seconds to wait.")
@click.option("--json", "as_json", is_flag=True, help="Print the topic's payload.")
def shelved(path: Path, timeout: float, as_json: bool) -> None:
    """Show muted sensors and maintenance windows, from the service's retained topic."""
    from config.loading import load  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.commands.support.service.broker_queries import BrokerQueryError, connected, wait_for  # noqa: PLC0415
    from edge.core.model.notation.topics import Topics  # noqa: PLC0415

    until = time.monotonic() + timeout
    with explained():
        configuration = load(path)
        topic = Topics(configuration.gateway.topic_base).shelved
        try:
            with connected(configuration.outbound or configuration.inbound, configuration, topic, until) as link:
                found = wait_for(link, lambda _: True, until)
        except BrokerQueryError as error:
            click.echo(f"edgewarden: {error}", err=True)
            sys.exit(1)
    if found is None:
        click.echo("edgewarden: the service hasn't published its status yet", err=True)
        sys.exit(1)
    if as_json:
        click.echo(printable_json(found.payload.decode()))
        return
    listing = json.loads(found.payload)
    for each in listing["shelved"]:
        click.echo(printable(f"shelved      {each['sensor']}  until {each['until']}{_remark(each)}"))
    for each in listing["maintenance"]:
        when = f"{each['every']} {each['zone']}" if each["every"] else f"{each['from'] or ''} to {each['to'] or ''}"
        state = "now" if each["active"] else "not now"
        click.echo(printable(f"maintenance  {each['sensor']}  {each['name']}: {when}, {state}{_remark(each)}"))
    click.echo(_quiet(listing["sensors_quiet"]))


def _quiet(count: int) -> str:
    return "1 sensor is quiet" if count == 1 else f"{count} sensors are quiet"


def _remark(each: dict[str, Any]) -> str:
    return "".join(f"  ({words})" for words in (", ".join(filter(None, (each["by"], each["comment"]))),) if words)
