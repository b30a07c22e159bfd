"""`edgewarden init`: a configuration file to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from config.loading import parse
from config.problems import ConfigurationError
from config.template import GATEWAY, HOST, TOPIC, template

_OPTIONS = {"gateway.name": "--gateway", "broker.host": "--host", "input[0].topic": "--topic"}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("edgewarden.toml"))
@click.option("--gateway", default=GATEWAY, show_default=True, help="Name of this gateway.")
@click.option("--host", default=HOST, show_default=True, help="Name or address of the sensors' broker.")
@click.option("--topic", default=TOPIC, show_default=True, help="Topic filter that matches the sensors.")
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def init(path: Path, gateway: str, host: str, topic: str, force: bool) -> None:
    """Write a configuration file to begin with.

    Every key stands in it with its default and a word about it. PATH is edgewarden.toml unless given.
    """
    text = template(gateway, host, topic)
    try:
        parse(text)
    except ConfigurationError as error:
        problem = error.problems[0]
        raise click.BadParameter(problem.message, param_hint=_OPTIONS.get(problem.key)) from None
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} is there already; --force overwrites it") from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {click.style(str(path), bold=True)}. Next:")
    shown = "" if path == Path("edgewarden.toml") else f" {path}"
    click.echo(f"  edgewarden check{shown}   says what it means")
    click.echo(f"  edgewarden run{shown}     watches the sensors")
