"""Dead letters: selects the refusals to keep, at a rate that no sender can exceed."""

from __future__ import annotations

import math

from edge.core.model.counters import Counters
from edge.core.model.readings.messages import DeadLetter, Message, Refusal


class DeadLetters:
    """Keeps a limited number of dead letters per minute, at least one for each reason.

    Args:
        most: Maximum number of dead letters per minute; 0 for none.
        counters: Counts the dead letters that are dropped.
    """

    def __init__(self, most: int, counters: Counters) -> None:
        self._most = most
        self._counters = counters
        self._minute = -math.inf
        self._kept = 0
        self._reasons: set[str] = set()

    def keep(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Add the dead letter of a refusal to `letters`, unless the rate limit is reached."""
        minute = math.floor(message.arrived / 60) if math.isfinite(message.arrived) else 0
        if minute != self._minute:
            self._minute, self._kept = minute, 0
            self._reasons.clear()
        # Beyond the rate, one letter of each reason is still kept, so that a flood of one reason doesn't hide others.
        if self._kept >= self._most and (self._most == 0 or refusal.reason in self._reasons):
            self._counters.dead_letters_suppressed += 1
            return
        self._kept += 1
        self._reasons.add(refusal.reason)
        letters.append(DeadLetter.of(message, refusal))
