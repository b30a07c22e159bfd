"""Exit codes of commands: 2 if the operator can fix the cause, 1 if the machine failed, with a message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from edge.core.model.notation.printable import printable


@contextmanager
def explained() -> Iterator[None]:
    """Convert errors that an operator can fix to messages and exit code 2, and failures to exit code 1."""
    try:
        yield
    # The error classes are imported only when there is an error, because importing them takes longer than most
    # commands.
    except _to_be_mended() as error:
        _say(str(error))
        sys.exit(2)
    except _failures() as error:
        _say(f"edgewarden: {error}")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _to_be_mended() -> tuple[type[Exception], ...]:
    from config.problems import ConfigurationError  # noqa: PLC0415
    from config.tables.passwords import PasswordError  # noqa: PLC0415 - loaded when something was raised
    from edge.evaluation.csv_files import BenchmarkError  # noqa: PLC0415
    from edge.reports.labels import LabelError  # noqa: PLC0415
    from edge.shell.files.csv_file import CsvError  # noqa: PLC0415

    return ConfigurationError, PasswordError, BenchmarkError, CsvError, LabelError


def _failures() -> tuple[type[Exception], ...]:
    from edge.commands.support.values import UnknownSensorError  # noqa: PLC0415 - loaded when something was raised
    from edge.shell.broker.embedded import BrokerError  # noqa: PLC0415
    from edge.shell.service.service import LinkDied  # noqa: PLC0415
    from edge.shell.store import StoreError  # noqa: PLC0415

    return StoreError, LinkDied, BrokerError, UnknownSensorError


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(printable(line), err=True)
