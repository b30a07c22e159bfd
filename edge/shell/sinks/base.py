"""The interface of a sink, and its data types.

A runner calls from one thread, in this order: `open()`; then `send()` and `outcomes()` repeatedly; `close()`. Failures
of the connection or the receiver are raised as `SinkTrouble`; the runner then closes the sink, waits, opens it again
and resends events without an outcome, in order. An event may therefore be delivered twice, but is never lost.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from edge.shell.store import OutboxRow


class SinkTrouble(Exception):  # noqa: N818 - what happened, as the log says it
    """Nothing can be delivered at present. The message gives the reason and never contains a secret.

    Attributes:
        retry_after_s: Minimum pause requested by the receiver, in seconds.
    """

    def __init__(self, words: str, retry_after_s: float = 0.0) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


class EventRefused(Exception):  # noqa: N818 - likewise
    """One event can never be delivered, while others can. The message gives the reason."""


class Outcome(NamedTuple):
    """The outcome of an event passed to a sink.

    Attributes:
        sequence: Sequence of the event.
        refused: Why the receiver will never accept it; empty if it was confirmed.
    """

    sequence: int
    refused: str = ""


class Sink(Protocol):
    """Base of all sinks."""

    @property
    def most(self) -> int:
        """Maximum number of events in flight."""

    @property
    def keeps_order(self) -> bool:
        """Whether events arrive in the order in which they were sent, even if one in between fails.

        Otherwise only one event of each key is in flight at a time.
        """

    def open(self) -> None:
        """Prepare for sending, in bounded time.

        Raises:
            SinkTrouble: That isn't possible now.
        """

    def send(self, row: OutboxRow) -> bool:
        """Send an event; returns whether there was room for it.

        Raises:
            EventRefused: The event can never be sent.
            SinkTrouble: Nothing can be sent now.
        """

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """Outcomes since the last call, in any order; waits up to the timeout if there are none yet.

        Raises:
            SinkTrouble: The connection or the receiver has failed.
        """

    def close(self) -> None:
        """Release all resources in bounded time; events without an outcome are void. Never raises."""
