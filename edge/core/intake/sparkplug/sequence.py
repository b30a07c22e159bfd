"""Sequence numbers of an edge node: 0 to 255, then 0 again. A gap is waited on before it counts as a loss.

Messages behind a gap are read at once, as readings are put in the order of their times anyway. So nothing is held, and
what has to be remembered is which numbers are missing.

Source: Sparkplug 3.0.0, sections 5.10 and 6.4.14 (reordering of messages in host applications).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

NUMBERS = 256


class Sequence:
    """The sequence numbers of one node.

    Attributes:
        last: The latest; None before the first.
        missing: Those before it that haven't come.
        due: End of waiting for them, in seconds since the epoch; infinite while none is missing.
    """

    __slots__ = ("due", "last", "missing")

    def __init__(self, last: int | None = None, missing: Iterable[int] = (), due: float = math.inf) -> None:
        self.last = last
        self.missing = set(missing)
        self.due = due

    def begin(self, number: int | None) -> None:
        """A birth certificate of the node has come; none before it counts any more."""
        self.last = number
        self.forgive()

    def forgive(self) -> None:
        """Wait for what is missing no longer."""
        self.missing.clear()
        self.due = math.inf

    def note(self, number: int | None, arrived: float, wait_s: float) -> None:
        """A message has come.

        Args:
            number: Its sequence number; None if it says none that there is, and then nothing is known of a gap.
            arrived: Time of arrival, in seconds since the epoch.
            wait_s: For how long a missing message is waited for.
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


def sequence_number(said: int | None) -> int | None:
    """A sequence number as a payload says it; None if it says none that there is."""
    return said if said is not None and said < NUMBERS else None
