"""The contract of every cell store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cell_stores import CELL_STORES, Opener
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edge.fleet.store import Head, StaleHeadError


@pytest.fixture(params=CELL_STORES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    with CELL_STORES[request.param](tmp_path) as opener:
        yield opener


def test_a_cell_that_was_never_written_is_empty(opener: Opener) -> None:
    store = opener()
    assert (store.head(3), store.snapshot(3), store.entries(3)) == (None, None, [])


def test_entries_are_kept_in_order(opener: Opener) -> None:
    store = opener()
    store.append(3, b"one", None, "a")
    store.append(3, b"", Head("a", 1), "b")
    store.append(3, b"\x00\xff" * 9, Head("b", 2), "c")
    again = opener()
    assert again.head(3) == store.head(3) == Head("c", 3)
    assert again.snapshot(3) is None
    assert again.entries(3) == [b"one", b"", b"\x00\xff" * 9]


def test_a_snapshot_replaces_everything_before(opener: Opener) -> None:
    store = opener()
    store.append(3, b"one", None, "a")
    store.put_snapshot(3, b"first", Head("a", 1), "b")
    store.append(3, b"two", Head("b", 0), "c")
    assert (store.head(3), store.snapshot(3), store.entries(3)) == (Head("c", 1), b"first", [b"two"])
    store.put_snapshot(3, b"second", Head("c", 1), "d")
    again = opener()
    assert (again.head(3), again.snapshot(3), again.entries(3)) == (Head("d", 0), b"second", [])


def test_the_first_write_may_be_a_snapshot(opener: Opener) -> None:
    store = opener()
    store.put_snapshot(0, b"first", None, "a")
    assert (store.head(0), store.snapshot(0), store.entries(0)) == (Head("a", 0), b"first", [])


def test_cells_are_independent(opener: Opener) -> None:
    store = opener()
    store.append(1, b"one", None, "a")
    store.append(2, b"two", None, "a")
    assert store.entries(1) == [b"one"]
    assert store.entries(2) == [b"two"]


@pytest.mark.parametrize("before", [None, Head("z", 1), Head("a", 2)])
@pytest.mark.parametrize("write", ["append", "put_snapshot"])
def test_a_writer_that_has_read_another_head_changes_nothing(opener: Opener, before: Head | None, write: str) -> None:
    store, other = opener(), opener()
    store.append(3, b"one", None, "a")
    with pytest.raises(StaleHeadError):
        getattr(other, write)(3, b"two", before, "b")
    assert (store.head(3), store.snapshot(3), store.entries(3)) == (Head("a", 1), None, [b"one"])


def test_a_head_for_an_empty_cell_changes_nothing(opener: Opener) -> None:
    store = opener()
    with pytest.raises(StaleHeadError):
        store.append(3, b"two", Head("a", 1), "b")
    assert store.head(3) is None


def test_writes_of_another_process_are_visible(opener: Opener) -> None:
    store, other = opener(), opener()
    store.append(3, b"one", None, "a")
    assert other.head(3) == Head("a", 1)
    other.put_snapshot(3, b"x" * 100, Head("a", 1), "b")
    assert store.head(3) == Head("b", 0)
    with pytest.raises(StaleHeadError):
        store.append(3, b"two", Head("a", 1), "c")


@pytest.mark.long
@seed(19)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["append", "put_snapshot", "stale", "reopen"]), st.binary(max_size=40))))
@pytest.mark.parametrize("kind", CELL_STORES)
def test_any_run_of_writes_reads_like_a_plain_list(
    kind: str, tmp_path_factory: pytest.TempPathFactory, done: list[tuple[str, bytes]]
) -> None:
    with CELL_STORES[kind](tmp_path_factory.mktemp("store")) as opener:
        _hold_against_a_list(opener, done)


def _hold_against_a_list(opener: Opener, done: list[tuple[str, bytes]]) -> None:
    store, head = opener(), None
    snapshot: bytes | None = None
    entries: list[bytes] = []
    for number, (what, content) in enumerate(done):
        if what == "reopen":
            store = opener()
        elif what == "stale":
            with pytest.raises(StaleHeadError):
                store.append(7, content, Head("never", 1), str(number))
        elif what == "append":
            store.append(7, content, head, str(number))
            entries.append(content)
            head = Head(str(number), len(entries))
        else:
            store.put_snapshot(7, content, head, str(number))
            snapshot, entries, head = content, [], Head(str(number), 0)
        assert (store.head(7), store.snapshot(7), store.entries(7)) == (head, snapshot, entries)
