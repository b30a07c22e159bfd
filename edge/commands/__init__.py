"""The command line: a table of commands, each imported on demand.

Entry points in the group `edgewarden.commands` add commands; each refers to a click command.

Exit codes: 0 success, 1 failure, 2 invalid command or configuration; `status` has a fourth.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import click

from edge.commands.support.places import ForwardingGroup
from edge.version import VERSION

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Entry(NamedTuple):
    """The module of a command, and its description in the list of commands."""

    where: str
    help: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("edge.commands.run:run", "Run the service until stopped."),
    "init": Entry("edge.commands.init:init", "Write an initial configuration file."),
    "check": Entry("edge.commands.check:check", "Explain a configuration, or list its errors."),
    "discover": Entry("edge.commands.discover:discover", "Propose inputs for the topics of a broker."),
    "status": Entry("edge.commands.status:status", "Print the health of the service, with an exit code."),
    "top": Entry("edge.commands.top:top", "Show incidents, sensors and health on a live screen."),
    "sensors": Entry("edge.commands.sensors:sensors", "List the sensors and their learning progress."),
    "open": Entry("edge.commands.open_incidents:open_incidents", "List the open incidents, worst first."),
    "events": Entry("edge.commands.events:events", "List the events in the store."),
    "deadletters": Entry("edge.commands.deadletters:deadletters", "List refused input with the reasons."),
    "replay": Entry("edge.commands.replay:replay", "Run recorded readings through the detectors."),
    "score": Entry("edge.commands.score:score", "Write the score of each reading in a CSV file."),
    "backtest": Entry("edge.commands.backtest:backtest", "Compare configurations on recorded readings in a report."),
    "export": Entry("edge.commands.export:export", "Write the readings of the store as CSV."),
    "levels": Entry("edge.commands.levels:levels", "Show the scores at which incidents are raised."),
    "tell": Entry("edge.commands.tell:tell", "Send a command: acknowledge, mute, maintenance and others."),
    "shelved": Entry("edge.commands.shelved:shelved", "Show mutes and maintenance windows."),
    "page-password": Entry("edge.commands.page_password:page_password", "Set a password of the web page."),
    "detectors": Entry("edge.commands.detectors:detectors", "Explain the detectors and their parameters."),
    "benchmark": Entry("edge.commands.benchmark:benchmark", "Measure a detector on public benchmarks."),
    "bench": Entry("edge.commands.bench:bench", "Measure the capacity of this machine."),
    "fleet": Entry("edge.commands.fleet:fleet", "Detect anomalies in readings from Apache Kafka."),
    "schema": Entry("edge.commands.schema:schema", "Print the JSON Schema of the events or the configuration."),
}

PLUGIN_HELP = {
    "demo": "Run the service on a simulated plant; needs no broker.",
    "simulate": "Publish a simulated plant's readings, with labelled faults.",
}
PLUGIN_GROUP = "edgewarden.commands"


class LazyGroup(ForwardingGroup):
    """A group whose commands are imported when used; listing them imports none."""

    handed_on: ClassVar[dict[str, bool]] = dict.fromkeys(("--config", "-c", "--store"), True)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Built-in commands in the table's order, then those of other distributions."""
        return [*COMMANDS, *sorted(_plugins().keys() - COMMANDS.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import a command."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].where.partition(":")
            return _as_command(getattr(import_module(module), attribute), cmd_name)
        plugin = _plugins().get(cmd_name)
        if plugin is None:
            return None
        try:
            loaded = plugin.load()
        except (ImportError, AttributeError) as error:
            raise click.ClickException(f"the command {cmd_name} can't be loaded: {error}") from error
        return _as_command(loaded, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command named by the arguments, or suggest a similar one."""
        if args[0] not in COMMANDS and args[0] not in _plugins() and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            offered = self._offered(ctx)
            near = get_close_matches(args[0], offered, n=1)
            offer = f" Did you mean {offered[near[0]]}?" if near else ""
            ctx.fail(f"There is no command {args[0]}.{offer}")
        return super().resolve_command(ctx, args)

    def _offered(self, ctx: click.Context) -> dict[str, str]:
        """All commands by what may be meant: those of `tell` also by their own names."""
        tell = self.get_command(ctx, "tell")
        told = tell.list_commands(ctx) if isinstance(tell, click.Group) else []
        return {each: f"tell {each}" for each in told} | {each: each for each in self.list_commands(ctx)}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the tables."""
        plugins = _plugins()
        rows = []
        for name in self.list_commands(ctx):
            known = COMMANDS[name].help if name in COMMANDS else PLUGIN_HELP.get(name)
            rows.append((name, known or f"Added by {_origin(plugins[name])}."))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _plugins() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - takes longer than the command line itself

    found: Sequence[EntryPoint] = tuple(entry_points(group=PLUGIN_GROUP))
    return {each.name: each for each in found}


def _origin(plugin: EntryPoint) -> str:
    return plugin.dist.name if plugin.dist is not None else plugin.module


def _as_command(found: object, name: str) -> click.Command:
    if not isinstance(found, click.Command):
        raise click.ClickException(f"the command {name} can't be loaded: it isn't a click command")
    return found


def _print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"edgewarden {VERSION}")
        context.exit()


@click.group(cls=LazyGroup, name="edgewarden", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def main() -> None:
    """Detect anomalies in sensor readings as they arrive.

    Readings arrive over MQTT, detectors learn the normal behaviour of each sensor, and deviations are published as
    events over MQTT.

    \b
    First steps:
      edgewarden init      writes edgewarden.toml
      edgewarden check     explains it
      edgewarden run       runs the service
      edgewarden status    prints its health
    """  # noqa: D301 - click keeps the lines of a paragraph that begins with this character
