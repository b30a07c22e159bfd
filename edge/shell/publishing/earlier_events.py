"""Earlier events: undelivered events of an incident that are sent again before its next one.

While the broker may be dropping what it acknowledges (`delivery_check.py`), new events are sent without knowing whether
those before them were delivered. If the access list was corrected a moment ago, the next event is the first that is
delivered. So that it doesn't overtake the others of its incident, they are sent again directly before it, all in one
turn and with nothing else in flight; consumers recognise those that they have by their IDs. An incident with more of
them than `MOST` waits for the status instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.shell.link.sending.delivery_check import DeliveryCheck
from edge.shell.store import OutboxRow, Store

MOST = 15
"""Maximum number of events sent again before a new one; with that one they fit into the in-flight window of 20."""

ATTEMPTS = 3
"""Number of times that they may fail to fit, after which the event waits."""


class EarlierEvents:
    """The events to send before the next one.

    Args:
        store: The store with the events.
        check: Whether the broker may be dropping them.
    """

    def __init__(self, store: Store, check: DeliveryCheck) -> None:
        self._store = store
        self._check = check
        self._sent: set[int] = set()
        self._row = 0
        self._rows: Sequence[OutboxRow] | None = ()
        self._failed = (0, 0)

    def turn(self) -> None:
        """Begin a turn; what was sent in earlier ones may have been dropped."""
        self._sent.clear()
        self._row = 0

    def before(self, row: OutboxRow) -> Sequence[OutboxRow] | None:
        """The events to be sent in this turn before an event; None if there are too many, so that it must wait."""
        if not self._check.is_in_doubt:
            return ()
        if row.sequence != self._row:
            self._row, self._rows = row.sequence, self._look_up(row)
        return self._rows

    def sent(self, sequence: int) -> None:
        """Record that an event was sent in this turn."""
        self._sent.add(sequence)

    def failed(self) -> None:
        """Record that there was no room for the events before the last one and for that."""
        row, count = self._failed
        self._failed = self._row, count + 1 if row == self._row else 1

    def _look_up(self, row: OutboxRow) -> Sequence[OutboxRow] | None:
        found = self._store.pending_before(row.sequence, MOST + 1)
        if len(found) > MOST or self._failed == (row.sequence, ATTEMPTS):
            return None
        return [each for each in found if each.sequence not in self._sent]
