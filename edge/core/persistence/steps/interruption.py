"""Interruptions: periods in which the service may have missed readings, so that no sensor counts as silent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from detectors.state import StateError
from edge.core.engine import Engine
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch
from edge.core.persistence.journal import Readings
from edge.core.persistence.steps.catch_up import CatchUp


class Interruption:
    """Whether the next reading is the first after an interruption.

    Args:
        engine: Notified when a reading arrives; it then waits for the stream clock to move.
        timed_by_arrival: Of each sensor, whether arrival gives its times.

    Attributes:
        is_coming: Whether the next reading of any kind, held or not, is the first.
        away_s: Seconds since the last reading in which none could arrive, while none has since; else 0.
        catch_up: The backlog that follows.
    """

    def __init__(self, engine: Engine, timed_by_arrival: Sequence[bool]) -> None:
        self._engine, self._absence = engine, engine.absence
        self.catch_up = CatchUp(engine, timed_by_arrival)
        self.is_coming, self.away_s = False, 0.0

    @property
    def is_over(self) -> bool:
        """Whether no interruption, backlog or leap is pending that the stream clock hasn't passed yet."""
        return not (self.is_coming or self.catch_up.is_on or self._absence.is_awaited)

    @property
    def gone_s(self) -> float:
        """Seconds that have passed since the stream clock last moved, and in which no reading could arrive."""
        return max(self.away_s, self._absence.away_s)

    @property
    def unpassed_s(self) -> float:
        """The part of `away_s` by which silences haven't been postponed yet."""
        return max(0.0, self.away_s - self._absence.away_s)

    def come_back(self, away_s: float) -> None:
        """Note that readings may be missing, and the seconds since the last one in which none could arrive."""
        self.is_coming, self.away_s = True, max(self.away_s, away_s)

    def pass_away(self, by: float) -> None:
        """Postpone silences by a part of `away_s`, as time passes without a reading."""
        clock = self._engine.clock.now
        if by > 0 and math.isfinite(clock):
            self._absence.pass_away(by, clock + self._absence.away_s + by)
            self.come_back(self._absence.away_s)

    def ends_with(self, batch: Batch) -> bool:
        """Whether a batch begins with the first reading after an interruption."""
        return self.catch_up.begins_with(batch) or (self.is_coming and len(batch) > 0)

    def recall(self, part: Readings) -> None:
        """Restore the records made before some journaled readings."""
        self.is_coming = self.is_coming or part.interrupted
        self.catch_up.recall(part)

    def passes(self) -> None:
        """Handle the first reading after an interruption."""
        self.is_coming, self.away_s = False, 0.0
        if not self.catch_up.begin():
            self._absence.interrupt(self._engine.clock)

    def state(self) -> bytes:
        """The pending interruption and leap, for `load()`."""
        absence = self._absence
        stands = (self.is_coming, absence.is_interrupted)
        if absence.away_s:
            return encode((*stands, absence.leap_s, absence.leap_until, absence.ahead_time, absence.away_s))
        if not math.isnan(absence.ahead_time):
            return encode((*stands, absence.leap_s, absence.leap_until, absence.ahead_time))
        return encode((*stands, absence.leap_s, absence.leap_until) if absence.leap_s else stands)

    def load(self, state: bytes) -> None:
        """Load a state.

        Raises:
            StateError: It can't be read.
        """
        stands = decode(state, list[bool | float])
        if len(stands) not in {2, 4, 5, 6}:
            raise StateError("an interruption has two parts, or four to six")
        self.is_coming, self._absence.is_interrupted = bool(stands[0]), bool(stands[1])
        self._absence.leap_s, self._absence.leap_until = stands[2:4] or (0.0, -math.inf)
        self._absence.ahead_time = stands[4] if stands[4:] else math.nan
        self.away_s = self._absence.away_s = stands[5] if stands[5:] else 0.0
