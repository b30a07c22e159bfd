"""Cell stores, each with what opens it again as another process would; the contract suite takes them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.fleet.folder_store import FolderStore
from edge.fleet.memory_store import MemoryStore
from edge.fleet.store import CellStore

Opener = Callable[[], CellStore]


def _in_memory(folder: Path) -> Opener:
    store = MemoryStore()
    return lambda: store


def _in_a_folder(folder: Path) -> Opener:
    return lambda: FolderStore(folder / "cells")


CELL_STORES: dict[str, Callable[[Path], Opener]] = {"memory": _in_memory, "folder": _in_a_folder}
