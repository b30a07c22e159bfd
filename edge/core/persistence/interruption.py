"""Interruptions: readings may be missing for a reason of our own, so that no sensor is silent for it."""

from __future__ import annotations

from edge.core.engine import Engine
from edge.core.model.encoding import decode, encode


class Interruption:
    """Whether the next reading is the first after an interruption.

    Args:
        engine: Is told when a reading comes; from then on it waits for the stream clock to move.

    Attributes:
        is_coming: Whether the next reading of all, held back or not, is the first.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_coming = False

    @property
    def is_over(self) -> bool:
        """Whether there is none, nor one that the stream clock hasn't gone beyond yet."""
        return not (self.is_coming or self._engine.is_interrupted)

    def passes(self) -> None:
        """The first reading after an interruption has come."""
        self._engine.interrupted()
        self.is_coming = False

    def state(self) -> bytes:
        """Whether there is one, for `load()`."""
        return encode((self.is_coming, self._engine.is_interrupted))

    def load(self, state: bytes) -> None:
        """Go on as the state says.

        Raises:
            StateError: It can't be read.
        """
        self.is_coming, interrupted = decode(state, tuple[bool, bool])
        self._engine.interrupted(interrupted=interrupted)
