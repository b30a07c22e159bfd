"""How a command ends: 2 where the operator can mend it, 1 where the machine failed, each with a line that says why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from config.passwords import PasswordError
from config.problems import ConfigurationError
from edge.core.printable import printable


@contextmanager
def explained() -> Iterator[None]:
    """Turn what an operator can mend into lines on standard error and exit code 2, and failures into exit code 1."""
    from edge.benchmarks.csv_files import BenchmarkError  # noqa: PLC0415 - loaded when a command runs
    from edge.commands.support.values import UnknownSensorError  # noqa: PLC0415
    from edge.reports.labels import LabelError  # noqa: PLC0415
    from edge.shell.broker import BrokerError  # noqa: PLC0415
    from edge.shell.csv_file import CsvError  # noqa: PLC0415
    from edge.shell.service import LinkDied  # noqa: PLC0415
    from edge.shell.store import StoreError  # noqa: PLC0415

    try:
        yield
    except (ConfigurationError, PasswordError) as error:
        _say(str(error))
        sys.exit(2)
    except (BenchmarkError, CsvError, LabelError) as error:
        _say(str(error))
        sys.exit(2)
    except (StoreError, LinkDied, BrokerError, UnknownSensorError) as error:
        _say(f"edgewarden: {error}")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(printable(line), err=True)
