"""Interruptions: periods in which the service may have missed readings, so that no sensor counts as silent."""

from __future__ import annotations

import math

from detectors.state import StateError
from edge.core.engine import Engine
from edge.core.model.packing.encoding import decode, encode


class Interruption:
    """Whether the next reading is the first after an interruption.

    Args:
        engine: Notified when a reading arrives; it then waits for the stream clock to move.

    Attributes:
        is_coming: Whether the next reading of any kind, held or not, is the first.
    """

    def __init__(self, engine: Engine) -> None:
        self._absence = engine.absence
        self.is_coming = False

    @property
    def is_over(self) -> bool:
        """Whether no interruption or leap is pending that the stream clock hasn't passed yet."""
        return not (self.is_coming or self._absence.is_awaited)

    def passes(self) -> None:
        """Handle the first reading after an interruption."""
        self._absence.is_interrupted = True
        self.is_coming = False

    def state(self) -> bytes:
        """The pending interruption and leap, for `load()`."""
        absence = self._absence
        stands = (self.is_coming, absence.is_interrupted)
        return encode((*stands, absence.leap_s, absence.leap_until) if absence.leap_s else stands)

    def load(self, state: bytes) -> None:
        """Load a state.

        Raises:
            StateError: It can't be read.
        """
        stands = decode(state, list[bool | float])
        if len(stands) not in {2, 4}:
            raise StateError("an interruption has two parts, or four")
        self.is_coming, self._absence.is_interrupted = bool(stands[0]), bool(stands[1])
        self._absence.leap_s, self._absence.leap_until = stands[2:] or (0.0, -math.inf)
