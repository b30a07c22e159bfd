"""Rows of the outbox that are read ahead, or known because they have just been stored."""

from __future__ import annotations

from outlet import Outlet, event, raised

from edge.shell.publishing.event_publication import row_of
from edge.shell.publishing.outbox_cursor import READ_AHEAD, OutboxCursor
from edge.shell.publishing.publisher import Publisher
from edge.shell.store import OutboxRow, SqliteStore


class Stored:
    """The rows of a store, and how often it was read."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self.times_read = 0
        self.cursor = OutboxCursor(self._read)

    def _read(self, after: int, most: int) -> list[OutboxRow]:
        self.times_read += 1
        return [each for each in self.rows if each.sequence > after][:most]

    def add(self, *sequences: int) -> list[OutboxRow]:
        rows = [row_of(event(each)) for each in sequences]
        self.rows += rows
        return rows

    def sent(self) -> list[int]:
        found = []
        while (row := self.cursor.next()) is not None:
            found.append(row.sequence)
            self.cursor.sent()
        return found


def test_events_that_have_just_been_stored_are_sent_without_reading_them() -> None:
    stored = Stored()
    assert stored.sent() == []
    stored.cursor.more(stored.add(1, 2))
    stored.cursor.more(stored.add(3))
    assert (stored.sent(), stored.times_read) == ([1, 2, 3], 1)


def test_events_are_read_if_those_before_them_were_not() -> None:
    stored = Stored()
    stored.sent()
    stored.add(1)
    stored.cursor.more()
    stored.cursor.more(stored.add(2))
    assert stored.sent() == [1, 2]


def test_no_more_events_are_kept_than_are_read_at_a_time() -> None:
    stored = Stored()
    stored.sent()
    stored.cursor.more(stored.add(1))
    stored.cursor.more(stored.add(*range(2, READ_AHEAD + 2)))
    stored.cursor.more(stored.add(READ_AHEAD + 2))
    assert stored.sent() == [*range(1, READ_AHEAD + 3)]
    assert stored.times_read > 1


def test_events_that_were_deleted_since_are_not_sent() -> None:
    stored = Stored()
    stored.sent()
    stored.cursor.more(stored.add(1, 2))
    del stored.rows[0]
    stored.cursor.look_again()
    assert stored.sent() == [2]


def test_a_row_that_was_not_read_equals_the_one_that_would_be(store: SqliteStore) -> None:
    raised(store, 1, 1)
    assert [row_of(event(1))] == store.pending(0, 9)


def test_a_publisher_sends_what_was_stored_once(store: SqliteStore) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    for each in range(1, 4):
        raised(store, each, each)
        publisher.stored([row_of(event(each))])
        publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3]


def test_a_publisher_sends_what_was_stored_offline_once(store: SqliteStore) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    outlet.cut()
    raised(store, 1, 2)
    publisher.stored([row_of(event(each)) for each in (1, 2)])
    publisher.turn(0.0)
    outlet.mend()
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2]
