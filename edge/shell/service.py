"""The service: one loop that walks the line over and over.

    receive -> process -> COMMIT -> acknowledge -> publish -> confirm

Whatever has arrived is one step. Its events and dead letters are one transaction, and only after it are its messages
acknowledged, so that a crash at any point makes the broker deliver them again. The links' network threads do nothing
but move bytes; if one dies, the loop ends with an error and the supervisor starts us anew.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import msgspec

from edge.core.events import timestamp
from edge.core.messages import DeadLetter, Message
from edge.core.pipeline import Pipeline, Step
from edge.core.topics import Topics
from edge.shell.link import Link
from edge.shell.notify import notify
from edge.shell.publisher import Publisher
from edge.shell.store import Store, StoreError

log = logging.getLogger("edgewarden.service")

IDLE_WAIT_S = 0.5
BUSY_WAIT_S = 0.02
HEALTH_S = 2.0
PRUNE_S = 60.0
TICK_S = 1.0
TICK_GRACE_S = 2.0
"""Live, silence is judged this much late, so that a reading that is on its way counts."""

SNAPSHOT_BYTES = 1 << 20
"""A snapshot is written when the journal since the last one is larger than this, and than that snapshot."""

DRAIN_S = 5.0
RETRY_S = 1.0


class LinkDied(Exception):  # noqa: N818 - what happened, as the log says it
    """A link's network thread has ended by itself."""


