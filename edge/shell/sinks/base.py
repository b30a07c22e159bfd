"""The interface of a kind of sink, and its data types.

A runner calls from one thread, in this order: `open()`; then `send()` and `outcomes()` again and again; `close()`.
Whatever fails of the connection or the receiver is raised as `SinkTrouble`; the runner closes the sink, waits, opens it
again and resends what had no outcome, in order. So an event may come twice, but is never lost.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge.shell.store import OutboxRow


class SinkTrouble(Exception):  # noqa: N818 - what happened, as the log says it
    """Nothing can be delivered at present; says why, and never holds a secret.

    Attributes:
        retry_after_s: For how long the receiver doesn't want to be asked again.
    """

    def __init__(self, words: str, retry_after_s: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


class EventRefused(Exception):  # noqa: N818 - likewise
    """One event can't be delivered, now or later, and others can; says why."""


class Outcome(NamedTuple):
    """The outcome of an event that was handed over.

    Attributes:
        sequence: The event's.
        refused: Why the receiver will never take it; empty if it has confirmed it.
    """

    sequence: int
    refused: str = ""


class Sink(Protocol):
    """One kind of sink."""

    @property
    def most(self) -> int:
        """So many events may be under way at a time."""

    @property
    def keeps_order(self) -> bool:
        """Whether what is handed over arrives in that order, even where something in between fails.

        Otherwise only one event of a key is under way at a time.
        """

    def open(self) -> None:
        """Get ready to send; takes a bounded time.

        Raises:
            SinkTrouble: That can't be done now.
        """

    def send(self, row: OutboxRow) -> bool:
        """Hand an event over; returns whether there was room for it.

        Raises:
            EventRefused: It can't be sent at all.
            SinkTrouble: Nothing can be sent now.
        """

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """The outcomes since the last call, in any order; waits up to the timeout if there are none yet.

        Raises:
            SinkTrouble: The connection or the receiver has failed.
        """

    def close(self) -> None:
        """Let go of everything, within a bounded time; what had no outcome is void. Never raises."""
