"""Missing, unreadable and invalid stores, for all commands that read one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from owned_stores import edgewarden

from edge.shell.store import SqliteStore


@pytest.mark.parametrize("command", ["sensors", "open", "deadletters", "events", "levels", "export"])
def test_a_missing_store_is_reported_and_not_created(folder: Path, command: str) -> None:
    result = edgewarden(command)
    assert result.exit_code == 1
    assert "no such file" in result.stderr
    assert list(folder.glob("*.db*")) == []


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters"])
def test_an_empty_store_is_shown(folder: Path, command: str) -> None:
    SqliteStore(folder / "edgewarden.db").close()
    assert edgewarden(command).exit_code == (3 if command == "status" else 0)


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events"])
def test_a_folder_is_not_a_store(folder: Path, command: str) -> None:
    result = edgewarden(command, "--store", str(folder))
    assert result.exit_code == 1
    assert "is a folder" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events"])
def test_an_unreadable_store_is_reported(store: Path, command: str) -> None:
    store.chmod(0)
    result = edgewarden(command)
    assert result.exit_code == 1
    assert "the service's user may read it" in result.stderr


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events", "levels", "export"])
def test_an_invalid_store_is_reported(folder: Path, command: str) -> None:
    (folder / "edgewarden.db").write_text("some text " * 100)
    result = edgewarden(command)
    assert result.exit_code == 2
    assert "store.path: " in result.stderr
    assert "another kind of file" in result.stderr
    assert (folder / "edgewarden.db").read_text() == "some text " * 100


@pytest.mark.parametrize("command", ["sensors", "open", "deadletters", "events", "levels", "export"])
def test_an_invalid_store_is_reported_where_it_is_named_itself(folder: Path, command: str) -> None:
    (folder / "notes.txt").write_text("some text " * 100)
    result = edgewarden(command, "--store", "notes.txt")
    assert result.exit_code == 1
    assert "notes.txt is another kind of file" in result.stderr
