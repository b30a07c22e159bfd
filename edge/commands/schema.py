"""`edgewarden schema`: the JSON Schemas of what is published, and of the configuration."""

from __future__ import annotations

import json

import click


@click.command()
@click.argument("what", type=click.Choice(["events", "gaps", "commands", "configuration"]), default="events")
def schema(what: str) -> None:
    """Print a JSON Schema (draft 2020-12).

    WHAT is `events`, the events of every incident, which is the default; `gaps`, what the gap topic says;
    `commands`, what the operator may say; or `configuration`, for editors that complete and check TOML files.
    """
    if what == "events":
        from edge.core.incidents.events import event_json_schema  # noqa: PLC0415 - only what is asked for is imported

        found = event_json_schema()
    elif what == "gaps":
        from edge.core.incidents.gaps import gap_json_schema  # noqa: PLC0415 - likewise

        found = gap_json_schema()
    elif what == "commands":
        from edge.core.operator.commands import commands_json_schema  # noqa: PLC0415 - likewise

        found = commands_json_schema()
    else:
        from config.schema import configuration_json_schema  # noqa: PLC0415 - likewise

        found = configuration_json_schema()
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
