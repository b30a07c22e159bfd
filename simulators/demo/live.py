"""The demo's live screen; requires rich, from the extra `demo`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulators.demo.incident_log import IncidentLog, why
from simulators.demo.screen import COLOURS, DemoProgress, Screen, clock_of

REFRESH_S = 0.2
HEADER_LINES = 11
"""Number of rows other than incidents and events: frame, numbers, titles and headings."""

ROOMY = 100
"""Minimum width for naming every agreeing detector; below it, only the one with the highest score."""

NARROW = 22
"""Width of the columns next to the sentences."""


class LiveScreen(Screen):
    """Redraws the whole picture a few times a second.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._monotonic = monotonic
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def event(self, event: dict[str, Any]) -> None:
        """See `Screen`; the picture is drawn by `refresh()`."""

    def refresh(self, progress: DemoProgress, log: IncidentLog) -> None:
        """See `Screen`."""
        now = self._monotonic()
        if now - self._drawn < REFRESH_S:
            return
        self._drawn = now
        self._live.update(picture(progress, log, self._console.width, self._console.height), refresh=True)


def picture(progress: DemoProgress, log: IncidentLog, columns: int, rows: int) -> RenderableType:
    """The whole screen in a number of columns and rows; long sentences are wrapped, not truncated."""
    head = _header(progress, columns)
    more = sum((len(each) - 1) // columns for each in (progress.follow, progress.invitation))
    left = max(6, rows - HEADER_LINES - 1 - more)
    opened, used = _open(log, columns, left // 2)
    return Group(head, _numbers(progress, log), opened, _news(log, columns, left - used))


def _header(progress: DemoProgress, columns: int) -> RenderableType:
    bar = ProgressBar(progress.total_s, min(progress.elapsed_s, progress.total_s), width=min(60, columns - 4))
    panel = Panel(bar, title="[bold]Edgewarden[/]", subtitle=progress.doing, border_style="blue")
    # Outside of the frame, so that it can be copied even if it takes more than one row.
    follow = Text(progress.invitation, style="bold" if progress.page else "dim")
    return Group(panel, follow, Text(progress.follow, style="bold green", overflow="fold"))


def _numbers(progress: DemoProgress, log: IncidentLog) -> RenderableType:
    return Text.from_markup(
        f"[bold]{progress.rate:,.0f}[/] readings/s, [bold]{progress.readings:,}[/] in all,"
        f" [bold]{progress.sensors}[/] sensors, [bold]{len(log.incidents)}[/] incidents,"
        f" [bold]{len(log.open)}[/] open"
    )


def _open(log: IncidentLog, columns: int, most: int) -> tuple[RenderableType, int]:
    """The open incidents that fit into `most` rows, and the number of rows used."""
    table = _table("Open incidents", ("since", 10), ("severity", 8))
    open_ones = log.open
    rows = 0
    for data in open_ones:
        reasons = why(data, None if columns >= ROOMY else 1)
        rows += _rows_of(f"{data['message']}  {reasons}", columns)
        if rows > most:
            break
        what = Text.assemble(data["message"], "  ", (reasons, "dim"))
        table.add_row(clock_of(data["started"]), str(data["severity"]), what)
    if not open_ones:
        table.add_row("", "", Text("none", style="dim"))
    elif table.row_count < len(open_ones):
        table.title = f"Open incidents: the worst {table.row_count} of {len(open_ones)}"
    return table, max(1, min(rows, most))


def _news(log: IncidentLog, columns: int, most: int) -> RenderableType:
    """The latest events that fit into `most` rows."""
    table = _table("What happened", ("plant time", 10), ("", 8))
    chosen: list[dict[str, Any]] = []
    rows = 0
    for event in reversed(log.news):
        rows += _rows_of(event["data"]["message"], columns)
        if rows > most:
            break
        chosen.insert(0, event)
    for event in chosen:
        data = event["data"]
        style = "green" if not data["active"] else COLOURS[event["severitytext"]]
        table.add_row(clock_of(event["time"]), Text(data["transition"], style=style), data["message"])
    return table


def _table(title: str, *narrow: tuple[str, int]) -> Table:
    table = Table(title=title, title_justify="left", expand=True, box=None, pad_edge=False)
    for heading, width in narrow:
        table.add_column(heading, width=width, no_wrap=True)
    table.add_column("", ratio=1, overflow="fold")
    return table


def _rows_of(text: str, columns: int) -> int:
    """Rows that a text takes next to the narrow columns; an upper bound."""
    room = max(20, columns - NARROW)
    return len(textwrap.wrap(text, room)) or 1
