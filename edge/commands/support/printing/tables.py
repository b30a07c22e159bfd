"""Tables of text: columns if the terminal is wide enough, else one block per row."""

from __future__ import annotations

from collections.abc import Sequence

import click

from edge.commands.support.printing.terminal import paragraph, width
from edge.core.model.notation.printable import printable

GAP = 2


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print rows below their headings. Nothing is truncated: cells that don't fit are printed below the row.

    Args:
        headings: One per column.
        rows: Cells; invisible characters are shown as escapes.
        right: Indices of right-aligned columns.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    room = width() - 2
    fitting = len(widths)
    while fitting > 1 and sum(widths[:fitting]) + GAP * (fitting - 1) > room:
        fitting -= 1
    click.secho("  " + _line(headings[:fitting], widths, right), dim=True)
    for row in cells:
        click.echo("  " + _line(row[:fitting], widths, right))
        rest = [f"{heading} {cell}" for heading, cell in zip(headings[fitting:], row[fitting:], strict=True) if cell]
        if rest:
            paragraph(" · ".join(rest), indent=4)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = [
        cell.rjust(each) if index in right else cell.ljust(each)
        for index, (cell, each) in enumerate(zip(row, widths, strict=False))
    ]
    return (" " * GAP).join(padded).rstrip()
