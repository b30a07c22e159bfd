"""The pace of a loop: under a stream of single messages it rests as long as it works."""

from __future__ import annotations

import time
from collections.abc import Callable

WIDE = 64
"""Messages or readings that are handled together so cheaply that waiting for more saves nothing."""

LONGEST_REST_S = 0.005
"""After a narrow step the loop rests as long as that took, at most this."""

CLOSE_S = 0.05
"""Steps that begin within so long of the end of the one before are a stream."""


class Pace:
    """Says when to rest.

    A step costs nearly the same for one message and for a hundred, so a stream of single messages would otherwise keep
    the loop busy for good. What arrives while the loop rests is taken in one step.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._ended = float("-inf")

    def rest(self) -> None:
        """Rest, if the last step was a narrow one of a stream that has only just ended."""
        rest_s = self._rests_until - self._monotonic()
        if rest_s > 0:
            time.sleep(min(rest_s, LONGEST_REST_S))

    def stepped(self, width: int, began: float) -> None:
        """Note a step that has just ended: of how many messages or readings, whichever is more, and when it began."""
        before, self._ended = self._ended, self._monotonic()
        if width < WIDE and began - before < CLOSE_S:
            self._rests_until = self._ended + (self._ended - began)
