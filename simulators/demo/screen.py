"""The demo's output: a live screen in a terminal, plain lines elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from simulators.demo.incident_log import IncidentLog, seconds, why

COLOURS = {"INFO": "cyan", "WARN": "yellow", "ERROR": "red", "FATAL": "bold magenta"}
PLAIN_EVERY_S = 5.0


class DemoProgress(NamedTuple):
    """The progress of the demo.

    Attributes:
        elapsed_s: Seconds since the start.
        total_s: Total duration in seconds.
        readings: Number of readings processed by the service.
        rate: Recent readings per second.
        sensors: Number of sensors known to the service.
        follow: Command for following the events.
        doing: The current activity.
        page: Address of the page in a browser; empty if there is none.
    """

    elapsed_s: float
    total_s: float
    readings: int
    rate: float
    sensors: int
    follow: str
    doing: str
    page: str = ""

    @property
    def invitation(self) -> str:
        """The text before that command."""
        browser = f"Open {self.page} in a browser, or follow along" if self.page else "Follow along"
        return f"{browser} from another terminal:"


class Screen(ABC):
    """Displays the demo."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    @abstractmethod
    def event(self, event: dict[str, Any]) -> None:
        """Show an event, when it has arrived."""

    @abstractmethod
    def refresh(self, progress: DemoProgress, log: IncidentLog) -> None:
        """Show the present state; called several times a second."""


def clock_of(moment: str) -> str:
    """A plant time as day and time of day."""
    return datetime.fromtimestamp(seconds(moment), UTC).strftime("%a %H:%M")


class PlainScreen(Screen):
    """One line per event, and a line every few seconds."""

    def __init__(self) -> None:
        self._next = 0.0
        self._is_page_told = False

    def event(self, event: dict[str, Any]) -> None:
        """See `Screen`."""
        data = event["data"]
        text, happened = event["severitytext"], data["transition"]
        print(f"{clock_of(event['time'])}  {text:<5} {happened:<8} {data['message']}  [{why(data)}]", flush=True)

    def refresh(self, progress: DemoProgress, log: IncidentLog) -> None:
        """See `Screen`."""
        if progress.page and not self._is_page_told:
            print(f"Open {progress.page} in a browser", flush=True)
            self._is_page_told = True
        if progress.elapsed_s < self._next:
            return
        if not self._next:
            print(f"Follow along from another terminal:\n  {progress.follow}", flush=True)
        self._next = progress.elapsed_s + PLAIN_EVERY_S
        print(
            f"-- {progress.elapsed_s:3.0f} s of {progress.total_s:.0f}: {progress.doing};"
            f" {progress.rate:,.0f} readings/s, {progress.readings:,} in all; {progress.sensors} sensors learned;"
            f" {len(log.incidents)} incidents, {len(log.open)} open",
            flush=True,
        )
