"""Catching up: what was kept for us while we were away is taken before any sensor is called silent.

Messages of QoS 0 aren't kept, and those without a time are stamped as they arrive: the first of them moves the stream
clock over all of our absence, though readings of others are still to come. Where all are kept and have times of their
own, a backlog moves it as the readings did when they were sent, and silence is judged as if we had never been away.
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
    """Whether the readings that come are from a time in which we were away.

    Args:
        engine: Calls no sensor silent meanwhile.
        timed_by_arrival: Of each sensor, whether arrival gives its times.
    """

    def __init__(self, engine: Engine, timed_by_arrival: Sequence[bool]) -> None:
        self._engine = engine
        self._timed_by_arrival = timed_by_arrival
        self._has_unkept = self._is_unsaid = False
        self._is_expected = self._begins = False

    @property
    def is_on(self) -> bool:
        """Whether a backlog is being taken."""
        return self._engine.absence.is_catching_up

    def returned(self) -> None:
        """Note that we were away until now: the next reading begins a backlog."""
        self._is_expected = True

    def hear(self, batch: Batch, messages: Sequence[Message]) -> None:
        """Note whether a broker keeps messages like these, which gave a batch of readings."""
        if len(batch) and not self._has_unkept and any(not (each.qos or each.retained) for each in messages):
            self._has_unkept = self._is_unsaid = True

    def begins_with(self, batch: Batch) -> bool:
        """Whether a batch begins a backlog in which times, or what is missing, say nothing of silence."""
        self._begins = len(batch) > 0 and self._is_expected and (self._has_unkept or any(self._timed_by_arrival))
        self._is_expected = self._is_expected and not len(batch)
        return self._begins

    def begin(self) -> bool:
        """Begin if it `begins_with()` what comes now; returns whether one is being taken."""
        clock = self._engine.clock.now
        if self._begins and clock > -math.inf:
            self._engine.absence.catch_up(clock)
        return self.is_on

    def tell(self, part: Readings) -> None:
        """Write down what `recall()` needs."""
        part.returned = self._begins
        part.unkept, self._is_unsaid = self._is_unsaid, False

    def recall(self, part: Readings) -> None:
        """Do what was done before some readings that were journaled."""
        self._has_unkept = self._has_unkept or part.unkept
        self._is_expected = part.returned
        if part.caught_up:
            self._engine.absence.caught_up(self._engine.clock.now)

    def end(self) -> Step:
        """Note that the backlog has been taken, if there was one."""
        if not self.is_on:
            return Step()
        self._engine.absence.caught_up(self._engine.clock.now)
        return Step(journal=Readings(Batch(), caught_up=True))

    def state(self) -> bytes:
        """Whether messages come that aren't kept, and since when a backlog is being taken, if one is; for `load()`."""
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
