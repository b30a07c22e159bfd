"""The activity of a service as a whole: called by its loop, it feeds the log and the status file."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Self

import msgspec

from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.pipeline import Pipeline
from edge.shell.activity.incidents import Incidents
from edge.shell.activity.inputs import Inputs
from edge.shell.activity.refusals import Refusals
from edge.shell.activity.senders.sender_clocks import SenderClocks
from edge.shell.activity.senders.shared_topics import SharedTopic, SharedTopics
from edge.shell.activity.sensors import FoundSensors
from edge.shell.activity.status_file import EVERY_S, RUNNING, STOPPED, StatusFile
from edge.shell.link import ServiceLink
from edge.shell.onlooker import Running
from edge.shell.options import ServiceOptions
from edge.shell.publishing.publisher import Publisher

log = logging.getLogger("edgewarden.service")


class Activity:
    """Observes what a service receives and finds, and reports it.

    Args:
        options: The service loop's options.
        pipeline: The core, which holds the counters.
        links: The links for readings and for events; may be the same.
        shared: The shared topics that an earlier activity has reported.
    """

    def __init__(
        self,
        options: ServiceOptions,
        pipeline: Pipeline,
        links: tuple[ServiceLink, ServiceLink],
        shared: Sequence[SharedTopic] = (),
    ) -> None:
        self._pipeline = pipeline
        self._inbound, self._outbound = links
        self._about = options.about or {}
        self._status_file = None if options.store is None else StatusFile(options.store)
        self._written_at: float | None = None
        self._written_of: object = None
        self._health = b"{}"
        self._store_works = True
        self._inputs = Inputs(options.filters, pipeline.intake.input_of)
        self._refusals = Refusals(pipeline.intake.input_of)
        self._shared = SharedTopics(pipeline.intake.routes.find, shared)
        self._clocks = SenderClocks(pipeline.intake.routes.find)
        self._incidents = Incidents()
        self._sensors = FoundSensors()
        self._refusals.begin(pipeline.counters)
        self._sensors.begin(pipeline.sensors)
        self._onlookers = options.onlooker, options.home_assistant

    @property
    def shared(self) -> Sequence[SharedTopic]:
        """The reported topics that several senders share."""
        return self._shared.told

    def shown(
        self,
        health: Callable[[], bytes],
        publisher: Publisher,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> Self:
        """Attach the service's observers; returns itself.

        Args:
            health: Returns the payload of the topic `health`.
            publisher: Sends events.
            clock: The current time, in seconds since the epoch, UTC.
            monotonic: Seconds that never step.
        """

        def status() -> dict[str, object]:
            return self.as_dict(monotonic(), RUNNING) | {"health": msgspec.Raw(health())}

        for each in self._onlookers:
            each.follow(Running(self._pipeline, self._inbound, self._outbound, publisher, clock, status))
        return self

    def committed(
        self,
        messages: Sequence[Message],
        dead_letters: Sequence[DeadLetter],
        events: Sequence[Event],
        answers: Sequence[bytes],
        now: float,
    ) -> None:
        """Record the contents of a commit, including command results; `now` in seconds of a monotonic clock."""
        for each in self._onlookers:
            each.committed(events, answers)
        self._inputs.note(messages)
        self._shared.note(messages)
        self._clocks.note(messages)
        self._refusals.note(dead_letters, now, self._pipeline.counters)
        self._incidents.note(events, now)

    def look(self) -> None:
        """Run the observers, in each iteration of the loop."""
        for each in self._onlookers:
            each.turn()

    def turn(self, now: float, health: Callable[[], bytes], *, store_works: bool = True) -> bool:
        """Advance time, every few seconds; returns whether the status file was due.

        Args:
            now: Seconds of a monotonic clock.
            health: Returns the payload of the topic `health`; called if the status file is due.
            store_works: Whether the store can be written.
        """
        self._store_works = store_works
        self._inputs.turn(now, connected=self._inbound.connected)
        self._refusals.turn(now, self._pipeline.counters)
        self._incidents.turn(now)
        self._sensors.turn(now, self._pipeline.sensors)
        if self._written_at is not None and now - self._written_at < EVERY_S and self._news() == self._written_of:
            return False
        self._health = health()
        self._write(now, RUNNING)
        return True

    def close(self, now: float, health: Callable[[], bytes]) -> None:
        """Report everything pending, because the service ends; `health` returns the payload of the topic `health`."""
        self.tell_all(now)
        self._health = health()
        self._write(now, STOPPED)
        log.info("stopped")

    def tell_all(self, now: float) -> None:
        """Report everything pending, in seconds of a monotonic clock; nothing is recorded after it."""
        self._refusals.close(now, self._pipeline.counters)
        self._incidents.turn(now, everything=True)

    def as_dict(self, now: float, state: str) -> dict[str, object]:
        """The contents of the status file.

        Args:
            now: Seconds of a monotonic clock.
            state: `running` or `stopped`.
        """
        return {
            "state": state,
            "pid": os.getpid(),
            **self._about,
            "connections": self._connections(),
            "inputs": [each.as_dict() for each in self._inputs.listed(now)],
            "refused": self._refusals.listed(self._pipeline.counters),
            "shared": self._shared.listed(),
            "behind": self._clocks.listed(),
            "health": msgspec.Raw(self._health),
        }

    def _connections(self) -> list[dict[str, object]]:
        links = [("readings", self._inbound), ("events", self._outbound)]
        if self._inbound is self._outbound:
            links = [("readings and events", self._inbound)]
        return [
            {
                "carries": carries,
                "host": link.options.host,
                "port": link.options.port,
                "connected": link.connected,
                "version": link.version,
                "trouble": link.trouble,
                "refused_subscriptions": dict(link.refused_subscriptions),
                "refused_publications": link.refused_publications,
                "takeovers": link.takeovers,
            }
            for carries, link in links
            if link.options.host
        ]

    def _news(self) -> object:
        """A value that changes when a new status file is due.

        That is at a change of connections, an input's first message, a new reason, and if the store can't be written.
        """
        links = [(link.connected, link.trouble) for link in (self._inbound, self._outbound)]
        return links, self._inputs.heard, self._refusals.kinds, self._store_works

    def _write(self, now: float, state: str) -> None:
        self._written_at = now
        self._written_of = self._news()
        if self._status_file is not None:
            self._status_file.write(msgspec.json.encode(self.as_dict(now, state)))
