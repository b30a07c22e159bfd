"""Watches the inbound link: connections, lost sessions, dropped messages, a second client with the same ID, hold-ups.

Each may mean that readings are missing. The core is notified, so that no sensor is reported as silent because of it,
and the subscribers get a gap event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from edge.core.incidents.events.gaps import Gap
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from edge.shell.link import ServiceLink
from edge.shell.service.gap_reporter import GapReporter
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.service.watches.backlog_watch import BacklogWatch
from edge.shell.service.watches.rival_watch import RivalWatch

log = logging.getLogger("edgewarden.service")


class InboundWatch:
    """Records events of the inbound link.

    Args:
        link: The link for readings.
        group: The next commit.
        clock: The current time, in seconds since the epoch, UTC.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        link: ServiceLink,
        group: CommitGroup,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._link = link
        self._group = group
        self._clock = clock
        self._monotonic = monotonic
        self._rivals = RivalWatch(link)
        self._backlog = BacklogWatch(monotonic)
        self._connections = self._moves = 0
        self._dropped = 0
        self._looked_at = clock()

    def join(self, pipeline: Pipeline, gaps: GapReporter, *, queued: bool) -> None:
        """Continue with the core that reads messages from now on; to be called first.

        Args:
            pipeline: The core.
            gaps: Reports lost data.
            queued: Whether the broker queues all messages while the service is disconnected.
        """
        self._pipeline = pipeline
        self._gaps = gaps
        self._queued = queued

    def note_connections(self, last_arrival: float | None) -> bool:
        """Record connections accepted since the last call; returns whether there were any.

        Args:
            last_arrival: Time of the last reading, in seconds since the epoch, UTC; None if there was none.
        """
        if self._link.moves != self._moves:
            self._moves = self._link.moves
            self._group.add(self._pipeline.sensors_moved(), (), self._monotonic())
        connections = self._link.connections
        if connections == self._connections:
            return False
        is_lost = self._link.has_lost_session()
        if is_lost or self._connections > 0 or not (self._queued and self._link.abilities.queues):
            self._pipeline.interrupted(0.0 if last_arrival is None else self._clock() - last_arrival)
        self._pipeline.interruption.catch_up.returned()
        self._backlog.expect()
        self._connections = connections
        self._group.window.connected(is_told=not self._link.acknowledges_blindly)
        if is_lost:
            self._group.add(self._pipeline.session_lost(), (), self._monotonic())
        if is_lost and last_arrival is not None:
            self._gaps.report(Gap("readings", "session_lost", None, last_arrival, self._clock()))
        return True

    def note_held_up(self, seconds: float) -> None:
        """Record for how long the service didn't run, or 0: what has queued meanwhile is read before silence counts."""
        if not seconds:
            return
        log.warning("held_up seconds=%.1f: silence counts again once what has queued meanwhile is read", seconds)
        self._pipeline.interruption.catch_up.returned()
        self._backlog.expect(seconds)

    def note_missing(self, last_arrival: float) -> None:
        """Report messages dropped since the last call, and those that another client has taken.

        Args:
            last_arrival: Time of the last reading, or of the service's start, in seconds since the epoch, UTC.
        """
        now = self._clock()
        dropped = self._link.dropped_qos0 - self._dropped
        if dropped > 0:
            self._dropped += dropped
            self._gaps.report(Gap("readings", "receive_limit", dropped, self._looked_at, now))
        self._looked_at = now
        taken = self._rivals.gap(last_arrival, now, self._monotonic())
        if taken is not None:
            self._gaps.report(taken)

    def took(self, messages: Sequence[Message]) -> None:
        """Handle the end of a turn that took `messages`: topics of no input, and whether a backlog is complete."""
        if messages:
            self._leave_filters()
        catch_up = self._pipeline.interruption.catch_up
        if catch_up.is_on and self._backlog.is_over(is_busy=bool(messages) or self._group.has_content):
            self._group.add(catch_up.end(), (), self._monotonic())

    def _leave_filters(self) -> None:
        """Unsubscribe from filters of an earlier configuration, as far as messages have revealed them."""
        unrouted = self._pipeline.intake.unrouted
        for topic in unrouted:
            self._link.unsubscribe(topic)
        unrouted.clear()
