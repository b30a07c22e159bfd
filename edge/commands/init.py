"""`edgewarden init`: creates an initial configuration or a systemd unit."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from config.loading import parse
from config.monitoring import RULES, monitoring_files
from config.problems import ConfigurationError
from config.writing.template import GATEWAY, HOST, PORT, STORE, TOPIC, template
from config.writing.unit import CONFIGURATION, STATE_FOLDER, UNIT, UnitError, unit

_OPTIONS = {
    "gateway.name": "--gateway",
    "broker.host": "--host",
    "broker.port": "--port",
    "input[0].topic": "--topic",
    "store.path": "--store",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("--gateway", default=GATEWAY, show_default=True, help="Name of this gateway.")
@click.option("--host", default=HOST, show_default=True, help="Name or address of the sensors' broker.")
@click.option("--port", default=PORT, show_default=True, help="TCP port of the sensors' broker.")
@click.option("--topic", default=TOPIC, show_default=True, help="Topic filter that matches the sensors.")
@click.option("--store", default=STORE, show_default=True, help="The store's file.")
@click.option("--systemd", is_flag=True, help="Write a systemd unit instead, and explain how to enable it.")
@click.option(
    "--monitoring", is_flag=True, help="Write a Grafana dashboard and Prometheus alert rules into PATH instead."
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(
    path: Path | None,
    gateway: str,
    host: str,
    port: int,
    topic: str,
    store: str,
    systemd: bool,
    monitoring: bool,
    force: bool,
) -> None:
    """Write an initial configuration file.

    It contains every key with its default and a comment. PATH is edgewarden.toml by default; with --systemd,
    edgewarden.service; with --monitoring, the folder monitoring.
    """
    if systemd and monitoring:
        raise click.UsageError("give either --systemd or --monitoring")
    if monitoring:
        _write_monitoring(path or Path("monitoring"), force=force)
        return
    if systemd:
        _write_unit(path or Path(UNIT), force=force)
        return
    path = path or Path("edgewarden.toml")
    text = template(gateway, host, port, topic, store)
    try:
        parse(text)
    except ConfigurationError as error:
        problem = error.problems[0]
        raise click.BadParameter(problem.message, param_hint=_OPTIONS.get(problem.key)) from None
    _write(path, text, force=force)
    shown = "" if path == Path("edgewarden.toml") else f" {path}"
    given = f" --config {path}" if shown else ""
    click.echo(f"  edgewarden discover{given} --write   adds inputs for what the broker sends")
    click.echo(f"  edgewarden check{shown}   explains it")
    click.echo(f"  edgewarden run{shown}     runs the service")


def _write_unit(path: Path, *, force: bool) -> None:
    command = Path(shutil.which(sys.argv[0]) or sys.argv[0]).absolute()
    try:
        text = unit(command, Path(sys.base_prefix))
    except UnitError as error:
        raise click.ClickException(str(error)) from None
    _write(path, text, force=force)
    for line in (
        f"  mkdir -p {Path(CONFIGURATION).parent}",
        f"  {command} init {CONFIGURATION} --store {STATE_FOLDER}/edgewarden.db",
        f"  install -m 0644 {path} /etc/systemd/system/{UNIT}",
        "  systemctl daemon-reload",
        "  systemctl enable --now edgewarden",
        "  systemctl status edgewarden    says which brokers are connected",
        "  systemctl reload edgewarden    applies a changed configuration",
    ):
        click.echo(line)


def _write_monitoring(folder: Path, *, force: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{folder} can't be made: {error.strerror}") from None
    found = {folder / name: text for name, text in monitoring_files().items()}
    if there := [path for path in found if path.exists() and not force]:
        raise click.ClickException(f"{there[0]} already exists; --force overwrites it")
    for path, text in found.items():
        _save(path, text, force=force)
    click.echo(f"Wrote {' and '.join(click.style(str(each), bold=True) for each in found)}. Next:")
    click.echo(f"  promtool check rules {folder / RULES}")
    click.echo("  and name the rules under rule_files in prometheus.yml; import the dashboard in Grafana")


def _write(path: Path, text: str, *, force: bool) -> None:
    _save(path, text, force=force)
    as_root = ", as root" if path.suffix == ".service" else ""
    click.echo(f"Wrote {click.style(str(path), bold=True)}. Next{as_root}:")


def _save(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.ClickException(f"{path} already exists; --force overwrites it") from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
