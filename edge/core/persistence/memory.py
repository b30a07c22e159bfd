"""Memory: everything in the core that remembers, as one list of components."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.core.engine import Engine
from edge.core.incidents.open_incidents import OpenIncidents
from edge.core.incidents.reporting import Reporter
from edge.core.intake.intake import Intake
from edge.core.intake.reorder import Reorder
from edge.core.operator.suppression import Suppression
from edge.core.persistence import checkpoint
from edge.core.persistence.checkpoint import Component, by_row, whole
from edge.core.persistence.detector_states import DetectorStates, Unlearned
from edge.core.persistence.incident_states import IncidentStates
from edge.core.persistence.interruption import Interruption
from edge.core.persistence.journal import Part
from edge.core.persistence.relearning import LEARNABLE, Relearning
from edge.core.persistence.snapshot import KnownSensor, Snapshot


class Memory:
    """What a pipeline remembers, and how it is saved, restored and learned again.

    Args:
        engine: Detectors, statistics and levels of the sensors.
        intake: Last values, deliveries and admission.
        reorder: Readings that are held back.
        interruption: Whether readings may be missing.
        watch: What the operator has said.
        open_incidents: What subscribers know of.
        reporter: Numbers events.
    """

    def __init__(
        self,
        engine: Engine,
        intake: Intake,
        reorder: Reorder,
        interruption: Interruption,
        watch: Suppression,
        open_incidents: OpenIncidents,
        reporter: Reporter,
    ) -> None:
        self._engine = engine
        self._intake = intake
        self._reorder = reorder
        self._detectors = DetectorStates(engine)
        self._incidents = IncidentStates(engine.tracking, watch.desk)
        self._open_incidents = open_incidents

        def sensors() -> int:
            return len(engine.members)

        self.components: tuple[Component, ...] = (
            whole("last_values", intake.last_values),
            whole("units", intake.units),
            whole("deliveries", intake.deliveries),
            whole("reorder", reorder),
            by_row("admission", intake.admission, sensors),
            by_row("same_times", intake.admission.same, sensors),
            by_row("recent_readings", intake.admission.recent, sensors),
            by_row("clock_evidence", intake.admission.evidence, sensors),
            Component("clock", 1, None, lambda *_: engine.clock.state(), lambda _, state: engine.clock.load(state)),
            whole("interruption", interruption),
            whole("operator", watch),
            by_row("devices", engine.devices, engine.devices.__len__),
            by_row("statistics", engine.statistics, sensors),
            by_row("levels", engine.levels, sensors),
            by_row("detectors", self._detectors, sensors),
            by_row("incidents", self._incidents, sensors),
            whole("open_events", open_incidents),
            whole("sequence", reporter),
        )

    def save(self, known: list[KnownSensor], digest: str, inputs: str) -> Snapshot:
        """Everything, with the names of the sensors; see `checkpoint.save()`."""
        return checkpoint.save(known, self.components, digest, inputs)

    def restore(self, snapshot: Snapshot, slot_of: Callable[[str], int | None]) -> Unlearned:
        """Remember what a snapshot says; the sensors are known, and nothing else.

        Args:
            snapshot: The snapshot.
            slot_of: The slot of a sensor.

        Returns:
            What the snapshot couldn't give.
        """
        missing = checkpoint.load(self.components, snapshot)
        self._detectors.forget_unloaded()
        unlearned = self._detectors.unlearned
        unlearned.forget(self._engine, self._engine.devices.unloaded())
        unlearned.components = missing
        if LEARNABLE & missing.keys():
            unlearned.slots.update(range(len(self._engine.members)))
        told = ((slot_of(name), event) for name, event in self._open_incidents.events.items())
        self._incidents.reopen((slot, event) for slot, event in told if slot is not None)
        return unlearned

    def learn(self, unlearned: Unlearned, past: Iterable[Part]) -> int:
        """Learn what `restore()` couldn't give from the journal's past; returns from how many readings."""
        relearning = Relearning(self._engine, self._intake, self._reorder.wait_s, unlearned)
        learned = relearning.go_through(past)
        relearning.hand_over(self.components)
        return learned
