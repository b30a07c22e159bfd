"""Sequence numbers of an edge node: 0 to 255, then 0 again. A gap counts as a loss only after a wait.

Messages after a gap are read at once, since readings are sorted by time later anyway. No message is held; only the
missing numbers are recorded.

Source: Sparkplug 3.0.0, sections 5.10 and 6.4.14 (reordering of messages in host applications).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

NUMBERS = 256


class Sequence:
    """The sequence numbers of one node.

    Attributes:
        last: The latest number; None before the first.
        missing: Earlier numbers that haven't arrived.
        due: End of the wait for them, in seconds since the epoch; infinite if none is missing.
    """

    __slots__ = ("due", "last", "missing")

    def __init__(self, last: int | None = None, missing: Iterable[int] = (), due: float = math.inf) -> None:
        self.last = last
        self.missing = set(missing)
        self.due = due

    def begin(self, number: int | None) -> None:
        """Start again at a birth certificate of the node."""
        self.last = number
        self.forgive()

    def forgive(self) -> None:
        """Stop waiting for missing messages."""
        self.missing.clear()
        self.due = math.inf

    def note(self, number: int | None, arrived: float, wait_s: float) -> None:
        """Record the arrival of a message.

        Args:
            number: Its sequence number; None if it is absent or invalid, in which case gaps can't be detected.
            arrived: Time of arrival, in seconds since the epoch.
            wait_s: How long to wait for a missing message.
        """
        last = self.last
        if number is None or number == last:
            return
        if number in self.missing:
            self.missing.discard(number)
            if not self.missing:
                self.due = math.inf
            return
        self.last = number
        if last is None or number == (last + 1) % NUMBERS:
            return
        if not self.missing:
            self.due = arrived + wait_s
        ahead = (number - last) % NUMBERS
        self.missing.update((last + each) % NUMBERS for each in range(1, ahead))


def sequence_number(number: int | None) -> int | None:
    """A valid sequence number from a payload; None if it is absent or invalid."""
    return number if number is not None and number < NUMBERS else None
