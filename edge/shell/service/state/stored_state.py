"""Stored state: restores the core from a store.

If the configuration has changed, the result is the core as if the configuration had always been the present one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from edge.core.incidents.events.gaps import Gap
from edge.core.persistence.checkpoint import is_due_to_upgrade
from edge.core.persistence.components.detector_states import MissingState
from edge.core.persistence.journal import JournalError, Part, SequenceReserved, UnknownPart, pack, unpack
from edge.core.persistence.published_incidents import PublishedIncidents
from edge.core.persistence.snapshot import SENSORS, LaterSnapshotError, Snapshot, SnapshotError, known_sensors
from edge.core.pipeline import Pipeline
from edge.shell.service.state.change import Change
from edge.shell.service.state.checkpointer import write_snapshot
from edge.shell.service.state.relearning import RelearningPlan
from edge.shell.service.state.snapshot_policy import cost_s
from edge.shell.store import Store, StoredState, StoreError

log = logging.getLogger("edgewarden.service")

SNAPSHOT_S = 0.5
"""Duration of a replay in seconds after which a snapshot is written, so that repeated crashes don't accumulate work."""


Resumed = tuple[Pipeline, StoredState, list[Gap]]
"""The core, its source, and the data found missing."""


class _Journal:
    """Decodes journal entries, and reports each unknown kind of part once.

    Attributes:
        cost_s: Estimated duration of replaying the journal after the snapshot, in seconds.
    """

    def __init__(self) -> None:
        self.cost_s = 0.0
        self._left_out: set[str] = set()

    def since(self, entries: Iterable[bytes]) -> Iterator[Part]:
        """The parts after the snapshot; all are required, since entries after a damaged one may refer to its sensors.

        Raises:
            StoreError: An entry is damaged.
        """
        for entry in entries:
            try:
                parts = list(self._parts(entry))
                self.cost_s += cost_s(parts)
                yield from parts
            except JournalError as error:
                raise StoreError(f"the store is damaged: {error}", damaged=True) from error

    def past(self, entries: Iterable[bytes]) -> Iterator[Part]:
        """The parts before the snapshot, without damaged entries."""
        for entry in entries:
            try:
                yield from self._parts(entry)
            except JournalError as error:
                log.warning("journal_entry_damaged error=%r", str(error))

    def _parts(self, entry: bytes) -> Iterator[Part]:
        for part in unpack(entry):
            if not isinstance(part, UnknownPart):
                yield part
            elif part.kind not in self._left_out:
                self._left_out.add(part.kind)
                log.warning("journal_part_left_out kind=%r", part.kind)


def resume(
    make_pipeline: Callable[[], Pipeline],
    store: Store,
    digest: str,
    inputs: str,
    now: float,
    working: Callable[[], None] = lambda: None,
    *,
    is_whole: bool = True,
) -> Resumed:
    """Restore the core from everything in the store.

    Args:
        make_pipeline: Creates an empty core.
        store: The store.
        digest: Digests of the present configuration, see `Configuration.digests()`.
        inputs: Digest of the configured inputs.
        now: Seconds since the epoch, UTC.
        working: Called repeatedly during the work. An exception from it ends the work and leaves the store unchanged.
        is_whole: Whether the store has all of its events, unlike the replacement of a damaged one.

    Returns:
        The core, its source, and the data found missing.

    Raises:
        StoreError: The store can't be read, is damaged, or the state of a changed configuration can't be written.
    """
    began = time.monotonic()
    recollection = store.recall()
    pipeline, journal = make_pipeline(), _Journal()
    published, gaps = PublishedIncidents(pipeline.published), list[Gap]()
    learned, anew, incomplete = 0, False, False
    try:
        restored = 0
        if recollection.state is not None:
            unlearned, restored = _restore(pipeline, store, recollection, journal, inputs, working)
            published = PublishedIncidents(pipeline.published)
            incomplete = bool(unlearned.components)
        earlier = recollection.since[:restored]
        relearning = RelearningPlan(lambda: _newest_first(store, earlier), journal.past, working)
        if recollection.state is not None:
            learned = _teach(pipeline, relearning, unlearned, Change.between(recollection.digest, digest))
        if recollection.state is not None or recollection.complete:
            pipeline.replay(journal.since(_attended(recollection.since[restored:], working)))
        if recollection.state is not None and Change.between(recollection.digest, digest):
            devices = pipeline.new_devices()
            learned += relearning.teach(partial(pipeline.learn, devices)) if devices.slots else 0
    except SnapshotError as error:
        gaps, anew = _lost_with_snapshot(recollection, error), True
        pipeline = _relearned(make_pipeline(), store, recollection, journal, working)
    _log_resumed(pipeline, recollection, learned, time.monotonic() - began)
    pipeline.counters.clear()
    pipeline.continue_after(store.last_sequence())
    changed = recollection.state is not None and bool(Change.between(recollection.digest, digest))
    corrected = is_whole and not anew and _correct(pipeline, published, store, now, raises=changed)
    if anew or changed or incomplete or learned or corrected or not is_whole or journal.cost_s > SNAPSHOT_S:
        write_snapshot(store, pipeline, digest, inputs, now)
    return pipeline, recollection, gaps


