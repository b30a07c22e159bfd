"""The contract of every store; an entry in `STORES` adds one to this suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_store import ModelStore
from store_examples import LIMITS, event, letter, pruned, scratch, sequences

from edge.core.incidents.events.gaps import Gap
from edge.shell.store import SqliteStore, Store, StoreError

STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite": lambda folder: SqliteStore(folder / "store.db", "process", LIMITS),
    "sqlite_power": lambda folder: SqliteStore(folder / "store.db", "power", LIMITS),
    "model": lambda _: ModelStore(LIMITS),
}


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def test_an_event_is_pending_until_it_is_confirmed(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([1], 200.0)
    assert sequences(store) == [2]


def test_pending_events_come_in_order_from_a_position(store: Store) -> None:
    store.append([event(each) for each in range(1, 8)], [])
    assert sequences(store, after=2, most=3) == [3, 4, 5]


def test_a_pending_event_is_complete(store: Store) -> None:
    store.append([event(1)], [])
    row = store.pending(0, 1)[0]
    assert (row.topic, row.transition, row.kind, row.severity, row.sensor, row.payload) == (
        "base/anomaly/line1/pump", "raised", "spike", 300, "line1/pump", b"{}")  # fmt: skip


def test_a_known_event_is_unchanged(store: Store) -> None:
    store.append([event(1)], [])
    store.confirm([1], 200.0)
    store.append([event(1)._replace(sequence=9)], [])
    assert sequences(store) == []


def test_it_is_known_whether_all_events_were_new(store: Store) -> None:
    assert store.append([event(1), event(2)], [])
    assert not store.append([event(3), event(1)._replace(sequence=4)], [])
    assert sequences(store) == [1, 2, 3]
    assert store.append([], [letter()], b"entry")


def test_the_last_sequence_survives_the_deletion_of_its_event(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([1, 2], 200.0)
    pruned(store, 200.0 + 2 * 86_400)
    assert store.last_sequence() == 2


def test_an_empty_store_starts_at_zero(store: Store) -> None:
    assert (store.last_sequence(), sequences(store), store.backlog().events) == (0, [], 0)


def test_the_backlog_gives_the_number_of_waiting_events_and_the_age_of_the_oldest(store: Store) -> None:
    store.append([event(1), event(2), event(3)], [])
    store.confirm([1], 200.0)
    assert store.backlog() == (2, 4, 102.0)


def test_old_confirmed_events_are_pruned_and_pending_ones_stay(store: Store) -> None:
    store.append([event(1), event(2), event(3)], [])
    store.confirm([1], 200.0)
    store.confirm([2], 200.0 + 86_400)
    pruned(store, 300.0 + 86_400)
    assert sequences(store) == [3]
    store.append([event(1)], [])
    assert sequences(store) == [1, 3]


def test_beyond_the_size_limit_the_oldest_confirmed_events_go(store: Store) -> None:
    store.append([event(each, size=100) for each in range(1, 7)], [])
    store.confirm([1, 2, 3, 4, 6], 200.0)
    assert pruned(store, 201.0) == []
    store.append([event(1), event(2)], [])
    assert sequences(store) == [1, 5]


def test_of_too_many_waiting_events_the_least_severe_go_first_then_the_oldest(store: Store) -> None:
    events = [event(each, severity=900 if each % 2 else 100 + each) for each in range(1, 31)]
    store.append(events, [], now=200.0)
    assert pruned(store, 201.0) == [Gap("events", "outbox_events", 12, 102.0, 124.0, {"INFO": 12})]
    assert sequences(store) == [each for each in range(1, 31) if each % 2 or each > 24]


def test_events_in_flight_and_gaps_are_never_dropped(store: Store) -> None:
    store.append([event(1, transition="gap"), *[event(each) for each in range(2, 32)]], [], now=200.0)
    gaps = pruned(store, 201.0, keep=[2, 3])
    assert [gap.number for gap in gaps] == [12]
    assert sequences(store)[:4] == [1, 2, 3, 16]


def test_an_event_that_waits_too_long_is_dropped(store: Store) -> None:
    store.append([event(1)], [], now=200.0)
    store.append([event(2, severity=900), event(3, transition="gap")], [], now=200.0)
    store.append([event(4)], [], now=200.0 + 86_400)
    gaps = pruned(store, 201.0 + 3 * 86_400)
    assert gaps == [Gap("events", "outbox_days", 2, 101.0, 102.0, {"WARN": 1, "FATAL": 1})]
    assert sequences(store) == [3, 4]


@given(
    waiting=st.lists(st.tuples(st.integers(2, 400), st.integers(1, 1000), st.booleans()), max_size=40),
    later=st.floats(0, 4 * 86_400),
    under_way=st.sets(st.integers(1, 40), max_size=15),
)
@pytest.mark.parametrize("kind", ["sqlite", "model"])
def test_each_limit_of_the_outbox_holds_independently(
    kind: str, waiting: list[tuple[int, int, bool]], later: float, under_way: set[int]
) -> None:
    with scratch() as folder:
        store = STORES[kind](folder)
        _hold_the_limits(store, waiting, later, under_way)
        store.close()


def _hold_the_limits(store: Store, waiting: list[tuple[int, int, bool]], later: float, under_way: set[int]) -> None:
    events = [
        event(number, size=size, severity=severity) for number, (size, severity, _) in enumerate(waiting, start=1)
    ]
    for each, (_, _, old) in zip(events, waiting, strict=True):
        store.append([each], [], now=0.0 if old else 2 * 86_400.0)
    now = 2 * 86_400.0 + later
    pruned(store, now, keep=sorted(under_way))
    left = [row for row in store.pending(0, 1000) if row.sequence not in under_way]
    sent = [row for row in store.pending(0, 1000) if row.sequence in under_way]
    assert not left or len(left) + len(sent) <= LIMITS.outbox_events
    assert not left or sum(len(row.payload) for row in left + sent) <= LIMITS.outbox_bytes
    stored = {each.sequence: 0.0 if old else 2 * 86_400.0 for each, (_, _, old) in zip(events, waiting, strict=True)}
    assert all(now - stored[row.sequence] <= LIMITS.outbox_days * 86_400 for row in left)
    assert {each.sequence for each in events} & under_way == {row.sequence for row in sent}


def test_beyond_the_size_limit_the_least_severe_waiting_events_go(store: Store) -> None:
    store.append([event(each, size=200, severity=260 * each) for each in range(1, 4)], [], now=200.0)
    store.append([event(each, size=200, severity=900) for each in range(4, 10)], [], now=200.0)
    assert [gap.number for gap in pruned(store, 201.0)] == [3]
    assert sequences(store) == [4, 5, 6, 7, 8, 9]


def test_open_incidents_are_distinguished_from_the_rest(store: Store) -> None:
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


def test_one_event_replaces_another_unless_it_is_delivered(store: Store) -> None:
    store.append([event(1), event(2)], [])
    store.confirm([2], 200.0)
    store.append([event(3)], [], instead_of=[1, 2])
    assert sequences(store) == [3]


def test_a_restart_begins_with_the_snapshot_and_the_journal_after_it(store: Store) -> None:
    store.append([], [], b"one", now=1.0)
    store.remember(b"state after one", "digest", 2.0)
    store.append([], [], b"two", now=3.0)
    store.append([event(1)], [], b"three", now=4.0)
    assert store.recall()[:5] == (b"state after one", [b"two", b"three"], 4.0, True, "digest")
    assert list(store.past()) == [b"one"]


def test_without_a_snapshot_the_whole_journal_is_read(store: Store) -> None:
    store.append([], [], b"one", now=1.0)
    assert store.recall()[:5] == (None, [b"one"], 1.0, True, "")
    assert list(store.past()) == []


def test_entries_covered_by_a_snapshot_are_deleted_by_age_and_size(store: Store) -> None:
    for arrived in range(6):
        store.append([], [], b"x" * 10, now=200.0 + arrived)
    pruned(store, 300.0)
    assert store.recall().complete
    store.remember(b"state", "digest", 10.0)
    pruned(store, 300.0)
    assert list(store.past()) == [b"x" * 10] * 3
    pruned(store, 300.0 + 3 * 86_400)
    assert list(store.past()) == [b"x" * 10]
    store.append([], [], b"later", now=10.0)
    assert store.recall()[:5] == (b"state", [b"later"], 10.0, False, "digest")


def test_appended_entries_are_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "store.db")
    first.append([event(1)], [letter()])
    first.close()
    again = SqliteStore(tmp_path / "store.db")
    assert sequences(again) == [1]
    again.close()


def test_half_a_step_is_never_stored(tmp_path: Path) -> None:
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
