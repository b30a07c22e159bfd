"""The disk fails: full or read-only, while the service runs or when it starts.

- **Full:** the store is on a small tmpfs of its own, which is filled with a file. Without the permission to mount one,
  this is skipped.
- **Read-only while running:** `mount` can't make a file system read-only while files are open for writing; only the
  kernel does that after an I/O error. Therefore the process's RLIMIT_FSIZE is set to 0 from outside, so that each of
  its writes to a file fails, and restored later.
- **Read-only at the start:** the tmpfs is mounted read-only while the service is stopped.

Nothing is acknowledged before it is stored, and the process survives and continues by itself. Recovery: from the disk
working again to the first new event.
"""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import Bench, Fault, times
from plant import single
from rig import Plan, Rig
from running import wait_until
from verdict import Outcome

SIZE = 64 * 2**20
TABLES = {"store": 'durability = "process"\nfree_disk_bytes = 0\ncommit_s = 0'}
"""Every step is a commit, so that the write-ahead log soon needs more space than there is."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A temporary file system; ends with a lazy unmount, so that nothing is left behind.

    Raises:
        PermissionError: It can't be mounted.
    """
    disk = folder / "disk"
    disk.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={SIZE}", "edgewarden-faults", str(disk)):
        raise PermissionError("a tmpfs can't be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)  # noqa: S607 - where it is differs


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0  # noqa: S607


def fill(disk: Path) -> Path:
    """Fill a disk completely."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                size = file.write(bytes(size))
            except OSError:
                size //= 2
    return filler


def _lives_on(rig: Rig, seconds: float, outcome: Outcome) -> None:
    """Wait for a while; the process must survive."""
    process = rig.service.process
    assert process is not None
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    outcome.reasons.append(f"the process has ended with {code}")


def full(bench: Bench, disk: Path) -> Outcome:
    """The disk fills up while the service runs."""
    outcome = Outcome(bench.tries)
    plan = Plan(tables=TABLES)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan, store=disk / "store.db") as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            filler = fill(disk)
            wait_until(lambda: rig.listener.latest("health").get("store_writable") is False, 30, "the disk being full")
            _lives_on(rig, bench.chance.uniform(0.5, 3.0), outcome)
            filler.unlink()
            outcome.recoveries.append(rig.wait_new_event(time.monotonic()))
        rig.judge(outcome)
    return outcome


def full_at_start(bench: Bench, disk: Path) -> Outcome:
    """The disk is full when the service starts: without a store, and with the store of a killed service."""
    outcome = Outcome(bench.tries)
    plan = Plan(tables=TABLES)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan, store=disk / "store.db") as rig:
        filler = fill(disk)
        rig.start()
        rig.wait_log("store_not_opened")
        filler.unlink()
        rig.wait_subscribed()
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            filler = fill(disk)
            rig.service.kill()
            rig.start()
            _lives_on(rig, 2.0, outcome)
            filler.unlink()
            outcome.recoveries.append(rig.wait_new_event(time.monotonic()))
        rig.judge(outcome)
    return outcome


def writes_fail(bench: Bench) -> Outcome:
    """Every write fails suddenly, and works again later."""
    outcome = Outcome(bench.tries)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), Plan(tables=TABLES)) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        usual = resource.prlimit(rig.pid, resource.RLIMIT_FSIZE)
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            resource.prlimit(rig.pid, resource.RLIMIT_FSIZE, (0, usual[1]))
            heard = len(rig.listener.first)
            _lives_on(rig, bench.chance.uniform(1.0, 4.0), outcome)
            outcome.demand(len(rig.listener.first) - heard < 500, "events come although none can be stored")
            resource.prlimit(rig.pid, resource.RLIMIT_FSIZE, usual)
            outcome.recoveries.append(rig.wait_new_event(time.monotonic()))
        rig.judge(outcome)
    return outcome


def read_only_at_start(bench: Bench, disk: Path) -> Outcome:
    """The store's file system is read-only when the service starts."""
    outcome = Outcome(bench.tries)
    plan = Plan(tables=TABLES)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan, store=disk / "store.db") as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            rig.service.kill()
            assert _mount("-o", "remount,ro", str(disk))
            rig.start()
            rig.wait_log("store_not_opened")
            _lives_on(rig, 1.0, outcome)
            assert _mount("-o", f"remount,rw,size={SIZE}", str(disk))
            outcome.recoveries.append(rig.wait_new_event(time.monotonic()))
        rig.judge(outcome)
    return outcome


def _on_a_small_disk(bench: Bench, run: Callable[[Bench, Path], Outcome]) -> Outcome:
    try:
        with small_disk(bench.folder) as disk:
            return run(bench, disk)
    except PermissionError as error:
        return Outcome(0, note=f"skipped: {error}")


FAULTS = [
    Fault("disk full", lambda bench: _on_a_small_disk(bench, full), times(10), 1),
    Fault("disk full at the start", lambda bench: _on_a_small_disk(bench, full_at_start), times(5), 0),
    Fault("writes fail", writes_fail, times(10), 1),
    Fault("read-only at the start", lambda bench: _on_a_small_disk(bench, read_only_at_start), times(5), 0),
]