class Service:
    """Joins the core to a broker and a store.

    Args:
        pipeline: The core.
        store: Where events are kept until they are confirmed.
        inbound: The link that readings come from.
        outbound: The link that events go to; may be the same.
        topics: Our own topics.
        digest: Of the configuration; snapshots are kept under it.
        about: What the status topic says beside our state.
        clock: Seconds since the epoch.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        inbound: Link,
        outbound: Link,
        topics: Topics,
        digest: str,
        about: dict[str, object],
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._inbound = inbound
        self._outbound = outbound
        self._topics = topics
        self._digest = digest
        self._about = about
        self._journaled_bytes = 0
        self._snapshot_bytes = 0
        self._clock = clock
        self._monotonic = monotonic
        self._publisher = Publisher(store, outbound)
        self._stopping = False
        self._connections = {"in": 0, "out": 0}
        self._arrived_at = 0.0
        self._due = dict.fromkeys(("health", "prune", "tick"), 0.0)
        self._started = clock()
        self._store_errors = 0

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._stopping = True

    def run(self) -> None:
        """Walk the line until `stop()`, then bring the outbox home as far as that goes.

        Raises:
            LinkDied: A network thread has died.
            StoreError: The store failed for so long that we were asked to stop meanwhile.
        """
        for link in {id(each): each for each in (self._inbound, self._outbound)}.values():
            link.start()
        self._arrived_at = self._monotonic()
        try:
            while not self._stopping:
                self._turn()
            self._drain()
            self._remember()
        finally:
            notify("STOPPING=1")
            for link in {id(each): each for each in (self._inbound, self._outbound)}.values():
                link.stop()

    def _turn(self) -> None:
        for link in (self._inbound, self._outbound):
            if not link.alive:
                raise LinkDied("a network thread has ended")
        self._note_connections()
        messages = self._inbound.receive(BUSY_WAIT_S if not self._publisher.idle else IDLE_WAIT_S)
        if messages:
            self._arrived_at = self._monotonic()
            self._finish(self._pipeline.process(messages), messages)
        now = self._monotonic()
        if self._is_due("tick", now, TICK_S) and self._inbound.connected:
            elapsed = now - self._arrived_at - TICK_GRACE_S
            if elapsed > 0:
                self._finish(self._pipeline.tick(elapsed), ())
        self._publisher.turn(self._clock())
        if self._journaled_bytes > max(SNAPSHOT_BYTES, self._snapshot_bytes):
            self._remember()
        if self._is_due("health", now, HEALTH_S):
            self._publisher.retain(self._topics.health, msgspec.json.encode(self.health()))
            notify("WATCHDOG=1")
        if self._is_due("prune", now, PRUNE_S):
            self._try_to_prune()

    def _finish(self, step: Step, messages: Sequence[Message]) -> None:
        """Commit a step, acknowledge its messages, and publish what it changed."""
        if step.events or step.dead_letters or step.journal:
            self._commit(step)
            self._publisher.stored()
        self._inbound.acknowledge(messages)
        for topic, payload in step.retained.items():
            self._publisher.retain(topic, payload)
        for letter in step.dead_letters:
            self._outbound.publish(self._topics.dead_letter, dead_letter_json(letter), qos=0)

    def _commit(self, step: Step) -> None:
        """Commit, trying again for as long as the disk refuses; nothing is acknowledged meanwhile."""
        while True:
            try:
                self._store.append(step.events, step.dead_letters, self._entry(step))
            except StoreError as error:
                self._store_errors += 1
                log.error("commit_failed error=%r", str(error))  # noqa: TRY400 - the disk's words say it all
                if self._stopping:
                    raise
                time.sleep(RETRY_S)
            else:
                return

    def _entry(self, step: Step) -> tuple[float, bytes] | None:
        if step.journal is None:
            return None
        self._journaled_bytes += len(step.journal)
        return self._clock(), step.journal

    def _remember(self) -> None:
        """Write a snapshot, so that a restart need not go through the journal before it."""
        state = self._pipeline.save(self._digest)
        try:
            self._store.remember(state, self._digest, self._clock())
        except StoreError as error:
            self._store_errors += 1
            log.error("snapshot_failed error=%r", str(error))  # noqa: TRY400 - the disk's words say it all
            return
        self._snapshot_bytes, self._journaled_bytes = len(state), 0

    def _note_connections(self) -> None:
        inbound = self._inbound.connections
        if inbound != self._connections["in"]:
            self._connections["in"] = inbound
            self._pipeline.interrupted()
            self._arrived_at = self._monotonic()
        outbound = self._outbound.connections
        if outbound != self._connections["out"] and self._outbound.connected:
            self._connections["out"] = outbound
            self._publisher.retain(self._topics.status, self._status("online"))
            for topic, payload in self._pipeline.retained_now().items():
                self._publisher.retain(topic, payload)
            self._publisher.retain(self._topics.health, msgspec.json.encode(self.health()))
            notify("READY=1")

    def _status(self, state: str) -> bytes:
        return status_json(state, {**self._about, "started": timestamp(self._started)})

    def health(self) -> dict[str, object]:
        """What the health topic says: counters, backlog and limits."""
        backlog = self._store.backlog()
        return {
            "time": timestamp(self._clock()),
            "uptime_s": round(self._clock() - self._started, 1),
            "sensors": len(self._pipeline.sensors),
            "open_incidents": len(self._pipeline.engine.open_incidents),
            **self._pipeline.accounts.as_dict(),
            "dropped_qos0": self._inbound.dropped_qos0,
            "connections": self._inbound.connections,
            "backlog_events": backlog.events,
            "backlog_since": None if backlog.oldest is None else timestamp(backlog.oldest),
            "events_published": self._publisher.published,
            "events_confirmed": self._publisher.confirmed,
            "store_errors": self._store_errors,
        }

    def _try_to_prune(self) -> None:
        try:
            self._store.prune(self._clock())
        except StoreError as error:
            self._store_errors += 1
            log.error("prune_failed error=%r", str(error))  # noqa: TRY400 - the disk's words say it all

    def _drain(self) -> None:
        """Publish what is left and say goodbye, for as long as `DRAIN_S` allows."""
        until = self._monotonic() + DRAIN_S
        self._publisher.retain(self._topics.health, msgspec.json.encode(self.health()))
        self._publisher.turn(self._clock())
        said_goodbye = False
        while self._outbound.connected and self._outbound.alive and self._monotonic() < until:
            if self._publisher.idle:
                if said_goodbye:
                    break
                self._publisher.retain(self._topics.status, self._status("offline"))
                said_goodbye = True
            self._publisher.turn(self._clock())
            time.sleep(BUSY_WAIT_S)

    def _is_due(self, what: str, now: float, interval_s: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + interval_s
        return True


def status_json(state: str, about: dict[str, object]) -> bytes:
    """The payload of the status topic."""
    return msgspec.json.encode({"state": state, **about})


def dead_letter_json(letter: DeadLetter) -> bytes:
    """The payload of the dead-letter topic; the beginning of the refused payload is base64."""
    return msgspec.json.encode(
        {
            "time": timestamp(letter.arrived),
            "topic": letter.topic.encode("utf-8", "replace").decode(),
            "reason": letter.refusal.reason,
            "path": letter.refusal.path.encode("utf-8", "replace").decode(),
            "detail": letter.refusal.detail.encode("utf-8", "replace").decode(),
            "beginning": letter.beginning,
            "size": letter.size,
        }
    )
