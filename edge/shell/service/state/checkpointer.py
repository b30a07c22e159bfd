"""Checkpointer: writes snapshots between steps, so that no step waits for one.

A large plant's snapshot takes seconds. It is written in slices of some milliseconds each while nothing waits to be
committed, using `edge.core.persistence.checkpoint.SteppedSnapshot`; the rules for this and the recovery are described
there and in `edge.shell.store.snapshots`. The parts of the previous snapshot are also deleted in slices.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence

from edge.core.persistence.checkpoint import SteppedSnapshot, breaks
from edge.core.persistence.journal import Part as JournalPart
from edge.core.persistence.snapshot import Part, Snapshot
from edge.core.pipeline import Pipeline
from edge.shell.service.state.snapshot_policy import SnapshotPolicy
from edge.shell.store import Store, StoreError

log = logging.getLogger("edgewarden.service")

SLICE_S = 0.003
"""Target duration of preparing a slice before it is stored."""

FEWEST_ROWS, FIRST_ROWS, MOST_ROWS = 16, 64, 5_000
"""Minimum, initial and maximum number of rows prepared together, which should take at most a slice and at least a sixth
of one: each preparation has a fixed cost of that order, so that few rows at a time make a snapshot expensive."""

SMALL = 100
"""A plant with at most this many sensors has its snapshot written at once."""

CHUNK_ROWS, CHUNK_BYTES = 256, 1 << 20
"""Number of rows prepared together, and bytes stored together, when a snapshot is written at once."""

COMMIT_S = 0.1
"""Maximum delay of a commit while a snapshot is being written, since it continues only with a commit."""

MOST_TRIES = 3
"""After this many abandoned attempts, an overdue snapshot is written at once."""

RETRY_S = 10.0
"""Pause after a store failure before another snapshot is begun."""

FORGOTTEN = 2
"""Number of parts of the previous snapshot deleted at a time."""


def write_snapshot(store: Store, pipeline: Pipeline, digest: str, inputs: str, now: float) -> None:
    """Write a complete snapshot without holding all of it in memory.

    Args:
        store: The store to write to; all changes of the core must be committed.
        pipeline: The core.
        digest: Digest of the configuration.
        inputs: Digest of the configured inputs.
        now: Seconds since the epoch, UTC.

    Raises:
        StoreError: The store can't be written; the previous snapshot remains valid.
    """
    if len(pipeline.sensors) <= SMALL:
        store.remember(pipeline.save(digest, inputs), digest, now)
        return
    store.begin_snapshot()
    saving = pipeline.saving()
    saving.first_rows = CHUNK_ROWS
    count, size = 0, 0
    chunk: list[Part] = []
    for parts in saving:
        chunk += [each.compressed() for each in parts]
        size += sum(len(each.state) for each in chunk[-len(parts) :])
        if size >= CHUNK_BYTES:
            store.add_parts(chunk)
            count, size, chunk = count + len(chunk), 0, []
    store.add_parts(chunk)
    store.complete_snapshot(Snapshot(digest, inputs, [], count + len(chunk)).to_bytes(), digest, now)


class Checkpointer:
    """Writes the snapshots of a running service.

    Args:
        store: The store to write to.
        pipeline: The core.
        digest: Digest of the configuration.
        inputs: Digest of the configured inputs.
        policy: Decides when to write one.
        clock: Seconds since the epoch, UTC.
        monotonic: Seconds that never step.
        cpu: Seconds of CPU of this thread: what a snapshot takes of them counts, so that a busy machine postpones none.
    """

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        digest: str,
        inputs: str,
        policy: SnapshotPolicy,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._digest = digest
        self._inputs = inputs
        self._policy = policy
        self._clock = clock
        self._monotonic = monotonic
        self._cpu = cpu
        self._saving: SteppedSnapshot | None = None
        self._steps: Iterator[list[Part]] = iter(())
        self._count = 0
        self._seconds = 0.0
        self._given_up = 0
        self._not_before = 0.0
        self._has_garbage = True

    @property
    def is_writing(self) -> bool:
        """Whether a snapshot is being written."""
        return self._saving is not None

    def commit_s(self, usual: float) -> float:
        """Maximum time in seconds for which steps may wait for their commit."""
        return min(usual, COMMIT_S) if self.is_writing else usual

    def committed(self, parts: Sequence[JournalPart]) -> None:
        """Record a journal entry."""
        self._policy.committed(parts)
        if self._saving is not None and (self._saving.is_broken or any(map(breaks, parts))):
            self._saving = None
            self._given_up += 1

    def turn(self) -> None:
        """Write the next slice, if any; nothing may be waiting to be committed.

        Raises:
            StoreError: The store can't be written; the previous snapshot remains valid.
        """
        try:
            if self._saving is not None:
                self._go_on()
            elif self._policy.is_due and self._monotonic() >= self._not_before:
                self._begin()
            elif self._has_garbage:
                self._has_garbage = self._store.forget_parts(FORGOTTEN)
        except StoreError:
            self._saving, self._not_before = None, self._monotonic() + RETRY_S
            raise

    def write(self) -> None:
        """Write a complete snapshot now.

        Raises:
            StoreError: The store can't be written; the previous snapshot remains valid.
        """
        began = self._cpu()
        self._saving = None
        self._policy.begun()
        write_snapshot(self._store, self._pipeline, self._digest, self._inputs, self._clock())
        self._complete(self._cpu() - began)

    def _begin(self) -> None:
        if len(self._pipeline.sensors) <= SMALL or (self._policy.is_overdue and self._given_up >= MOST_TRIES):
            self.write()
        elif self._pipeline.interruption.is_over:
            self._store.begin_snapshot()
            self._policy.begun()
            self._saving = self._pipeline.saving()
            self._saving.first_rows = FIRST_ROWS
            self._steps = iter(self._saving)
            self._count, self._seconds = 0, 0.0
            self._go_on()

    def _go_on(self) -> None:
        """Prepare and store a slice; the last one completes the snapshot."""
        saving = self._saving
        assert saving is not None  # noqa: S101 - the caller has looked
        cpu, began = self._cpu(), self._monotonic()
        before = began
        chunk: list[Part] = []
        is_last = True
        for parts in self._steps:
            chunk += [each.compressed() for each in parts]
            now = self._monotonic()
            saving.rows = adapted(saving.rows, now - before)
            before = now
            if now - began >= SLICE_S:
                is_last = False
                break
        if chunk:
            self._store.add_parts(chunk)
        self._count += len(chunk)
        if is_last:
            state = Snapshot(self._digest, self._inputs, [], self._count).to_bytes()
            self._store.complete_snapshot(state, self._digest, self._clock())
            self._saving = None
        self._seconds += self._cpu() - cpu
        if is_last:
            self._complete(self._seconds)

    def _complete(self, seconds: float) -> None:
        self._policy.completed(seconds)
        self._has_garbage, self._given_up = True, 0
        log.debug("snapshot_written seconds=%.3f", seconds)


def adapted(rows: int, took_s: float) -> int:
    """Number of rows to prepare together, given how long the last ones took."""
    if took_s > SLICE_S:
        return max(FEWEST_ROWS, rows // 2)
    return min(MOST_ROWS, rows + rows // 2) if took_s < SLICE_S / 6 else rows
