"""The cell store in a folder: leftovers of a crash, and damaged files."""

from __future__ import annotations

import stat
import struct
import zlib
from pathlib import Path

import pytest

from edge.fleet.folder_store import FolderStore
from edge.fleet.store import DamagedStoreError, Head


def filled(folder: Path) -> Path:
    store = FolderStore(folder)
    store.put_snapshot(3, b"snapshot", None, "a")
    store.append(3, b"one", Head("a", 0), "b")
    store.append(3, b"two", Head("b", 1), "c")
    return folder / "000003.cell"


def test_a_truncated_file_reads_as_before_the_interrupted_write(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole").read_bytes()
    seen = []
    for size in range(len(whole) + 1):
        folder = tmp_path / f"cut-{size}"
        folder.mkdir()
        (folder / "000003.cell").write_bytes(whole[:size])
        store = FolderStore(folder)
        head = store.head(3)
        assert (store.snapshot(3), store.entries(3)) in {
            None: [(None, [])],
            Head("a", 0): [(b"snapshot", [])],
            Head("b", 1): [(b"snapshot", [b"one"])],
            Head("c", 2): [(b"snapshot", [b"one", b"two"])],
        }[head]
        seen.append(head)
        store.append(3, b"next", head, "d")
        assert FolderStore(folder).entries(3)[-1] == b"next"
    assert list(dict.fromkeys(seen)) == [None, Head("a", 0), Head("b", 1), Head("c", 2)]


def test_an_unfinished_snapshot_does_not_count(tmp_path: Path) -> None:
    file = filled(tmp_path)
    file.with_suffix(".new").write_bytes(b"half of a snap")
    store = FolderStore(tmp_path)
    assert store.head(3) == Head("c", 2)
    store.put_snapshot(3, b"later", Head("c", 2), "d")
    assert store.snapshot(3) == b"later"


def test_a_complete_record_with_invalid_content_is_damage(tmp_path: Path) -> None:
    packed = b"\xc0"
    (tmp_path / "000003.cell").write_bytes(struct.pack(">II", len(packed), zlib.crc32(packed)) + packed)
    with pytest.raises(DamagedStoreError, match="000003"):
        FolderStore(tmp_path).head(3)


def test_no_other_user_may_read_it(tmp_path: Path) -> None:
    file = filled(tmp_path / "cells")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
