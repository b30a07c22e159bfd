"""What every store promises; a new one is tested by standing in `STORES`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from model_store import ModelStore

from edge.core.events import Event
from edge.core.gaps import Gap
from edge.core.messages import DeadLetter, Refusal
from edge.shell.store import EventFilter, Limits, SqliteStore, Store, StoreError, read_events

LIMITS = Limits(
    events_days=1.0,
    events_bytes=400,
    outbox_events=20,
    outbox_bytes=1500,
    outbox_days=3.0,
    dead_letters=3,
    journal_days=2.0,
    journal_bytes=30,
    free_disk_bytes=0,
)
STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "store.db", "process", LIMITS),
    "sqlite_power": lambda folder: SqliteStore(folder / "store.db", "power", LIMITS),
    "model": lambda _: ModelStore(LIMITS),
}


def event(
    sequence: int, *, size: int = 2, severity: int = 300, incident: str = "incident", transition: str = "raised"
) -> Event:
    payload = b"{}" + b" " * (size - 2)
    return Event(sequence, f"id-{sequence}", "line1/pump", "base/anomaly/line1/pump", 100.0 + sequence, incident,
                 transition, "spike", severity, "line1/pump is at 9", payload)  # fmt: skip


def letter(reason: str = "malformed") -> DeadLetter:
    return DeadLetter("plant/a", 5.0, Refusal(reason, "value", "not a number"), b"\xff\x00abc", 5)


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def sequences(store: Store, after: int = 0, most: int = 100) -> list[int]:
    return [row.sequence for row in store.pending(after, most)]


def test_an_event_is_pending_until_it_is_confirmed(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([1], 200.0)
    assert sequences(store) == [2]


def test_pending_events_come_in_order_from_where_one_left_off(store: Store) -> None:
    store.append([event(each) for each in range(1, 8)], [])
    assert sequences(store, after=2, most=3) == [3, 4, 5]


def test_a_pending_event_is_whole(store: Store) -> None:
    store.append([event(1)], [])
    row = store.pending(0, 1)[0]
    assert (row.topic, row.transition, row.kind, row.severity, row.sensor, row.payload) == (
        "base/anomaly/line1/pump", "raised", "spike", 300, "line1/pump", b"{}")  # fmt: skip


def test_an_event_that_is_known_already_is_left_as_it_is(store: Store) -> None:
    store.append([event(1)], [])
    store.confirm([1], 200.0)
    store.append([event(1)._replace(sequence=9)], [])
    assert sequences(store) == []


def test_the_last_sequence_survives_the_deletion_of_its_event(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([1, 2], 200.0)
    store.prune(200.0 + 2 * 86_400)
    assert store.last_sequence() == 2


def test_an_empty_store_begins_at_nothing(store: Store) -> None:
    assert (store.last_sequence(), sequences(store), store.backlog().events) == (0, [], 0)


def test_the_backlog_says_how_many_wait_and_since_when(store: Store) -> None:
    store.append([event(1), event(2), event(3)], [])
    store.confirm([1], 200.0)
    assert store.backlog() == (2, 4, 102.0)


def test_old_confirmed_events_are_pruned_and_pending_ones_stay(store: Store) -> None:
    store.append([event(1), event(2), event(3)], [])
    store.confirm([1], 200.0)
    store.confirm([2], 200.0 + 86_400)
    store.prune(300.0 + 86_400)
    assert sequences(store) == [3]
    store.append([event(1)], [])
    assert sequences(store) == [1, 3]


def test_beyond_the_bytes_the_oldest_confirmed_events_go(store: Store) -> None:
    store.append([event(each, size=100) for each in range(1, 7)], [])
    store.confirm([1, 2, 3, 4, 6], 200.0)
    assert store.prune(201.0) == []
    store.append([event(1), event(2)], [])
    assert sequences(store) == [1, 5]


def test_of_too_many_that_wait_the_least_severe_go_first_then_the_oldest(store: Store) -> None:
    events = [event(each, severity=900 if each % 2 else 100 + each) for each in range(1, 31)]
    store.append(events, [], now=200.0)
    assert store.prune(201.0) == [Gap("events", "outbox_events", 12, 102.0, 124.0, {"INFO": 12})]
    assert sequences(store) == [each for each in range(1, 31) if each % 2 or each > 24]


def test_what_is_on_its_way_and_gaps_are_never_dropped(store: Store) -> None:
    store.append([event(1, transition="gap"), *[event(each) for each in range(2, 32)]], [], now=200.0)
    gaps = store.prune(201.0, keep=[2, 3])
    assert [gap.number for gap in gaps] == [12]
    assert sequences(store)[:4] == [1, 2, 3, 16]


def test_what_waits_for_too_long_is_dropped(store: Store) -> None:
    store.append([event(1)], [], now=200.0)
    store.append([event(2, severity=900), event(3, transition="gap")], [], now=200.0)
    store.append([event(4)], [], now=200.0 + 86_400)
    gaps = store.prune(201.0 + 3 * 86_400)
    assert gaps == [Gap("events", "outbox_days", 2, 101.0, 102.0, {"WARN": 1, "FATAL": 1})]
    assert sequences(store) == [3, 4]


def test_beyond_the_bytes_the_least_severe_that_wait_go(store: Store) -> None:
    store.append([event(each, size=200, severity=260 * each) for each in range(1, 4)], [], now=200.0)
    store.append([event(each, size=200, severity=900) for each in range(4, 10)], [], now=200.0)
    assert [gap.number for gap in store.prune(201.0)] == [3]
    assert sequences(store) == [4, 5, 6, 7, 8, 9]


def test_what_is_open_now_is_told_from_the_rest(store: Store) -> None:
    store.append(
        [
            event(1, incident="over"),
            event(2, incident="open"),
            event(3, incident="over", transition="cleared"),
            event(4, incident="open", transition="updated"),
            event(5, incident="later"),
        ],
        [],
    )
    assert [row.sequence for row in store.pending_open(0, 9, 4)] == [2, 4]
    assert [row.sequence for row in store.pending_open(2, 9, 4)] == [4]


def test_one_event_goes_when_another_comes_unless_it_is_delivered(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([2], 200.0)
    store.append([event(3)], [], instead_of=[1, 2])
    assert sequences(store) == [3]


def test_a_restart_begins_with_the_snapshot_and_what_came_after_it(store: Store) -> None:
    store.append([], [], b"one", now=1.0)
    store.remember(b"state after one", "digest", 2.0)
    store.append([], [], b"two", now=3.0)
    store.append([event(1)], [], b"three", now=4.0)
    assert store.recall() == (b"state after one", [b"two", b"three"], 4.0, True)
    assert list(store.past()) == [b"one"]


def test_without_a_snapshot_the_whole_journal_is_gone_through(store: Store) -> None:
    store.append([], [], b"one", now=1.0)
    assert store.recall() == (None, [b"one"], 1.0, True)
    assert list(store.past()) == []


def test_what_a_snapshot_covers_is_forgotten_by_age_and_size(store: Store) -> None:
    for arrived in range(6):
        store.append([], [], b"x" * 10, now=200.0 + arrived)
    store.prune(300.0)
    assert store.recall().complete
    store.remember(b"state", "digest", 10.0)
    store.prune(300.0)
    assert list(store.past()) == [b"x" * 10] * 3
    store.prune(300.0 + 3 * 86_400)
    assert list(store.past()) == [b"x" * 10]
    store.append([], [], b"later", now=10.0)
    assert store.recall() == (b"state", [b"later"], 10.0, False)


class StoreAgainstModel(RuleBasedStateMachine):
    """Random actions on the store on disk and on the trivial model, which must always agree."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.store: Store = SqliteStore(self.path, "process", LIMITS)
        self.model = ModelStore(LIMITS)
        self.next = 1
        self.now = 200.0

    @rule(
        data=st.data(),
        count=st.integers(0, 6),
        letters=st.integers(0, 3),
        size=st.integers(2, 150),
        severity=st.integers(1, 1000),
        transition=st.sampled_from(["raised", "updated", "cleared", "expired", "gap"]),
        incident=st.sampled_from("abcdef"),
    )
    def append(
        self, data: st.DataObject, count: int, letters: int, size: int, severity: int, transition: str, incident: str
    ) -> None:
        events = [
            event(self.next + each, size=size, severity=severity, transition=transition, incident=incident)
            for each in range(count)
        ]
        self.next += count
        gone = data.draw(st.lists(st.integers(1, self.next), max_size=2))
        entry = b"%d" % self.next if data.draw(st.booleans()) else None
        for each in (self.store, self.model):
            each.append(events, [letter() for _ in range(letters)], entry, now=self.now, instead_of=gone)

    @rule()
    def remember(self) -> None:
        for each in (self.store, self.model):
            each.remember(b"after %d" % self.next, "digest", self.now)

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        waiting = sequences(self.model)
        chosen = data.draw(st.lists(st.sampled_from(waiting), unique=True)) if waiting else []
        for each in (self.store, self.model):
            each.confirm(chosen, self.now)

    @rule(days=st.floats(0, 2), keep=st.lists(st.integers(1, 60), max_size=5))
    def prune(self, days: float, keep: list[int]) -> None:
        self.now += 86_400 * days
        assert self.store.prune(self.now, keep) == self.model.prune(self.now, keep)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.path, "process", LIMITS)

    @invariant()
    def agree(self) -> None:
        assert self.store.pending(0, 1000) == self.model.pending(0, 1000)
        assert self.store.pending(2, 4, 9) == self.model.pending(2, 4, 9)
        assert self.store.pending_open(1, 5, self.next - 2) == self.model.pending_open(1, 5, self.next - 2)
        assert list(self.store.past()) == list(self.model.past())
        assert self.store.backlog() == self.model.backlog()
        assert self.store.last_sequence() == self.model.last_sequence()
        assert self.store.recall() == self.model.recall()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "store.db")
    first.append([event(1)], [letter()])
    first.close()
    again = SqliteStore(tmp_path / "store.db")
    assert sequences(again) == [1]
    again.close()


