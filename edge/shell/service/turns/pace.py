"""The pace of a loop: it rests as long as it works in a stream of single messages, and bounds the duration of steps."""

from __future__ import annotations

import time
from collections.abc import Callable

WIDE = 64
"""Number of messages or readings from which on waiting for more saves nothing."""

LONGEST_REST_S = 0.005
"""After a narrow step the loop rests for as long as the step took, at most this long."""

FIRST_MESSAGES, FEWEST_MESSAGES, MOST_MESSAGES = 1000, 20, 10_000
"""Initial, minimum and maximum number of messages per step; adapted to the duration of steps."""

LONGEST_STEP_S = 1.0
"""Target duration of a step. A backlog of few sensors consists of many narrow rounds, which are slow."""

CLOSE_S = 0.05
"""Steps that begin within this time after the end of the previous one form a stream."""


class Pace:
    """Decides when to rest.

    A step costs nearly the same for one message and for a hundred, so a stream of single messages would otherwise keep
    the loop permanently busy. Messages that arrive while the loop rests are processed in one step. With a backlog a
    step is as large as can be processed in about `LONGEST_STEP_S`, so that events are sent, the status is written and
    the watchdog is served in between.

    Attributes:
        most: Maximum number of messages of the next step.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.most = FIRST_MESSAGES
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._ended = float("-inf")

    def rest(self) -> None:
        """Rest, if the last step was narrow and part of a stream that has just ended."""
        rest_s = self._rests_until - self._monotonic()
        if rest_s > 0:
            time.sleep(min(rest_s, LONGEST_REST_S))

    def stepped(self, messages: int, readings: int, began: float) -> None:
        """Record a completed step: its number of messages and readings, and its start time."""
        before, self._ended = self._ended, self._monotonic()
        width, took_s = max(messages, readings), self._ended - began
        if took_s > LONGEST_STEP_S:
            self.most = max(FEWEST_MESSAGES, int(messages * LONGEST_STEP_S / took_s))
        elif messages >= self.most and took_s < LONGEST_STEP_S / 4:
            self.most = min(MOST_MESSAGES, 2 * self.most)
        if width < WIDE and began - before < CLOSE_S:
            self._rests_until = self._ended + took_s
