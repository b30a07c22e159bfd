"""A tally of refused input: one log line per minute in total, and one for the first of each reason."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from logging import Logger

from edge.core.model.notation.printable import printable
from edge.core.model.readings.messages import DeadLetter

EVERY_S = 60.0


class RefusalTally:
    """Counts refused input, and logs it.

    Args:
        log: The logger.
        monotonic: A monotonic clock, in seconds.
    """

    def __init__(self, log: Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._counts: Counter[str] = Counter()
        self._shown: set[str] = set()
        self._next = 0.0

    def add(self, refused: Mapping[str, int], dead_letters: Sequence[DeadLetter] = ()) -> None:
        """Add the refused input of a batch, by reason, with examples."""
        self._counts.update(refused)
        for each in dead_letters:
            if each.refusal.reason not in self._shown:
                self._shown.add(each.refusal.reason)
                reason, path, detail = map(printable, each.refusal)
                topic = printable(each.topic)
                self._log.warning("refused topic=%s reason=%s path=%s detail=%s", topic, reason, path, detail)
        if self._counts and self._monotonic() >= self._next:
            counts = " ".join(f"{reason}={count}" for reason, count in sorted(self._counts.items()))
            self._log.warning("refused %s", counts)
            self._counts.clear()
            self._shown.clear()
            self._next = self._monotonic() + EVERY_S
