"""`edgewarden schema`: the JSON Schemas of what is published and of the configuration, and the AsyncAPI document."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument(
    "what", type=click.Choice(["events", "gaps", "sensors", "commands", "configuration", "asyncapi"]), default="events"
)
def schema(what: str) -> None:
    """Print a JSON Schema (draft 2020-12), or the AsyncAPI document.

    WHAT is `events` for incidents, the default; `gaps` for missing data; `sensors` for discovered and forgotten
    sensors; `commands` for operator commands; `configuration` for editors that complete and check TOML files; or
    `asyncapi` for all topics and messages in one AsyncAPI 3.0 document.
    """
    if what == "events":
        from edge.core.incidents.events.event import event_json_schema  # noqa: PLC0415 - only what is asked for is imported

        found = event_json_schema()
    elif what == "gaps":
        from edge.core.incidents.events.gaps import gap_json_schema  # noqa: PLC0415 - for the same reason

        found = gap_json_schema()
    elif what == "sensors":
        from edge.core.incidents.events.sensor_events import sensors_json_schema  # noqa: PLC0415 - for the same reason

        found = sensors_json_schema()
    elif what == "commands":
        from edge.core.operator.commands import commands_json_schema  # noqa: PLC0415 - for the same reason

        found = commands_json_schema()
    elif what == "asyncapi":
        from edge.commands.support.asyncapi import asyncapi_document  # noqa: PLC0415 - for the same reason

        found = asyncapi_document()
    else:
        from edge.commands.support.configuration_schema import (  # noqa: PLC0415 - for the same reason
            configuration_json_schema,
        )

        found = configuration_json_schema()
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
