"""Terminal output of commands: headings, wrapped sentences, terms with explanations.

Hidden characters are shown as escapes, see `printable()`.
"""

from __future__ import annotations

import shutil
import textwrap

import click

from edge.core.model.notation.printable import printable

NARROWEST, WIDEST = 40, 100


def width() -> int:
    """Width of the output in columns."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size(fallback=(WIDEST, 24)).columns))


def heading(text: str) -> None:
    """Print a heading."""
    click.secho(printable(text), bold=True)


def paragraph(text: str, indent: int = 2) -> None:
    """Print a wrapped text."""
    space = " " * indent
    click.echo(_filled(text, space, space))


def bullet(text: str, indent: int = 2) -> None:
    """Print a wrapped text as a list item."""
    click.echo(_filled(text, f"{' ' * indent}- ", " " * (indent + 2)))


def term(name: str, meaning: str, indent: int = 2, column: int = 16) -> None:
    """Print a name with its meaning to the right, or below it if the name is too long for its column."""
    space = " " * (indent + column)
    text = _filled(meaning, space, space)
    name = printable(name)
    start = click.style(name, fg="cyan")
    if len(name) < column:
        click.echo(f"{' ' * indent}{start}{' ' * (column - len(name))}{text[len(space) :]}")
    else:
        click.echo(f"{' ' * indent}{start}\n{text}")


def _filled(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        printable(" ".join(text.split())),
        width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
