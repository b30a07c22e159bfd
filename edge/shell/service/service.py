"""The service: the loop that runs every stage.

    receive -> process -> COMMIT -> publish -> acknowledge -> confirm

Everything that has arrived is one step, and one or more steps are one transaction: readings, events and dead letters.
Messages are acknowledged only after it, so a crash at any point makes the broker redeliver them. While the disk fails,
nothing is received or acknowledged, but stored events are still sent. The links' network threads only move bytes; if
one dies, the loop ends with an error and the supervisor restarts the service.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from edge.core.incidents.events.event import timestamp
from edge.core.incidents.events.gaps import Gap
from edge.core.pipeline import Pipeline
from edge.shell.activity import Activity, SharedTopic
from edge.shell.activity.status import ServiceStatus, dead_letter_json
from edge.shell.link import ServiceLink
from edge.shell.options import ServiceOptions
from edge.shell.publishing.answers import Answers
from edge.shell.publishing.publisher import Publisher
from edge.shell.publishing.requests import Requests
from edge.shell.service.gap_reporter import GapReporter
from edge.shell.service.sensor_care import SensorCare
from edge.shell.service.sink_keeper import SinkKeeper
from edge.shell.service.state.checkpointer import Checkpointer
from edge.shell.service.state.snapshot_policy import SnapshotPolicy
from edge.shell.service.store_failures import StoreFailures
from edge.shell.service.supervisor import Supervisor, standing
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.service.turns.idle_time import IdleTime
from edge.shell.service.turns.pace import Pace
from edge.shell.service.turns.timers import Timers
from edge.shell.service.watches.clock_watch import ClockWatch
from edge.shell.service.watches.inbound_watch import InboundWatch
from edge.shell.store import Damage, Store, StoreError
from edge.shell.system.signals import Signals
from edge.shell.system.wall_clock import WallClock

log = logging.getLogger("edgewarden.service")

IDLE_WAIT_S, BUSY_WAIT_S = 1.2, 0.02
"""The first is over a second, so that messages sent every second don't wake the loop at the end of each wait."""

LOOK_S = 2.0
"""How often the service checks its own state and notifies its supervisor."""

STARTING_S = 30.0
"""Health is published with each status file; in this first time, when people watch, at every check."""

PRUNE_S, PRUNE_EVENTS, DRAIN_S, RETRY_S = 60.0, 1000, 5.0, 1.0
TICK_S = 1.0
"""Interval at which time advances while nothing arrives."""


class LinkDied(Exception):  # noqa: N818 - what happened, as the log says it
    """A link's network thread has ended unexpectedly."""


