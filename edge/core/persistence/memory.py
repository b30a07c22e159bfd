"""Memory: all components of the core with state, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from edge.core.engine import Engine
from edge.core.incidents.events.incident_events import IncidentEvents
from edge.core.intake.intake import Intake
from edge.core.intake.times.reorder import Reorder
from edge.core.model.sensors.newcomers import Newcomers
from edge.core.model.sensors.vacancies import Vacancies
from edge.core.operator.suppression import Suppression
from edge.core.persistence.checkpoint import Component, Loading, Stage, by_row, whole
from edge.core.persistence.components.detector_states import DetectorStates, MissingState
from edge.core.persistence.components.incident_states import IncidentStates
from edge.core.persistence.journal import Part as JournalPart
from edge.core.persistence.relearning import LEARNABLE, Relearning
from edge.core.persistence.snapshot import Part
from edge.core.persistence.steps.interruption import Interruption


class Memory:
    """The state of a pipeline: saving, restoring and relearning.

    Args:
        engine: Detectors, statistics and levels of the sensors.
        intake: Last values, deliveries and admission.
        reorder: Held readings.
        interruption: Whether readings may be missing.
        watch: Shelves and windows.
        published: Open incidents as published.
        newcomers: Sensors not yet reported as found.
        vacancies: Vacant slots.
    """

    def __init__(
        self,
        engine: Engine,
        intake: Intake,
        reorder: Reorder,
        interruption: Interruption,
        watch: Suppression,
        published: IncidentEvents,
        newcomers: Newcomers,
        vacancies: Vacancies,
    ) -> None:
        self._engine = engine
        self._intake = intake
        self._reorder = reorder
        self._detectors = DetectorStates(engine)
        self._incidents = IncidentStates(engine.tracking, watch.shelving)
        self._grouping, self._open_incidents = published.grouping, published.open_incidents

        def sensors() -> int:
            return len(engine.members)

        self.stages: tuple[Stage, ...] = (
            *_intake_stages(intake, reorder, vacancies, sensors),
            (
                whole("clock", engine.clock),
                whole("interruption", interruption),
                whole("catch_up", interruption.catch_up),
                whole("operator", watch),
                whole("newcomers", newcomers),
            ),
            (
                by_row("error_values", engine.error_values, sensors),
                by_row("error_habits", engine.error_values.habits, sensors),
            ),
            (by_row("paces", engine.paces, sensors),),
            (by_row("peers", engine.peers, engine.peers.__len__, together=lambda: engine.peers.ended),),
            (by_row("devices", engine.devices, engine.devices.__len__),),
            (
                by_row("statistics", engine.statistics, sensors),
                by_row("levels", engine.levels, sensors),
                by_row("usual_ranges", engine.tracking.ranges, sensors),
                by_row("recurrences", engine.tracking.recurrences, sensors),
                by_row("adoptions", engine.tracking.adoptions, sensors),
                by_row("habits", engine.tracking.habits, sensors),
                by_row("detectors", self._detectors, sensors),
                by_row("incidents", self._incidents, sensors),
            ),
            (whole("grouping", published.grouping),),
            (whole("open_events", published.open_incidents), whole("sequence", published.reporter)),
        )
        self._loading = Loading(self.components)
        self._known = 0

    @property
    def components(self) -> Iterator[Component]:
        """All components with state, in the order in which readings pass through them."""
        return (component for stage in self.stages for component in stage)

    def begin(self, known: int) -> None:
        """Begin to load parts of a snapshot into a pipeline where only the first `known` sensors are registered."""
        self._loading = Loading(self.components)
        self._known = known

    def load(self, part: Part) -> None:
        """Load a part; see `checkpoint.Loading`."""
        self._loading.load(part)

    def finish(self, slot_of: Callable[[str], int | None]) -> MissingState:
        """Finish loading; returns the state that the parts didn't contain.

        Args:
            slot_of: Returns the slot of a sensor.
        """
        missing = self._loading.finish()
        if self._engine.peers.is_idle:
            missing.pop("peers", None)
        self._detectors.forget_unloaded(self._known)
        unlearned = self._detectors.unlearned
        unlearned.forget(self._engine, [slot for slot in self._engine.devices.unloaded() if slot < self._known])
        unlearned.components = missing
        for slot in range(len(self._engine.members)):
            self._engine.declare_counter(slot)
        if LEARNABLE & missing.keys():
            unlearned.slots.update(range(len(self._engine.members)))
        by_slot = ((slot_of(name), event) for name, event in self._open_incidents.events.items())
        mine = ((slot, event) for slot, event in by_slot if slot is not None)
        self._incidents.reopen((slot, event) for slot, event in mine if not self._grouping.is_told_of_others(slot))
        if "peers" in missing:
            self._reconcile_peers()
        self._grouping.keep(self._engine.open_incidents.keys())
        return unlearned

    def learn(self, unlearned: MissingState, past: Iterable[JournalPart]) -> int:
        """Learn from the journal what `restore()` couldn't restore; returns the number of readings used."""
        relearning = Relearning(self._engine, self._intake, self._reorder.wait_s, unlearned)
        learned = relearning.go_through(past)
        relearning.hand_over(self.components)
        if "peers" in unlearned.components:
            self._reconcile_peers()
        return learned

    def _reconcile_peers(self) -> None:
        """Make the comparisons of peers follow the open incidents, as subscribers know these."""
        incidents = self._engine.open_incidents.items()
        self._engine.peers.reconcile((slot, each.deviation.since) for slot, each in incidents if each.deviation)


def _intake_stages(
    intake: Intake, reorder: Reorder, vacancies: Vacancies, sensors: Callable[[], int]
) -> tuple[Stage, Stage]:
    """The components of the intake: those with a single state, and those with a state per sensor."""
    admission = intake.admission
    return (
        (
            whole("last_values", intake.last_values),
            whole("units", intake.units),
            whole("no_values", intake.no_values),
            whole("vacancies", vacancies),
            whole("deliveries", intake.deliveries),
            whole("sparkplug", intake.payloads.sparkplug),
            whole("reorder", reorder),
        ),
        (
            by_row("admission", admission, sensors),
            by_row("same_times", admission.same, sensors),
            by_row("values_of_one_time", admission.same.of_one_time, sensors),
            by_row("recent_readings", admission.recent, sensors),
            by_row("clock_evidence", admission.evidence, sensors),
        ),
    )
