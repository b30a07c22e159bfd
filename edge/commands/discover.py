"""`edgewarden discover`: proposes inputs for a broker's topics, with the sensors that they give."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.support.places import USUAL, config_option
from edge.commands.support.printing.tables import table
from edge.commands.support.printing.terminal import bullet, heading, paragraph
from edge.core.model.notation.printable import printable, printable_bytes, shortened
from edge.core.model.notation.quantities import counted

if TYPE_CHECKING:
    from config.schema import Configuration
    from edge.core.model.readings.messages import Message
    from edge.discovery.collecting import CollectedMessages
    from edge.discovery.outcome import ReadingOutcome
    from edge.discovery.proposing import Proposal

MOST_SHOWN = 40
CONNECTING_S = 10.0
PROGRESS_S = 1.0
EVERYTHING = "#"
"""The topic filter of a first configuration, whose input the proposed ones replace."""


@click.command()
@config_option("Configuration, for the broker; without the file, a new one begins with what is found.")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds to listen.")
@click.option("--host", help="Broker, if there is no configuration.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Its TCP port.  [default: 1883]")
@click.option("--write", is_flag=True, help="Add the inputs to the configuration.")
@click.option("--all", "show_all", is_flag=True, help="Show every sensor and every topic.")
def discover(path: Path, seconds: float, host: str | None, port: int | None, write: bool, show_all: bool) -> None:
    """Listen to a broker and propose the inputs that read its topics.

    Shows which conventions the topics follow, which sensors result (with unit and a sample), what would be ignored, and
    what can't be read and why. Nothing is sent to the broker, and nothing is written without --write.
    """
    from config.gateway_topics import GatewayTopics  # noqa: PLC0415 - loaded when the command runs
    from config.loading import parse  # noqa: PLC0415
    from config.writing.template import template  # noqa: PLC0415
    from edge.commands.support.failures import explained  # noqa: PLC0415
    from edge.discovery.outcome import ReadingOutcome, outcome_of, tables  # noqa: PLC0415
    from edge.discovery.proposing import propose, topic_of  # noqa: PLC0415

    with explained():
        is_new = not path.exists()
        if is_new and path != USUAL and not (host or port):
            click.echo(printable(f"{path}: there is no such file; --host names the broker for a new one"), err=True)
            sys.exit(2)
        if not is_new and (host or port):
            raise click.UsageError(
                f"{path} is there and names the broker: change host and port in its [broker] table, or name another "
                "file with --config"
            )
        text = template(host=host or "127.0.0.1", port=port or 1883) if is_new else path.read_text("utf-8-sig")
        configuration = parse(_with_an_input(text), str(path), path.absolute().parent).configuration
        heard = _listen(configuration, seconds)
        gateway = configuration.gateway
        proposal = propose(heard, GatewayTopics(gateway.base, gateway.name), gateway.topic_base)
        if not proposal.inputs:
            click.echo(_heard(configuration, heard, seconds))
            if heard.messages:
                nothing = ReadingOutcome([], 0, len(heard.in_order()), {}, {})
                _left_out(proposal, nothing, None if show_all else MOST_SHOWN)
                _unread(proposal, nothing, None if show_all else MOST_SHOWN)
            click.echo("edgewarden: nothing readable was received", err=True)
            sys.exit(1)
        outcome = outcome_of(proposal.inputs, [each._replace(retained=False) for each in heard.in_order()])
        click.echo(_heard(configuration, heard, seconds))
        _describe(proposal, outcome, None if show_all else MOST_SHOWN)
        heading("Inputs")
        click.echo(tables(proposal.inputs))
        read_already = {each.topic for each in configuration.inputs if each.topic != EVERYTHING}
        fresh = [each for each in proposal.inputs if topic_of(each) not in read_already]
        if len(fresh) < len(proposal.inputs):
            shown = ", ".join(topic_of(each) for each in proposal.inputs if each not in fresh)
            paragraph(f"{path} has an input for {shown} already, which stays as it is.", indent=0)
        if write and fresh:
            _write(path, text, tables(fresh))
        elif fresh:
            click.echo(f"--write puts {'them' if len(fresh) == len(proposal.inputs) else 'the others'} into {path}.")


def _with_an_input(text: str) -> str:
    """A configuration without inputs, which are yet to be found."""
    from config.writing.rewriting import has_inputs  # noqa: PLC0415 - loaded when the command runs

    return text if has_inputs(text) else f'{text}\n[[input]]\ntopic = "#"\n'


def _listen(configuration: Configuration, seconds: float) -> CollectedMessages:
    """The messages received within `seconds`."""
    from edge.commands.support.printing.progress import Progress  # noqa: PLC0415
    from edge.commands.support.service.broker_queries import BrokerQueryError, connected, wait_for  # noqa: PLC0415
    from edge.discovery.collecting import CollectedMessages  # noqa: PLC0415

    heard = CollectedMessages()

    def keep(message: Message) -> bool:
        heard.add(message)
        return False

    where = f"{configuration.inbound.host}:{configuration.inbound.port}"
    click.echo(printable(f"Listening to {where} for {seconds:g} s"), err=True)
    try:
        with (
            connected(configuration.inbound, configuration, "#", time.monotonic() + CONNECTING_S) as link,
            Progress() as progress,
        ):
            began, share = time.monotonic(), 0.0
            progress.begin("no message yet")
            while share < 1.0 and link.alive:
                wait_for(link, keep, min(began + seconds, time.monotonic() + PROGRESS_S))
                share = (time.monotonic() - began) / seconds
                progress.at(share, _amount(heard) if heard.messages else None)
    except BrokerQueryError as error:
        raise click.ClickException(str(error)) from None
    return heard


def _amount(heard: CollectedMessages) -> str:
    return f"{counted(heard.messages, 'message')} on {counted(len(heard.topics), 'topic')}"


def _heard(configuration: Configuration, heard: CollectedMessages, seconds: float) -> str:
    where = f"{configuration.inbound.host}:{configuration.inbound.port}"
    more = f"; {heard.dropped:,} were too many or too large to examine" if heard.dropped else ""
    return f"Heard {_amount(heard)} of {where} in {seconds:g} s{more}.\n"


def _describe(proposal: Proposal, outcome: ReadingOutcome, most: int | None) -> None:
    from config.tables.convention import conventions  # noqa: PLC0415

    if proposal.conventions:
        heading("Conventions")
        for name, count in sorted(proposal.conventions.items()):
            bullet(f"{name}: {conventions()[name].title}, {count:,} {'topic' if count == 1 else 'topics'}")
        click.echo()
    heading(f"Sensors ({len(outcome.sensors):,})")
    rows = [(each.name, f"{each.sample:g}", each.unit, each.repetition) for each in outcome.sensors[:most]]
    table(("sensor", "last value", "unit", "repetition"), rows, right=[1])
    _more(len(outcome.sensors), most)
    _left_out(proposal, outcome, most)
    _unread(proposal, outcome, most)


def _left_out(proposal: Proposal, outcome: ReadingOutcome, most: int | None) -> None:
    heading("Left out")
    bullet(f"{outcome.fields_ignored:,} fields that aren't numbers, or that an input ignores")
    bullet(f"{outcome.messages_left_out:,} messages on topics that no input reads")
    for topic, why in list(proposal.left_out.items())[: most and most // 2]:
        bullet(f"{shortened(printable(topic), 100)}: {why}", indent=4)
    _more(len(proposal.left_out), most and most // 2)
    if proposal.words:
        heading("Words, which an input reads with `values`")
        for field, values in list(proposal.words.items())[: most and most // 2]:
            bullet(f"{shortened(printable(field), 100)}: {values}")
        _more(len(proposal.words), most and most // 2)


def _unread(proposal: Proposal, outcome: ReadingOutcome, most: int | None) -> None:
    if not (proposal.unread or outcome.refused):
        return
    heading("Can't be read")
    for topic, why in list(proposal.unread.items())[:most]:
        bullet(f"{shortened(printable(topic), 100)}: {why}")
    _more(len(proposal.unread), most)
    _refused(outcome.refused, outcome)


def _refused(refused: Mapping[str, int], outcome: ReadingOutcome) -> None:
    for reason, count in sorted(refused.items()):
        letter = outcome.examples.get(reason)
        example = ""
        if letter is not None:
            place = "/".join(filter(None, (printable(letter.topic), printable(letter.refusal.path))))
            example = f", such as {shortened(place, 100)}: {shortened(printable_bytes(letter.beginning, 60), 80)}"
            example += f" ({printable(letter.refusal.detail)})" if letter.refusal.detail else ""
        bullet(f"{reason}: {count:,}{example}")
    click.echo()


def _more(count: int, most: int | None) -> None:
    if most is not None and count > most:
        paragraph(f"and {count - most:,} more; --all shows them")
    click.echo()


def _write(path: Path, text: str, tables: str) -> None:
    """Write the inputs into the configuration, which is validated before it replaces the old one."""
    from config.loading import parse  # noqa: PLC0415
    from config.writing.rewriting import with_inputs  # noqa: PLC0415

    made = with_inputs(text, tables)
    parse(made, str(path), path.absolute().parent)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(made, "utf-8")
        if path.exists():
            fresh.chmod(path.stat().st_mode & 0o777)
        os.replace(fresh, path)  # noqa: PTH105 - it replaces the file, as Path.replace() does, under a name that says so
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {click.style(str(path), bold=True)}. `edgewarden check` explains it.")
