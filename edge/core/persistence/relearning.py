"""Relearning: learns state missing from a snapshot from earlier journal entries, as if it had existed then.

If configuration and version are unchanged, nothing is relearned: the snapshot is loaded and the journal entries after
it are replayed through the same engine, so the result is bit-identical to uninterrupted operation. If they changed,
unchanged detectors of each sensor keep their learned state, and open incidents stay open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy

import numpy as np

from edge.core.engine import Engine
from edge.core.intake.intake import Intake
from edge.core.intake.last_values import LastValues
from edge.core.intake.redelivery import Deliveries
from edge.core.intake.times.admission import TAKEN, Admission, RecordedArrivals
from edge.core.intake.times.reorder import Reorder
from edge.core.model.readings.messages import Batch
from edge.core.operator.forgetting import clear
from edge.core.persistence.checkpoint import Component
from edge.core.persistence.components.detector_states import MissingState
from edge.core.persistence.journal import (
    REPLAYED,
    ClockStep,
    CommandApplied,
    Part,
    Readings,
    TimePassed,
    forgotten_by,
    join,
)

LEARNABLE = frozenset(
    {
        "admission", "clock", "clock_evidence", "deliveries", "error_habits", "error_values", "last_values",
        "levels", "recent_readings", "reorder", "statistics",
    }
)  # fmt: skip
"""Components derived from the journal that can be relearned only from the readings of all sensors."""


PEERS = "peers"


class Relearning:
    """Replays journal entries through a separate engine that has only the affected sensors, including their incidents.

    The result is therefore what would have been learned at the time. For a device all of its sensors are affected.

    Args:
        engine: The engine of the sensors.
        intake: Knows which sensors the gateway timestamps, and which resend unchanged values.
        reorder_s: Maximum lateness of a reading that is still sorted, in seconds.
        unlearned: The state to relearn.
    """

    def __init__(self, engine: Engine, intake: Intake, reorder_s: float, unlearned: MissingState) -> None:
        sensors = len(engine.members)
        self._engine = engine
        self._unlearned = unlearned
        self._shadow = Engine(
            lambda slot: engine.members[slot][0].profile, engine.devices.anew(), engine.error_values.named
        )
        self._shadow.grow(sensors)
        engine.peers.copy_groups(self._shadow.peers)
        self._shadow.paces.take_kinds(engine.paces, sensors)
        self._admission = Admission()
        self._admission.grow(sensors)
        self._reorder = Reorder(reorder_s)
        self._deliveries = Deliveries()
        self._repeating = intake.repeating
        self._last_values = LastValues()
        self._stamped = np.flatnonzero(intake.timed_by_arrival)
        self._concerned = np.zeros(sensors, dtype=bool)
        self._concerned[list(unlearned.slots)] = True
        if PEERS in unlearned.components and not engine.peers.is_idle:
            self._concerned[:] = True  # comparisons are learned from the readings of all sensors
        for slot in unlearned.slots:
            if engine.devices.is_device(slot):
                self._concerned[engine.devices.members(slot)] = True

    def go_through(self, past: Iterable[Part]) -> int:
        """Learn from the journal entries before the snapshot, in order; returns the number of readings learned from."""
        return sum(self._take(part) for part in join(past, REPLAYED))

    def hand_over(self, components: Iterable[Component]) -> None:
        """Copy the learned state to the engine's detectors and to the missing components."""
        engine, shadow, unlearned = self._engine, self._shadow, self._unlearned
        engine.levels.take_rows(shadow.levels, sorted(unlearned.slots))
        for (group, place), rows in unlearned.rows.items():
            source, target = shadow.ordered_groups[group].tables[place], engine.ordered_groups[group].tables[place]
            chosen = np.array(rows, dtype=np.intp)
            for name, array in target.arrays.items():
                array[chosen] = source.arrays[name][chosen]
        for slot in sorted(unlearned.slots):  # one of the two saw a counter's values, the other its paces
            if shadow.paces.per[slot] != engine.paces.per[slot]:
                group_of, row = engine.members[slot]
                group_of.forget_values(row)
                engine.levels.clear_row(slot)
        learned = self._learned()
        for component in components:
            if component.name in unlearned.components and component.name in learned:
                component.load(0, learned[component.name]())

    def _learned(self) -> dict[str, Callable[[], bytes]]:
        """The states of components derived from the readings alone."""
        shadow, sensors = self._shadow, len(self._concerned)
        return {
            "last_values": self._last_values.state,
            "deliveries": self._deliveries.state,
            "reorder": self._reorder.state,
            "admission": lambda: self._admission.state(0, sensors),
            "recent_readings": lambda: self._admission.recent.state(0, sensors),
            "clock_evidence": lambda: self._admission.evidence.state(0, sensors),
            "clock": shadow.clock.state,
            "devices": lambda: shadow.devices.state(0, len(shadow.devices)),
            "error_values": lambda: shadow.error_values.state(0, sensors),
            "error_habits": lambda: shadow.error_values.habits.state(0, sensors),
            "statistics": lambda: shadow.statistics.state(0, sensors),
            PEERS: lambda: shadow.peers.state(0, len(shadow.peers)),
        }

    def _take(self, part: Part) -> int:
        learned = 0
        self._note(part)
        arrivals = RecordedArrivals(part.late if isinstance(part, Readings) else ())
        for in_turn in self._in_turn(part):
            batch = in_turn.take(self._concerned[in_turn.slots])
            batch, verdicts = self._admission.admit(batch, arrivals)
            batch = batch if verdicts is None else batch.take(verdicts == TAKEN)
            self._shadow.process(batch)
            learned += len(batch)
        for slot in forgotten_by(part):
            self._forget(slot)
        if isinstance(part, ClockStep):
            if part.by < 0:
                self._admission.shift(self._stamped, part.by)
            self._shadow.clock_stepped(part.by, self._stamped)
            self._reorder.clock = copy(self._shadow.clock)
        return learned

    def _forget(self, slot: int) -> None:
        clear(self._shadow, slot)
        self._admission.clear_row(slot)
        self._reorder.forget(slot)
        self._last_values.forget(slot)

    def _note(self, part: Part) -> None:
        """Record deliveries, and the last values of the sensors that resend unchanged values."""
        if isinstance(part, CommandApplied) and part.delivery is not None:
            self._deliveries.note_all([part.delivery])
        if isinstance(part, Readings):
            if part.session_lost:
                self._deliveries.forget()
            self._deliveries.note_all(part.deliveries)
            if self._repeating:
                pairs = zip(part.batch.slots.tolist(), part.batch.values.tolist(), strict=True)
                for slot, value in pairs:
                    if slot in self._repeating:
                        self._last_values.note(slot, value)

    def _in_turn(self, part: Part) -> Iterator[Batch]:
        """The readings due with a part, as the pipeline would process them."""
        reorder = self._reorder
        if isinstance(part, Readings):
            if part.interrupted:
                yield reorder.pass_time(np.inf)
            yield reorder.pass_on(part.batch.take(part.batch.slots < len(self._concerned)))
        elif isinstance(part, TimePassed):
            yield reorder.pass_time(part.clock)
        elif isinstance(part, ClockStep):
            yield reorder.pass_time(np.inf)
