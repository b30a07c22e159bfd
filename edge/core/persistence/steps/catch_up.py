"""Catching up: the backlog that the broker queued while the service was away is processed before silence is reported.

QoS 0 messages aren't queued, and readings without a time are stamped on arrival: the first of them moves the stream
clock across the whole absence, although readings of other sensors are still to come. If every message is queued and
every reading has a time, a backlog moves the clock as the readings did when they were sent, and silence is judged as if
the service had never been away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from detectors.state import StateError
from edge.core.engine import Engine
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch, Message
from edge.core.persistence.journal import Readings
from edge.core.persistence.steps.step import Step


class CatchUp:
    """Whether arriving readings are from a time when the service was away.

    Args:
        engine: Reports no silence during that time.
        timed_by_arrival: Whether each sensor is timestamped on arrival.
    """

    def __init__(self, engine: Engine, timed_by_arrival: Sequence[bool]) -> None:
        self._engine = engine
        self._timed_by_arrival = timed_by_arrival
        self._has_unkept = self._is_unsaid = False
        self._is_expected = self._begins = False

    @property
    def is_on(self) -> bool:
        """Whether a backlog is being processed."""
        return self._engine.absence.is_catching_up

    def returned(self) -> None:
        """Record that the service was away until now: the next reading begins a backlog."""
        self._is_expected = True

    def hear(self, batch: Batch, messages: Sequence[Message]) -> None:
        """Record whether the broker queues messages like these, which gave a batch of readings."""
        if self._has_unkept or len(batch) == 0:
            return
        for each in messages:
            if not (each.qos or each.retained):
                self._has_unkept = self._is_unsaid = True
                return

    def begins_with(self, batch: Batch) -> bool:
        """Whether a batch begins a backlog in which arrival times or missing readings could be mistaken for silence."""
        self._begins = len(batch) > 0 and self._is_expected and (self._has_unkept or any(self._timed_by_arrival))
        self._is_expected = self._is_expected and not len(batch)
        return self._begins

    def begin(self) -> bool:
        """Begin the backlog found by `begins_with()`, if any; returns whether one is being processed."""
        clock = self._engine.clock.now
        if self._begins and clock > -math.inf:
            self._engine.absence.catch_up(clock)
        return self.is_on

    def tell(self, part: Readings) -> None:
        """Store the data for `recall()` in a journal part."""
        part.returned = self._begins
        part.unkept, self._is_unsaid = self._is_unsaid, False

    def recall(self, part: Readings) -> None:
        """Restore the state before journaled readings."""
        self._has_unkept = self._has_unkept or part.unkept
        self._is_expected = part.returned
        if part.caught_up:
            self._engine.absence.caught_up(self._engine.clock.now)

    def end(self) -> Step:
        """Record that the backlog is complete, if there was one."""
        if not self.is_on:
            return Step()
        self._engine.absence.caught_up(self._engine.clock.now)
        return Step(journal=Readings(Batch(), caught_up=True))

    def state(self) -> bytes:
        """Whether any messages aren't queued, and the stream clock at the start of a pending backlog, for `load()`."""
        return encode((self._has_unkept, *([self._engine.absence.behind_since] if self.is_on else [])))

    def load(self, state: bytes) -> None:
        """Load a state.

        Raises:
            StateError: It can't be read.
        """
        stands = decode(state, list[bool | float])
        if len(stands) not in {1, 2}:
            raise StateError("a catch-up has one part, or two")
        self._has_unkept = bool(stands[0])
        self._engine.absence.behind_since = stands[1] if stands[1:] else math.nan
