"""The demo's live screen; needs rich, which the extra `demo` brings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simulators.demo_screen import COLOURS, Progress, Screen, clock_of
from simulators.incident_log import IncidentLog, why

REFRESH_S = 0.2
HEADER_LINES = 10


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

    def refresh(self, progress: Progress, log: IncidentLog) -> None:
        """See `Screen`."""
        now = self._monotonic()
        if now - self._drawn < REFRESH_S:
            return
        self._drawn = now
        room = max(6, self._console.height - HEADER_LINES - 6)
        opened = min(len(log.open), room // 2)
        self._live.update(Group(_header(progress, log), _open(log, opened), _news(log, room - opened)), refresh=True)


def _header(progress: Progress, log: IncidentLog) -> RenderableType:
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row(
        f"[bold]{progress.rate:,.0f}[/] readings/s",
        f"[bold]{progress.readings:,}[/] readings",
        f"[bold]{progress.sensors}[/] sensors learned",
        f"[bold]{len(log.incidents)}[/] incidents, [bold]{len(log.open)}[/] open",
        f"[bold]{log.events}[/] events",
    )
    done = Table.grid()
    done.add_row(ProgressBar(progress.total_s, min(progress.elapsed_s, progress.total_s), width=60))
    follow = Text("Follow along from another terminal:", style="dim")
    command = Text(progress.follow, style="bold green")
    body = Group(numbers, done, follow, command)
    return Panel(body, title="[bold]Edgewarden[/]", subtitle=progress.doing, border_style="blue")


def _open(log: IncidentLog, rows: int) -> RenderableType:
    table = Table(title="Open incidents", title_justify="left", expand=True, box=None, pad_edge=False)
    for heading, options in (
        ("since", {"width": 10}),
        ("severity", {"width": 8, "justify": "right"}),
        ("what", {"ratio": 3, "no_wrap": True, "overflow": "ellipsis"}),
        ("why", {"ratio": 1, "no_wrap": True, "overflow": "ellipsis", "style": "dim"}),
    ):
        table.add_column(heading, **options)
    for data in log.open[:rows]:
        table.add_row(clock_of(data["started"]), str(data["severity"]), data["message"], why(data))
    if not log.open:
        table.add_row("", "", Text("none", style="dim"), "")
    return table


def _news(log: IncidentLog, rows: int) -> RenderableType:
    table = Table(title="What happened", title_justify="left", expand=True, box=None, pad_edge=False)
    table.add_column("plant time", width=10, no_wrap=True)
    table.add_column("", width=8)
    table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
    for event in list(log.news)[-rows:]:
        data = event["data"]
        style = "green" if not data["active"] else COLOURS[event["severitytext"]]
        table.add_row(clock_of(event["time"]), Text(data["transition"], style=style), data["message"])
    return table
