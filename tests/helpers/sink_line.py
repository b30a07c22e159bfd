"""A store full of events and a minimal loop, for tests of sinks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from running import wait_until

from config.loading import parse
from edge.core.incidents.events.event import Event, timestamp
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.gap_reporter import GapReporter
from edge.shell.service.sink_keeper import SinkKeeper
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.sinks.kinds import make_sink
from edge.shell.sinks.options import SinkOptions
from edge.shell.store import SinkPosition, SqliteStore, StoreLimits
from edge.shell.system.wall_clock import WallClock

SENSORS = ["line1/pump/temp", "line1/pump/vibration", "line2/fan/current", "hall/door.open", "ofen 3/µ-temp"]
BASE = 1_700_000_000.0


def sink_event(
    number: int,
    sensor: str | None = None,
    *,
    more: str = "",
    severity: int = 300,
    transition: str = "updated",
    stored_id: str = "",
    incident: str = "",
) -> Event:
    """An event as written by the core; `more` is added to its message."""
    name = SENSORS[number % len(SENSORS)] if sensor is None else sensor
    incident = incident or (f"{number % len(SENSORS):016x}" if sensor is None else "0" * 16)
    identity = stored_id or f"{incident}-{number}"
    time_ = timestamp(BASE + number)
    payload = msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": identity,
            "source": "/edgewarden/gw",
            "type": f"io.edgewarden.incident.{transition}.v1",
            "subject": name,
            "time": time_,
            "recordedtime": time_,
            "sequence": f"{number:020d}",
            "correlationid": incident,
            "partitionkey": name,
            "severitytext": "WARN",
            "severitynumber": 13,
            "datacontenttype": "application/json",
            "dataschema": "urn:edgewarden:incident:v1",
            "data": {"incident": incident, "transition": transition, "value": 1.5, "message": f"m{more}"},
        }
    )
    return Event(
        *(number, identity, name, f"edgewarden/gw/anomaly/{name}", BASE + number, incident, transition),
        *("spike", severity, f"m{more}", payload),
    )


def sink_events(first: int, last: int) -> list[Event]:
    """Events with these sequences, for all sensors in turn."""
    return [sink_event(number) for number in range(first, last + 1)]


class Unsent:
    """A publisher that has sent nothing."""

    def was_sent(self, gap: int) -> bool:
        return False


class SinkLine:
    """A store, its sinks, and the part of the loop that they need."""

    def __init__(
        self, folder: Path, *options: SinkOptions, make: Callable[[SinkOptions], Any] = make_sink, **limits: Any
    ) -> None:
        self.path = folder / "store.db"
        self.store = SqliteStore(self.path, "process", StoreLimits(free_disk_bytes=0, **limits))
        self.clock = WallClock(0.0)
        self.pipeline = make_pipeline(parse('[[input]]\ntopic = "#"\n', "test").configuration)
        self.group = CommitGroup(0.0, 20)
        self.gaps = GapReporter(self.pipeline, Unsent(), self.group, self.clock, time.monotonic)
        self.keeper = SinkKeeper(self.path, options, self.clock, time.monotonic, make)
        self.keeper.join(self.gaps, self.group)

    def store_events(self, events: Iterable[Event]) -> None:
        """Store events, as if they had already been delivered to the broker."""
        found = list(events)
        self.store.append(found, [], now=self.clock())
        self.store.confirm([each.sequence for each in found], self.clock())
        self.pipeline.continue_after(self.store.last_sequence())
        self.keeper.committed()

    def turn(self) -> None:
        """Once round the loop."""
        self.keeper.turn(self.store)
        group = self.group
        if group.has_content:
            self.store.append(group.events, group.dead_letters, now=self.clock(), instead_of=group.replaced)
            self.keeper.committed()
            group.committed(time.monotonic())

    def passed(self) -> dict[str, int]:
        """The position of each sink in the store."""
        return {name: position.passed for name, position in self.store.sinks().items()}

    def run_until(self, condition: Callable[[], Any], timeout_s: float = 30.0, what: str = "it") -> Any:
        """Turn the loop until a condition holds; returns its value."""

        def turned() -> Any:
            self.turn()
            return condition()

        return wait_until(turned, timeout_s, what)

    def run_through(self, sequence: int, timeout_s: float = 60.0) -> None:
        """Turn the loop until every sink has reached a sequence."""
        self.run_until(
            lambda: (passed := self.passed()) and min(passed.values()) >= sequence,
            timeout_s,
            f"{self.passed()}, {self.keeper.as_dict()}; {sequence}",
        )

    def positions(self) -> dict[str, SinkPosition]:
        return self.store.sinks()

    def close(self) -> None:
        self.keeper.close(self.store)
        self.store.close()
