"""A store has one owner, and no other user can read it."""

from __future__ import annotations

import errno
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from running import ROOT, RunningService, configuration, run_command, wait_until

from config.store_file import lock_path
from edge.shell.store import SqliteStore, StoreError
from edge.shell.store.protection.owner import owned, owner_of

HOLD = """
import sys, time
from pathlib import Path
from edge.shell.store.protection.owner import owned
with owned(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path: Path):
    started = []

    def begin(path: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        return process

    yield begin
    for each in started:
        each.kill()
        each.wait()
        each.stdout.close()


def test_a_second_process_is_told_the_owner(tmp_path: Path, hold) -> None:
    holder = hold(tmp_path / "store.db")
    with (
        pytest.raises(StoreError, match=f"in use by process {holder.pid}, running since 2") as raised,
        owned(tmp_path / "store.db"),
    ):
        pass
    assert not raised.value.temporary
    assert owner_of(tmp_path / "store.db").pid == holder.pid


@pytest.mark.parametrize(
    ("number", "temporary"),
    [
        (errno.ENOSPC, True),
        (errno.EROFS, True),
        (errno.EIO, True),
        (errno.ENOENT, False),
        (errno.EACCES, False),
        (errno.ENOTDIR, False),
    ],
)
def test_waiting_is_only_for_errors_that_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, temporary: bool
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("edge.shell.store.protection.owner.os.open", refuse)
    with pytest.raises(StoreError, match=os.strerror(number)) as raised, owned(tmp_path / "store.db"):
        pass
    assert raised.value.temporary is temporary


def test_another_name_of_the_same_file_is_the_same_store(tmp_path: Path, hold) -> None:
    (tmp_path / "store.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    hold(tmp_path / "store.db")
    with pytest.raises(StoreError, match="in use"), owned(tmp_path / "link.db"):
        pass


def test_a_killed_owner_leaves_nothing_behind_that_blocks(tmp_path: Path, hold) -> None:
    holder = hold(tmp_path / "store.db")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert lock_path(tmp_path / "store.db").exists()
    assert owner_of(tmp_path / "store.db") is None
    with owned(tmp_path / "store.db"):
        assert owner_of(tmp_path / "store.db").pid == os.getpid()
    assert owner_of(tmp_path / "store.db") is None


def test_a_store_that_was_never_owned_has_no_owner(tmp_path: Path) -> None:
    assert owner_of(tmp_path / "store.db") is None
    assert list(tmp_path.iterdir()) == []


def test_an_invalid_lock_file_hides_no_owner(tmp_path: Path, hold) -> None:
    hold(tmp_path / "store.db")
    lock_path(tmp_path / "store.db").write_bytes(b"\xff" * 10_000)
    assert owner_of(tmp_path / "store.db").words() == "another process"


def test_a_folder_that_is_not_writable_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"), owned(tmp_path / "nowhere" / "store.db"):
        pass


def test_a_second_service_on_a_store_ends_with_1_and_names_the_owner(
    mosquitto, make_service: Callable[[str], RunningService]
) -> None:
    first = make_service(configuration(mosquitto.port)).start()
    wait_until(lambda: "connected" in first.log.read_text(), what="the first service")
    second = run_command(first.folder, "run", str(first.path), timeout_s=30)
    assert second.returncode == 1
    assert f"in use by process {first.process.pid}" in second.stderr
    assert first.process.poll() is None
    assert first.end() == 0


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_no_other_user_can_read_the_files_of_a_store(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with owned(tmp_path / "store.db"):
            store = SqliteStore(tmp_path / "store.db")
            store.append([], [], b"entry")
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
            store.close()
    finally:
        os.umask(before)
    assert modes.keys() == {"store.db", "store.db-wal", "store.db-shm", "store.db.lock"}
    assert set(modes.values()) == {0o600}


def test_a_store_readable_by_others_is_made_private_and_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        SqliteStore(path).close()
        SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.getMessage() for each in caplog.records] == ["store_made_private files='store.db'"]
