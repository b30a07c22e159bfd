"""Service state: whether a service uses a store, and its last report."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from edge.commands.support.printing.durations import ago
from edge.shell.activity.status_file import RUNNING, STALE_S, read_status
from edge.shell.store.protection.owner import owner_of


class ServiceState(NamedTuple):
    """A service as seen from outside.

    Attributes:
        running: Whether a process uses the store.
        pid: ID of that process; None if there is none.
        status: Contents of its status file, or of the previous service's; empty if there is none.
        age_s: Age of the status in seconds.
    """

    running: bool
    pid: int | None
    status: dict[str, Any]
    age_s: float

    @property
    def is_starting(self) -> bool:
        """Whether it runs and hasn't written a status yet, so that the status file is from an earlier process."""
        return self.running and self.status.get("pid") != self.pid

    @property
    def answers(self) -> bool:
        """Whether a running service has written its status recently."""
        return self.running and not self.is_starting and self.age_s <= STALE_S

    def words(self) -> str:
        """Whether it is running, as part of a sentence."""
        if self.running:
            return f"the service is running (process {self.pid})"
        if not self.status:
            return "the service is not running"
        how = "stopped" if self.status.get("state") != RUNNING else "ended unexpectedly; last seen"
        return f"the service is not running ({how} {ago(self.age_s)})"


def service_state(store: Path) -> ServiceState:
    """Determine whether a service uses a store.

    Raises:
        StoreError: Its lock file can't be read.
    """
    owner, status = owner_of(store), read_status(store)
    pid = None if owner is None else owner.pid
    if status is None:
        return ServiceState(running=owner is not None, pid=pid, status={}, age_s=0.0)
    return ServiceState(owner is not None, pid, status.content, status.age_s)