class Service:
    """Connects the core to a broker and a store.

    Args:
        pipeline: The core.
        store: Stores the events until they are confirmed.
        inbound: The link for readings.
        outbound: The link for events; may be the same.
        options: The loop's options: topics, windows and intervals.
        replace_store: Moves a damaged store aside for the given reason, and opens a new one.
        last_arrival: Time of the last reading stored before the start, or None.
        clock: The current time.
        monotonic: Seconds that never step.
        supervisor: Notified of the service's state.
        signals: The requests made by signals.
        reload: Reads the configuration again and calls `follow()`, or logs why not.
        sinks: Deliver events to receivers other than the broker.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        inbound: ServiceLink,
        outbound: ServiceLink,
        options: ServiceOptions,
        *,
        replace_store: Callable[[str], tuple[Store, Damage]] | None = None,
        last_arrival: float | None = None,
        clock: WallClock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        supervisor: Supervisor | None = None,
        signals: Signals | None = None,
        reload: Callable[[Service], None] = lambda _: None,
        sinks: SinkKeeper | None = None,
    ) -> None:
        self._store, self._inbound, self._outbound = store, inbound, outbound
        self._topics, self._last_arrival, self._events_since_pruning = options.topics, last_arrival, 0
        self._replace_store, self._reload = replace_store, reload
        self._clock, self._monotonic = clock or WallClock(0.0), monotonic
        self._publisher = self._make_publisher(outbound)
        self.sinks = sinks or SinkKeeper()
        self._group = CommitGroup(options.commit_s, options.in_flight, options.quiet_s)
        self._watch = InboundWatch(inbound, self._group, self._clock, monotonic)
        self._supervisor, self._signals, self._quiet = supervisor or Supervisor(), signals or Signals(), IdleTime(0.0)
        self._pace, self._timers, self._policy, self._replaced = Pace(monotonic), Timers(), SnapshotPolicy(), False
        self._clocks = ClockWatch(self._clock, last_arrival, options.in_flight, monotonic)
        self._started, self._began, self._failures = self._clock(), monotonic(), StoreFailures(monotonic)
        self._waiting: int | None = 0
        self._retry_at: float | None = None
        self._join(pipeline, options)
        self._note_step(self._clocks.stepped(last_arrival))

    def _join(self, pipeline: Pipeline, options: ServiceOptions, shared: Sequence[SharedTopic] = ()) -> None:
        """Connect the parts that depend on the configuration to the links and the store."""
        self._pipeline, self._options = pipeline, options
        self._publisher.rate.per_second, self._group.seconds = options.backlog_per_second, options.commit_s
        links = self._inbound, self._outbound
        self._report = ServiceStatus(options.about or {}, pipeline, *links, self._publisher, self._clock, self._started)
        self._report.watch(self._clocks, self.sinks)
        self._answers = Answers(self._inbound, self._topics.result, shared=self._inbound is self._outbound)
        self._requests, self._connections = Requests(self._inbound), 0
        watched = self._health, self._publisher, self._clock, self._monotonic
        self._activity = Activity(options, pipeline, links, shared).shown(*watched)
        self._gaps = GapReporter(pipeline, self._publisher, self._group, self._clock, self._monotonic)
        self.sinks.join(self._gaps, self._group)
        self._watch.join(pipeline, self._gaps, queued=options.queued)
        self._clocks.join(pipeline, self._gaps.report, stamps=self._inbound.stamps_arrivals)
        self._checkpointer = self._make_checkpointer()
        self._sensor_care = SensorCare(pipeline, options.forget_days, self._clock)

    def announce(self, gaps: Sequence[Gap], retained: Mapping[str, bytes]) -> None:
        """Report data lost before the start, and publish retained topics that may be out of date."""
        self._publisher.retain_all(retained)
        for gap in gaps:
            self._gaps.report(gap)

    def close(self) -> None:
        """Close the store."""
        self._activity.close(self._monotonic(), self._health)
        self.sinks.close(self._store)
        self._store.close()

    def run(self) -> None:
        """Run the loop until a signal ends it, then send the outbox as far as possible.

        Raises:
            LinkDied: A network thread has died.
            StoreError: The store failed and still does at the end; nothing that isn't stored was acknowledged.
        """
        for link in self._links():
            link.start()
        self._quiet = IdleTime(self._monotonic())
        try:
            while not self._signals.stopping:
                self._turn()
                self._supervisor.ready()
                if self._signals.reload:
                    self._signals.reload = False
                    self._reload(self)
            self.settle()
            self._drain()
            if self._group.has_content:
                raise StoreError("stopped while the store couldn't be written")
        finally:
            self._supervisor.stopping()
            for link in self._links():
                link.stop()

    @property
    def current(self) -> tuple[Pipeline, Store, ServiceLink, ServiceLink]:
        """The core, the store, and the links that readings come from and events go to."""
        return self._pipeline, self._store, self._inbound, self._outbound

    def settle(self) -> bool:
        """Commit received data and write a snapshot; returns whether both succeeded."""
        self._commit()
        return not self._group.has_content and self._checkpoint(whole=True)

    def follow(self, pipeline: Pipeline, options: ServiceOptions, inbound: ServiceLink, outbound: ServiceLink) -> None:
        """Continue with another core and other links, after `settle()`; unchanged links stay connected."""
        self._activity.tell_all(self._monotonic())
        if outbound is not self._outbound:
            self._drain()
            unsaid, self._publisher = self._publisher.unsaid, self._make_publisher(outbound)
            self._publisher.retain_all(unsaid)
        if inbound is not self._inbound:
            self._group = CommitGroup(options.commit_s, options.in_flight, options.quiet_s)
            self._watch = InboundWatch(inbound, self._group, self._clock, self._monotonic)
            self._clocks.forget()
        before, self._inbound, self._outbound = self._links(), inbound, outbound
        after = self._links()
        for link in [each for each in before if each not in after]:
            link.stop()
        self._join(pipeline, options, self._activity.shared)
        for link in [each for each in after if each not in before]:
            link.start()

    def _make_publisher(self, link: ServiceLink) -> Publisher:
        return Publisher(self._store, link, monotonic=self._monotonic, status_topic=self._topics.status)

    def _links(self) -> list[ServiceLink]:
        return list(dict.fromkeys((self._inbound, self._outbound)))

    def _turn(self) -> None:
        if not (self._inbound.alive and (self._outbound is self._inbound or self._outbound.alive)):
            raise LinkDied("a network thread has ended")
        self._note_connections()
        self._note_step(self._clocks.stepped(self._last_arrival))
        if self._retry_at is None:
            self._take_in()
        else:
            time.sleep(BUSY_WAIT_S)
        now = self._monotonic()
        if self._group.is_due(now) and (self._retry_at is None or now >= self._retry_at):
            self._commit()
        else:
            self._publish()
        self._answers.turn()
        self._requests.give(self._group.take_requests())
        self._activity.look()
        if self._retry_at is None and not self._group.has_content:
            self._checkpoint()
        if self._timers.is_due("look", now, LOOK_S):
            self._watch.note_missing(self._last_arrival or self._started)
            if self._report.has_news():
                self._publisher.retain(self._topics.status, self._report.status("online"))
            health = cache(self._health)
            if self._activity.turn(now, health, store_works=self._retry_at is None) or now - self._began < STARTING_S:
                self._publisher.retain(self._topics.health, health())
                self._publish()
            self._supervisor.alive()
            self._supervisor.status(standing(self._inbound, self._outbound, self._waiting))
        if self._timers.is_due("prune", now, PRUNE_S) or self._events_since_pruning >= PRUNE_EVENTS:
            self._prune()

    def _take_in(self) -> None:
        """Process what has arrived at once; under load, also what arrives while the loop rests after a step."""
        self._pace.rest()
        received = self._inbound.receive(self._wait_s(), self._pace.most)
        self._note_step(self._clocks.stepped(self._last_arrival))  # they may be stamped by a clock that was just set
        messages = self._clocks.ready(received)
        self._note_connections()
        now = self._monotonic()
        self._watch.note_held_up(self._quiet.looked(now))
        passed_s = self._quiet.passed_s(now, is_empty=not messages)
        if (self._timers.is_due("tick", now, TICK_S) or messages) and passed_s > 0 and self._inbound.connected:
            self._group.add(self._pipeline.tick(passed_s), (), now)
        if messages:
            self._quiet.arrived(now)
            self._last_arrival = messages[-1].arrived
            known = self._pipeline.counters.readings
            for step, its in self._pipeline.steps(self._inbound.of_session(messages)):
                self._group.add(step, self._clocks.hold(step, its), now)
            self._note_step(self._clocks.correct())
            self._pace.stepped(len(messages), self._pipeline.counters.readings - known, now)
        self._watch.took(messages)

    def _wait_s(self) -> float:
        """How long to wait for messages before other work is due."""
        wait = self._group.wait_s(self._monotonic())
        may_wait = not self._checkpointer.is_writing and self._asked(lambda: self._publisher.awaits_broker)
        usual = IDLE_WAIT_S if may_wait else BUSY_WAIT_S
        return usual if wait is None else min(usual, wait)

    def _asked(self, about: Callable[[], bool]) -> bool:
        """The publisher's answer; False if the store can't be read."""
        try:
            return about()
        except StoreError as error:
            self._note_failure("read", error)
            return False

    def _commit(self) -> None:
        """Commit the group, publish its changes, and acknowledge its messages; or retry later."""
        group = self._group
        if group.has_content:
            try:
                rows = group.store_in(self._store, self._inbound.positions(group.messages), self._clock())
            except StoreError as error:
                self._retry_at = self._monotonic() + RETRY_S
                self._note_failure("commit", error)
                return
            if group.events:
                self._events_since_pruning += len(group.events)
                self._publisher.stored(rows)
            if group.replaced or self._replaced:
                self._publisher.changed(self._store if self._replaced else None)
                self._replaced = False
        if self._retry_at is not None:
            log.info("store_works_again")
            self._retry_at = None
        done = group.committed(self._monotonic())
        self._publisher.retain_all(done.retained)
        self._publish()  # first, as a receiver may be waiting for an event
        if done.has_content:
            self._checkpointer.committed(done.parts)
            self.sinks.committed()
        for letter in done.dead_letters:
            self._outbound.publish(self._topics.dead_letter, dead_letter_json(letter), qos=0)
        self._answers.give(done.answers)
        self._activity.committed(done.messages, done.dead_letters, done.events, done.answers, self._monotonic())
        self._inbound.acknowledge(done.messages, window=group.window.assured)

    def _publish(self) -> None:
        try:
            self._publisher.turn(self._clock())
            self.sinks.turn(self._store)
        except StoreError as error:
            self._note_failure("publish", error)

    def _make_checkpointer(self) -> Checkpointer:
        digests = self._options.digest, self._options.inputs
        return Checkpointer(self._store, self._pipeline, *digests, self._policy, self._clock, self._monotonic)

    def _checkpoint(self, *, whole: bool = False) -> bool:
        """Continue a snapshot that is due, or write a complete one now; returns whether the store was writable."""
        try:
            if whole:
                self._checkpointer.write()
            else:
                self._checkpointer.turn()
        except StoreError as error:
            self._note_failure("snapshot", error)
            return False
        self._group.seconds = self._checkpointer.commit_s(self._options.commit_s)
        return True

    def _prune(self) -> None:
        self._events_since_pruning = 0
        try:
            self._store.prune(self._clock.aged())
            surplus = self._store.surplus(self._clock.aged(), [*self._publisher.on_their_way, *self._group.replaced])
            self._group.add(self._sensor_care.turn(self._store), (), self._monotonic())
        except StoreError as error:
            self._note_failure("prune", error)
            return
        for each in surplus:
            self._gaps.report(each.gap, each.sequences)

    def _note_failure(self, what: str, error: StoreError) -> None:
        """Count and log a store failure; if the store is damaged, replace it."""
        self._failures.note(what, error)
        if not error.damaged or self._replace_store is None:
            return
        replaced = self._failures.replace(self._store, self._replace_store, error)
        if replaced is None:
            return
        self._store, damage = replaced
        self._replaced = True
        self._publisher.changed(self._store)
        self._pipeline.continue_after(self._store.last_sequence())
        self._gaps.forget()
        self._gaps.report(damage.gap(self._clock()))
        self._policy.hurry()
        self._checkpointer = self._make_checkpointer()

    def _note_step(self, by: float) -> None:
        if by:
            log.warning("clock_stepped by_s=%.3f believed=%s", by, timestamp(self._clock()))
            self._group.add(self._pipeline.clock_stepped(by), (), self._monotonic())

    def _note_connections(self) -> None:
        if self._watch.note_connections(self._last_arrival):
            self._quiet.arrived(self._monotonic())
        outbound = self._outbound.connections
        if outbound != self._connections and self._outbound.connected:
            self._connections = outbound
            self._publisher.retain(self._topics.status, self._report.status("online"))
            self._publisher.retain_all(self._pipeline.retained_now())
            self._publisher.retain(self._topics.health, self._health())

    def _health(self) -> bytes:
        backlog = None
        try:
            backlog = self._store.backlog()
        except StoreError as error:
            self._note_failure("health", error)
        self._waiting = None if backlog is None else backlog.events
        return self._report.health(backlog, store_errors=self._failures.count, store_writable=self._retry_at is None)

    def _drain(self) -> None:
        """Publish what is left and disconnect, within `DRAIN_S`."""
        until = self._monotonic() + DRAIN_S
        self._publisher.retain(self._topics.health, self._health())
        self._publish()
        said_goodbye = False
        while self._outbound.connected and self._outbound.alive and self._monotonic() < until:
            if self._asked(lambda: self._publisher.idle):
                if said_goodbye:
                    break
                self._publisher.retain(self._topics.status, self._report.status("offline"))
                said_goodbye = True
            self._publish()
            time.sleep(BUSY_WAIT_S)
        self._commit()  # what sinks have refused meanwhile
