"""An outbox cursor: a position in a part of the outbox that is sent in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from edge.shell.store import OutboxRow, Store

READ_AHEAD = 200
"""Events read from the store at a time."""


class OutboxCursor:
    """A part of the outbox that is sent in order.

    Args:
        read: Returns rows after a sequence, up to a maximum number.
        after: The sequence after which to begin.
    """

    def __init__(self, read: Callable[[int, int], list[OutboxRow]], after: int = 0) -> None:
        self._read = read
        self._after = after
        self._ahead: deque[OutboxRow] = deque()
        self._more = True

    def next(self) -> OutboxRow | None:
        """The next row to send, or None."""
        if not self._ahead and self._more:
            self._ahead.extend(self._read(self._after, READ_AHEAD))
            self._more = len(self._ahead) == READ_AHEAD
        return self._ahead[0] if self._ahead else None

    def sent(self) -> None:
        """Advance past the row, which was sent or needn't be."""
        self._after = self._ahead.popleft().sequence

    def more(self, rows: Sequence[OutboxRow] = ()) -> None:
        """Record that the store has new events.

        Args:
            rows: All of them, in order, as they have just been stored; by default they are read when they are needed.
        """
        if self._more or not rows or len(self._ahead) + len(rows) > READ_AHEAD:
            self._more = True
        else:
            self._ahead.extend(rows)

    def look_again(self) -> None:
        """Discard rows read ahead, which may have been deleted from the store."""
        self._ahead.clear()
        self._more = True


def lanes_of(store: Store) -> tuple[OutboxCursor, OutboxCursor, OutboxCursor]:
    """The cursors of a store: urgent events, new events, and the backlog."""
    last = store.last_sequence()
    return (
        OutboxCursor(lambda after, most: store.pending_open(after, most, last)),
        OutboxCursor(store.pending, last),
        OutboxCursor(lambda after, most: store.pending(after, most, last)),
    )
