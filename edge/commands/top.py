"""`edgewarden top`: open incidents, sensors and health on one screen, updated live."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from edge.commands.support.places import Place, reads_store

if TYPE_CHECKING:
    from edge.commands.screen.picture import Picture, PictureReader
    from edge.commands.screen.terminal import TerminalWindow

SHARE = 10
"""Minimum ratio of the refresh interval to the time that reading took, so that it uses at most a tenth of a core."""


@click.command()
@reads_store
@click.option(
    "--every", type=click.FloatRange(0.5, 3600), default=2.0, show_default=True, help="Seconds between updates."
)
@click.option("--once", is_flag=True, help="Print the screen once, as if the output weren't a terminal.")
def top(place: Place, every: float, once: bool) -> None:
    """Show open incidents, worst first, all sensors with their last readings, and the health of the service.

    Up and Down select, Enter shows details, a acknowledges, m mutes, u unmutes, n declares normal, / filters by a part
    of the name, q quits. If the output isn't a terminal, everything is printed once.

    The data comes from the store and the status file, as for `edgewarden status`, whether the service is running or
    stopped. Only commands are sent over the broker. NO_COLOR disables colours, which never carry information by
    themselves.
    """
    from edge.commands.screen.picture import PictureReader  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.screen.terminal import TerminalWindow, usable  # noqa: PLC0415
    from edge.commands.support.failures import explained  # noqa: PLC0415

    with explained():
        configuration = place.configuration_if_any()
        reader = PictureReader(place.store(), configuration)
        if once or not usable(os.environ):
            _print_once(reader)
            return
        with TerminalWindow(sys.stdout, colours="NO_COLOR" not in os.environ) as screen:
            try:
                _watch(screen, reader, place, every)
            except KeyboardInterrupt:
                return


def _watch(screen: TerminalWindow, reader: PictureReader, place: Place, every: float) -> None:
    from edge.commands.screen.cells import glyphs_for  # noqa: PLC0415
    from edge.commands.screen.command_sender import CommandSender  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.screen.layout import Size, frame  # noqa: PLC0415
    from edge.commands.screen.selection import Choice  # noqa: PLC0415

    glyphs, due = glyphs_for(sys.stdout.encoding), 0.0
    picture: Picture | None = None

    def show_message(message: str) -> None:
        nonlocal due
        choice.message, due = message, 0.0
        screen.wake()

    choice = Choice(CommandSender(place.configuration_if_any(), show_message).say, reader.table.recent)
    while not choice.ended:
        began = time.monotonic()
        if picture is None or began >= due:
            picture = reader.read()
            choice.show(picture)
            took = time.monotonic() - began
            due = began + took + max(every, SHARE * took)
        screen.draw(frame(picture, choice, Size(*screen.size()), glyphs))
        for key in screen.wait(due - time.monotonic()):
            choice.press(key)


def _print_once(reader: PictureReader) -> None:
    from edge.commands.screen.cells import glyphs_for, wrapped  # noqa: PLC0415 - loaded when the command runs
    from edge.commands.screen.layout import head_lines, printed_lines  # noqa: PLC0415
    from edge.commands.screen.selection import Choice  # noqa: PLC0415
    from edge.commands.support.printing.terminal import width  # noqa: PLC0415

    glyphs = glyphs_for(sys.stdout.encoding)
    picture = reader.read()
    choice = Choice(lambda *_, **__: None, reader.table.recent)
    choice.show(picture)
    for line in [*head_lines(picture, width(), glyphs), *printed_lines(picture, choice, width(), glyphs)]:
        click.echo("".join(text for text, _ in line).rstrip())
    if picture.trouble:
        for each in wrapped(picture.trouble, width()):
            click.echo(each, err=True)
        sys.exit(1)
