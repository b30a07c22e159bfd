"""The pace of a loop: under a stream of single messages it rests as long as it works, and no step takes for long."""

from __future__ import annotations

import time
from collections.abc import Callable

WIDE = 64
"""Messages or readings that are handled together so cheaply that waiting for more saves nothing."""

LONGEST_REST_S = 0.005
"""After a narrow step the loop rests as long as that took, at most this."""

FIRST_MESSAGES, FEWEST_MESSAGES, MOST_MESSAGES = 1000, 20, 10_000
"""Messages of a step at most: at first, and the bounds between which that follows from how long steps take."""

LONGEST_STEP_S = 1.0
"""The target duration of a step. A backlog of few sensors makes many narrow rounds, which are slow."""

CLOSE_S = 0.05
"""Steps that begin within this time after the end of the previous one form a stream."""


class Pace:
    """Says when to rest.

    A step costs nearly the same for one message and for a hundred, so a stream of single messages would otherwise keep
    the loop busy for good. What arrives while the loop rests is taken in one step. Under a backlog a step is as large
    as can be done in about `LONGEST_STEP_S`, so that meanwhile events go out, the status is written and the watchdog
    sees the loop turn.

    Attributes:
        most: The maximum number of messages of the next step.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.most = FIRST_MESSAGES
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._ended = float("-inf")

    def rest(self) -> None:
        """Rest, if the last step was a narrow one of a stream that has only just ended."""
        rest_s = self._rests_until - self._monotonic()
        if rest_s > 0:
            time.sleep(min(rest_s, LONGEST_REST_S))

    def stepped(self, messages: int, readings: int, began: float) -> None:
        """Note a step that has just ended: of how many messages and readings, and when it began."""
        before, self._ended = self._ended, self._monotonic()
        width, took_s = max(messages, readings), self._ended - began
        if took_s > LONGEST_STEP_S:
            self.most = max(FEWEST_MESSAGES, int(messages * LONGEST_STEP_S / took_s))
        elif messages >= self.most and took_s < LONGEST_STEP_S / 4:
            self.most = min(MOST_MESSAGES, 2 * self.most)
        if width < WIDE and began - before < CLOSE_S:
            self._rests_until = self._ended + took_s