def test_half_a_step_is_never_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    broken = letter()
    broken.arrived = "not a number at all"  # type: ignore[assignment]
    broken.beginning = None  # type: ignore[assignment]
    with pytest.raises(StoreError):
        store.append([event(1)], [broken])
    assert sequences(store) == []
    store.append([event(1)], [])
    assert sequences(store) == [1]
    store.close()


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="store.db"):
        SqliteStore(path)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE music (song)")
    connection.close()
    with pytest.raises(StoreError, match="not one of Edgewarden's"):
        SqliteStore(tmp_path / "store.db")


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "store.db").close()
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="later Edgewarden"):
        SqliteStore(tmp_path / "store.db")


def test_events_are_read_by_what_one_looks_for_while_the_store_is_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    store.append([event(1), event(2, severity=900)], [])
    store.append([event(3)._replace(sensor="line2/fan", kind="drift")], [])

    def found(**keys: object) -> list[int]:
        return [each["sequence"] for each in read_events(path, EventFilter(**keys))]

    assert found() == [1, 2, 3]
    assert found(sensor="line1/*") == [1, 2]
    assert found(kinds=("drift", "range")) == [3]
    assert found(severity=500) == [2]
    assert found(since=102.0, until=103.0) == [2]
    assert found(transitions=("cleared",)) == []
    assert [each["sequence"] for each in read_events(path, EventFilter(), last=2)] == [2, 3]
    assert [each["sequence"] for each in read_events(path, EventFilter(), after=2)] == [3]
    store.close()


def test_reading_events_of_a_missing_file_makes_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        read_events(tmp_path / "store.db", EventFilter())
    assert not (tmp_path / "store.db").exists()
