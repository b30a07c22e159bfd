"""Saving: from all that the core knows to a snapshot, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.recovery import Unlearned, take_over
from edge.core.redelivery import checked
from edge.core.snapshot import Snapshot, SnapshotError, pack_arrays, unpack_arrays

if TYPE_CHECKING:
    from edge.core.pipeline import Pipeline


RETIRED = frozenset({"late_time", "late_run", "run_time", "run_arrived", "recent", "count"})
"""Arrays of the admission that earlier versions saved and this one keeps in another form: what they knew is gone."""


def save(line: Pipeline, digest: str, inputs: str) -> bytes:
    """Everything that a pipeline knows, for `restore()` after a restart.

    Args:
        line: The pipeline.
        digest: Of the configuration.
        inputs: Digest of what it says of inputs.
    """
    engine, intake = line.engine, line.intake
    return Snapshot(
        digest=digest,
        sensors=list(zip(line.sensors.names, line.roster.repetitions, strict=True)),
        tables=[[table.to_bytes() for table in group] for group in engine.tables()],
        vitals=pack_arrays(engine.vitals),
        calibration=pack_arrays(engine.calibration),
        admission=pack_arrays(intake.admission),
        recent_readings=pack_arrays(intake.admission.recent),
        clock_evidence=pack_arrays(intake.admission.evidence),
        trackers=engine.trackers,
        clock=engine.clock.now,
        interrupted=engine.is_interrupted,
        interrupted_now=line.is_interrupted,
        last_values=intake.last_value,
        open_events=list(line.open_incidents.events.values()),
        last_sequence=line.reporter.last_sequence,
        groups=[engine.ordered_groups.index(group) for group, _ in engine.members],
        inputs=inputs,
        timed_by_arrival=intake.timed_by_arrival,
        clock_ahead=engine.clock.saved()[1:],
        delivered=intake.deliveries.packed(),
        held=line.reorder.held(),
        reorder_clock=line.reorder.clock.saved(),
        desk=line.watch.desk.saved(),
        devices=engine.devices.saved(),
    ).to_bytes()


def restore(line: Pipeline, snapshot: Snapshot) -> Unlearned:
    """Give a pipeline that has seen nothing yet what was saved.

    Returns:
        What the snapshot couldn't give, because the configuration has changed; see `recovery.learn()`.

    Raises:
        SnapshotError: What was saved is damaged, or there is no room for it. The pipeline is of no use then; make a
            new one.
    """
    line.know(snapshot.known_sensors())
    if line.sensors.names != [name for name, _ in snapshot.sensors]:
        raise SnapshotError("there is no room for its sensors")
    engine, intake, reorder = line.engine, line.intake, line.reorder
    unlearned = take_over(engine, snapshot)
    for slot in engine.devices.go_on_from(snapshot.devices):
        unlearned.forget(engine, slot)
    unpack_arrays(engine.vitals, snapshot.vitals)
    if snapshot.calibration:
        unpack_arrays(engine.calibration, snapshot.calibration)
    unpack_arrays(intake.admission, snapshot.admission, retired=RETIRED)
    if snapshot.recent_readings:
        unpack_arrays(intake.admission.recent, snapshot.recent_readings)
        unpack_arrays(intake.admission.evidence, snapshot.clock_evidence)
    ahead = snapshot.clock_ahead or (*engine.clock.saved()[1:4], max(0, len(line.sensors) - 1))
    engine.clock.go_on_from((snapshot.clock, *ahead))
    engine.restore(snapshot.trackers, interrupted=snapshot.interrupted)
    try:
        intake.deliveries.note_all(checked(snapshot.deliveries))
        intake.deliveries.load(snapshot.delivered)
    except ValueError as error:
        raise SnapshotError(f"damaged deliveries: {error}") from error
    if snapshot.reorder_clock is not None:
        reorder.clock.go_on_from(snapshot.reorder_clock)
    reorder.hold_again(snapshot.held)
    intake.last_value = snapshot.last_values
    line.reporter.last_sequence = snapshot.last_sequence
    line.open_incidents.events = {event.sensor: event for event in snapshot.open_events}
    line.is_interrupted = snapshot.interrupted_now
    line.watch.restore(snapshot.desk, line.sensors.names)
    return unlearned
