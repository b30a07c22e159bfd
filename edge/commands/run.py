"""`edgewarden run`: the service."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

import click

from edge.commands.support.places import USUAL, names_configuration
from edge.shell.system.signals import Signals, StopRequested


@click.command()
@names_configuration
def run(path: Path | None) -> None:
    """Run the service with the configuration at PATH (default: edgewarden.toml) until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration.

    Exits with 2 if the configuration has errors, before anything is opened, and with 1 if the disk or a network thread
    fails, so that a supervisor restarts it.
    """
    with Signals() as signals:  # at once: a signal must be honoured while the rest is still being loaded
        from config.loading import load  # noqa: PLC0415 - loaded when the command runs
        from edge.commands.support.failures import explained  # noqa: PLC0415
        from edge.shell.service.starting import service_of  # noqa: PLC0415
        from edge.shell.system.garbage import leave_out  # noqa: PLC0415
        from edge.shell.system.heap import free_large_blocks_at_once  # noqa: PLC0415
        from edge.shell.system.logs import set_up_logs  # noqa: PLC0415

        free_large_blocks_at_once()
        with explained(), suppress(StopRequested), ExitStack() as open_things:
            configuration = load(path or USUAL)
            set_up_logs(configuration.log.level)
            page = None
            if configuration.page is not None:
                from edge.page.server.serving import served  # noqa: PLC0415 - needs an extra

                page = open_things.enter_context(served(configuration.page, configuration, path or USUAL))
            service = open_things.enter_context(service_of(configuration, signals, path or USUAL, page))
            leave_out()
            service.run()
