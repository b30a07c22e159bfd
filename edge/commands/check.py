"""`edgewarden check`: explains a configuration in plain words, or lists all of its errors."""

from __future__ import annotations

from pathlib import Path

import click

from config.loading import inspect
from config.problems import ConfigurationError, Problem
from edge.commands.explanation import describe
from edge.commands.support.places import USUAL, names_configuration
from edge.core.model.notation.printable import printable

_WRONG = 2


@click.command()
@names_configuration
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def check(path: Path | None, quiet: bool) -> None:
    """Explain a configuration, or list its errors.

    PATH is edgewarden.toml by default. No broker is contacted. Exits with 2 if there are errors, each on a separate
    line: file, line, key, and the allowed values.
    """
    path = path or USUAL
    try:
        configuration, doubts = inspect(path)
    except ConfigurationError as error:
        for problem in error.problems:
            click.echo(_styled(problem, error.source, "red"), err=True)
        count = len(error.problems)
        click.echo(f"{count} {'error' if count == 1 else 'errors'}; nothing was started.", err=True)
        raise SystemExit(_WRONG) from None
    for doubt in doubts:
        click.echo(f"{_styled(doubt, str(path), 'yellow')} (a warning)", err=True)
    if not quiet:
        describe(configuration, path)


def _styled(problem: Problem, source: str, color: str) -> str:
    place, colon, message = map(printable, problem.located(source).rpartition(f": {problem.message}"))
    return f"{place}{click.style(colon + message, fg=color)}" if colon else message