def _relearned(
    pipeline: Pipeline, store: Store, recollection: StoredState, journal: _Journal, working: Callable[[], None]
) -> Pipeline:
    """An empty core that has learned from the whole journal, if that is complete; the snapshot is unreadable."""
    if recollection.complete:
        pipeline.replay(journal.past(_attended(store.past(), working)))
        pipeline.replay(journal.since(_attended(recollection.since, working)))
    return pipeline


def _lost_with_snapshot(recollection: StoredState, error: SnapshotError) -> list[Gap]:
    """The gap that an unreadable snapshot leaves; none if it is only of a later version."""
    log.warning("learning_anew reason=%r", str(error))
    if isinstance(error, LaterSnapshotError):
        return []
    detail = f"the learned state couldn't be read ({error})"
    return [Gap("readings", "store_damaged", None, None, recollection.last_arrival, {}, detail)]


def _log_resumed(pipeline: Pipeline, recollection: StoredState, learned: int, seconds: float) -> None:
    log.info(
        "resumed sensors=%d open_incidents=%d journal_entries=%d learned_from_journal=%d seconds=%.2f",
        pipeline.sensors.sensors,
        len(pipeline.engine.open_incidents),
        len(recollection.since),
        learned,
        seconds,
    )


def _correct(pipeline: Pipeline, published: PublishedIncidents, store: Store, now: float, *, raises: bool) -> bool:
    """Reconcile open incidents with the published ones; returns whether anything had to be published."""
    if not published.note_all(store.events_after(published.after)):
        return False
    events = published.reconcile(pipeline.published, pipeline.sensors, pipeline.watch, raises=raises)
    if events:
        log.warning("incidents_corrected events=%d reason='they differ from the published ones'", len(events))
        store.append(events, [], pack([SequenceReserved(events[-1].sequence)]), now=now)
    return published.has_changed


def _attended(entries: Iterable[bytes], working: Callable[[], None]) -> Iterator[bytes]:
    for entry in entries:
        working()
        yield entry


def _newest_first(store: Store, since: Sequence[bytes]) -> Iterator[bytes]:
    yield from reversed(since)
    yield from store.past(newest_first=True)


def _restore(
    pipeline: Pipeline,
    store: Store,
    recollection: StoredState,
    journal: _Journal,
    inputs: str,
    working: Callable[[], None],
) -> tuple[MissingState, int]:
    """Load a snapshot into a core; returns the missing state, and the number of later entries included in the snapshot.

    Parts written in steps are loaded once the replay has reached the entry that each follows.
    """
    snapshot = Snapshot.from_bytes(recollection.state or b"")
    if not snapshot.elsewhere:
        return pipeline.restore(snapshot, inputs), 0
    known = known_sensors(part.decompressed() for _, part in store.parts() if part.component == SENSORS)
    pipeline.begin_restoring(known, inputs_changed=snapshot.inputs != inputs)
    done = count = 0
    for place, part in store.parts():
        if place > done:
            pipeline.replay(journal.since(_attended(recollection.since[done:place], working)))
            done = place
        working()
        pipeline.memory.load(part.decompressed())
        count += 1
    if count != snapshot.elsewhere:
        raise SnapshotError(f"{count} of {snapshot.elsewhere} parts are left")
    return pipeline.finish_restoring(), done


def _teach(pipeline: Pipeline, relearning: RelearningPlan, unlearned: MissingState, change: Change) -> int:
    """Learn from the journal what the snapshot didn't contain; returns the number of readings used."""
    for component, reason in unlearned.components.items():
        event = "upgraded" if is_due_to_upgrade(reason) else "state_left_out"
        log.info("%s component=%s reason=%r: it is learned again from the journal", event, component, reason)
    if not unlearned.slots:
        return 0
    if change is Change.UPGRADE:
        log.info("upgraded sensors_concerned=%d: this version has other defaults", len(unlearned.slots))
    elif change is Change.CONFIGURATION:
        log.info("configuration_changed sensors_concerned=%d", len(unlearned.slots))
    return relearning.teach(partial(pipeline.learn, unlearned))
