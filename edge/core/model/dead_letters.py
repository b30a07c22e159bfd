"""Dead letters: which refusals are kept, at a rate that no sender can exceed."""

from __future__ import annotations

import math

from edge.core.model.counters import Counters
from edge.core.model.readings.messages import DeadLetter, Message, Refusal


class DeadLetters:
    """Keeps dead letters, so many a minute and at least one of each reason.

    Args:
        most: Dead letters a minute; 0 for none.
        counters: Counts the dead letters that aren't kept.
    """

    def __init__(self, most: int, counters: Counters) -> None:
        self._most = most
        self._counters = counters
        self._minute = -math.inf
        self._kept = 0
        self._reasons: set[str] = set()

    def keep(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Add the dead letter of a refusal to `letters`, unless there are too many in this minute."""
        minute = math.floor(message.arrived / 60) if math.isfinite(message.arrived) else 0
        if minute != self._minute:
            self._minute, self._kept = minute, 0
            self._reasons.clear()
        # Beyond the rate, one letter of each reason is kept still, so that a flood of one reason hides no other.
        if self._kept >= self._most and (self._most == 0 or refusal.reason in self._reasons):
            self._counters.dead_letters_suppressed += 1
            return
        self._kept += 1
        self._reasons.add(refusal.reason)
        letters.append(DeadLetter.of(message, refusal))
