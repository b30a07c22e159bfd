"""The service's own topics: status and health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from edge.core.incidents.events.event import timestamp
from edge.core.model.readings.messages import DeadLetter
from edge.core.pipeline import Pipeline
from edge.shell.activity.problems import Problem, problems_of
from edge.shell.link import ServiceLink
from edge.shell.publishing.publisher import Publisher
from edge.shell.store import Backlog


def status_json(state: str, about: dict[str, object]) -> bytes:
    """The payload of the status topic."""
    return msgspec.json.encode({"state": state, **about})


class Report(Protocol):
    """Another source of entries in `health`: the gateway's clock, or the sinks."""

    def as_dict(self) -> dict[str, object]:
        """Its entry in `health`."""

    def problems(self) -> list[Problem]:
        """Its current problems."""


class ServiceStatus:
    """Writes the status and health topics of a running service.

    Args:
        about: Additional fields of the status.
        pipeline: The core.
        inbound: The link for readings.
        outbound: The link for events; may be the same.
        publisher: Sends the events.
        clock: The current time, in seconds since the epoch, UTC.
        started: Start time of the service.
    """

    def __init__(
        self,
        about: dict[str, object],
        pipeline: Pipeline,
        inbound: ServiceLink,
        outbound: ServiceLink,
        publisher: Publisher,
        clock: Callable[[], float],
        started: float,
    ) -> None:
        self._about = about
        self._pipeline = pipeline
        self._inbound = inbound
        self._outbound = outbound
        self._publisher = publisher
        self._clock = clock
        self._started = started
        self._written: set[object] = set()
        self._clocks: Report | None = None
        self._sinks: Report | None = None

    def watch(self, clocks: Report, sinks: Report) -> None:
        """Include reports about the gateway's clock and the sinks."""
        self._clocks, self._sinks = clocks, sinks

    def has_news(self) -> bool:
        """Whether the kinds of problems have changed since the last status."""
        return self._written != {each["problem"] for each in self._problems()}

    def status(self, state: str) -> bytes:
        """The payload of the topic `status`: `online` or `offline`, and the problems."""
        problems = self._problems()
        self._written = {each["problem"] for each in problems}
        return status_json(state, {**self._about, "started": timestamp(self._started), "problems": problems})

    def health(self, backlog: Backlog | None, *, store_errors: int, store_writable: bool) -> bytes:
        """The payload of the topic `health`: counters, backlog, limits, problems.

        Args:
            backlog: The backlog of the outbox; None if the store can't be read.
            store_errors: Number of store failures.
            store_writable: Whether the last commit succeeded.
        """
        now, pipeline, inbound, publisher = self._clock(), self._pipeline, self._inbound, self._publisher
        waiting: dict[str, object] = {}
        if backlog is not None:
            since = None if backlog.oldest is None else timestamp(backlog.oldest)
            waiting = {"backlog_events": backlog.events, "backlog_bytes": backlog.size, "backlog_since": since}
        return msgspec.json.encode(
            {
                "time": timestamp(now),
                "clock": self._clocks.as_dict() if self._clocks else None,
                "uptime_s": round(now - self._started, 1),
                "sensors": pipeline.sensors.sensors,
                "devices": pipeline.sensors.devices,
                "open_incidents": len(pipeline.engine.open_incidents),
                **pipeline.counters.as_dict(),
                "dropped_qos0": inbound.dropped_qos0,
                "connections": inbound.connections,
                **({} if inbound.lag is None else {"input_lag": inbound.lag}),
                **waiting,
                "events_published": publisher.published,
                "events_replayed": publisher.replayed,
                "events_confirmed": publisher.confirmed,
                "publications_refused": self._outbound.refused_publications,
                "sinks": self._sinks.as_dict() if self._sinks else {},
                "problems": self._problems(),
                "store_errors": store_errors,
                "store_writable": store_writable,
            }
        )

    def _problems(self) -> list[Problem]:
        others = [each.problems() for each in (self._clocks, self._sinks) if each is not None]
        return problems_of(self._inbound, self._outbound, self._publisher) + [one for each in others for one in each]


def dead_letter_json(letter: DeadLetter) -> bytes:
    """The payload of the topic `dead_letter`; the beginning of the refused payload is base64."""
    return msgspec.json.encode(
        {
            "time": timestamp(letter.arrived),
            "topic": letter.topic,
            "reason": letter.refusal.reason,
            "path": letter.refusal.path,
            "detail": letter.refusal.detail,
            "beginning": letter.beginning,
            "size": letter.size,
        }
    )
