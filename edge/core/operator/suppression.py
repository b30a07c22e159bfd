"""Suppression: applies shelves and maintenance windows to the engine's findings.

Shelves and windows begin and end by the stream clock. A batch is split where the clock reaches such a time, so the
result is the same for any batching; while nothing arrives, `tick()` advances the time.

The incidents of a suppressed sensor are tracked but not published, with two exceptions: an incident known to
subscribers is still published when it ends, and one that is open when suppression ends is published then (as `raised`
if it wasn't published before, as `unshelved` otherwise).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np

from edge.core.engine import Engine
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.readings.messages import Batch
from edge.core.model.sensors.newcomers import Discovery, Newcomers
from edge.core.operator.forgetting import forget, forget_device, occupy
from edge.core.operator.shelves import Shelves

LEAP_S = 8 * 86_400.0
"""After a longer leap of the clock only the windows at its end are evaluated."""


Remark = tuple[str, str]
"""The user who sent a command, and the comment."""

Finding = IncidentChange | Discovery


class Suppression:
    """The engine with suppression applied.

    Args:
        engine: Scores the readings and tracks their incidents.
        shelving: The shelves and windows.
        newcomers: The sensors not yet reported as found.
    """

    def __init__(self, engine: Engine, shelving: Shelves, newcomers: Newcomers) -> None:
        self._engine = engine
        self.shelving = shelving
        self._newcomers = newcomers
        self._known = 0

    def grow(self, names: list[str]) -> None:
        """Make room for sensors in the order of their slots; does nothing if there are no new ones."""
        if len(names) == self._known:
            return
        self._known = len(names)
        self._engine.grow(len(names))
        self.shelving.register_sensors(names)
        self._protect()

    def occupy(self, slots: Collection[int], names: Sequence[str]) -> None:
        """Put vacant slots to use for sensors; `names` are those of all sensors."""
        for slot in slots:
            occupy(self._engine, slot)
        self.rename(slots, names)

    def devices_of(self, slots: Iterable[int]) -> list[int]:
        """Slots of the devices that have one of these sensors."""
        return self._engine.devices.devices_of(slots)

    def last(self, slot: int) -> tuple[float, float]:
        """The last value of a sensor and its time."""
        statistics = self._engine.statistics
        return float(statistics.value[slot]), float(statistics.time[slot])

    def members_of(self, device: int) -> list[int]:
        """Slots of a device's sensors."""
        return self._engine.devices.members(device) if self._engine.devices.is_device(device) else []

    def forget(self, sensors: Iterable[int], devices: Mapping[int, str]) -> None:
        """Discard the state of sensors, and of devices left without any, given by slot and name."""
        for slot in sensors:
            forget(self._engine, slot)
        for slot, name in devices.items():
            forget_device(self._engine, slot, name)

    def rename(self, slots: Collection[int], names: Sequence[str]) -> None:
        """Record that slots were reused or vacated; `names` are those of all sensors."""
        self.shelving.rename(slots, names)
        self._protect()

    def end(self, slots: Iterable[int], remark: Remark) -> list[IncidentChange]:
        """End the published incidents of forgotten sensors and devices."""
        chosen = {*slots}
        ended = []
        for slot in [each for each in self.open_slots() if each in chosen]:
            if slot not in self.shelving.untold:
                ended.append(replace(self.mention(slot, Transition.EXPIRED, remark), is_forgotten=True))
            self.shelving.untold.discard(slot)
        return ended

    def process(self, batch: Batch) -> list[Finding]:
        """Run `Engine.process()` with suppression applied, and report new sensors."""
        findings: list[Finding] = []
        while len(batch):
            taken = self._newcomers.meet(batch)
            findings += self._process(batch if taken == len(batch) else batch.take(np.arange(taken)))
            findings += self._newcomers.met(self._engine.clock.now)
            if taken == len(batch):
                break
            batch = batch.take(np.arange(taken, len(batch)))
        return findings

    def _process(self, batch: Batch) -> list[IncidentChange]:
        findings: list[IncidentChange] = []
        while len(batch):
            first, clock = self._first_beyond(batch)
            if first == len(batch):
                return findings + self._heard(self._engine.process(batch))
            if first:
                findings += self._heard(self._engine.process(batch.take(np.arange(first))))
            findings += self._pass(clock)
            batch = batch.take(np.arange(first, len(batch)))
        return findings

    def state(self) -> bytes:
        """The shelves and windows, for `load()`."""
        return self.shelving.state()

    def load(self, state: bytes) -> None:
        """Load shelves and windows.

        Raises:
            StateError: It can't be read.
        """
        self.shelving.load(state)
        self._protect()

    def is_due(self, clock: float) -> bool:
        """Whether a shelf or window begins or ends by `clock`."""
        return math.isfinite(clock) and self.shelving.boundary <= clock

    def tick(self, clock: float) -> list[IncidentChange]:
        """Run `Engine.tick()` with suppression applied: advance time in which nothing arrives."""
        findings = self._pass(clock) if self.is_due(clock) else []
        return findings + self._heard(self._engine.tick(clock))

    def clock_set_back(self) -> list[IncidentChange]:
        """Handle a stream clock that may have gone back: windows follow its present value."""
        if self.shelving.reached <= self._engine.clock.now:
            return []
        self.shelving.reached = self._engine.clock.now
        return self.changing(self.shelving.refresh)

    def changing(self, change: Callable[[], None], remark: Remark = ("", "")) -> list[IncidentChange]:
        """Change shelves or windows, and return the effect on open incidents."""
        before = self.shelving.suppressed
        change()
        after = self.shelving.suppressed
        self._protect()
        findings, reported = [], self._engine.open_incidents
        for slot in sorted(before ^ after):
            if slot not in reported:
                continue
            transition = Transition.SHELVED if slot in after else Transition.UNSHELVED
            if slot in self.shelving.untold:
                if slot in after:
                    continue
                self.shelving.untold.discard(slot)
                transition = Transition.RAISED
            findings.append(self.mention(slot, transition, remark))
        return findings

    def declare(self, change: Callable[[], None], remark: Remark) -> list[IncidentChange]:
        """Change shelves or windows by a command that takes effect now."""
        change()
        return self.changing(partial(self.shelving.advance, self._engine.clock.now), remark)

    def mention(self, slot: int, transition: Transition, remark: Remark = ("", "")) -> IncidentChange:
        """A change of an open incident that isn't caused by a reading."""
        incident, time = self.incident(slot), max(self.shelving.reached, self._engine.clock.now)
        observation = replace(incident.last, time=max(time, incident.last.time))
        incident.left = []
        number = incident.publish(observation.time)
        return IncidentChange(
            slot=slot,
            transition=transition,
            incident=incident.snapshot(),
            number=number,
            observation=observation,
            clock=time,
            recent=self._engine.statistics.recent(slot),
            order=(0, 1, 0.0, slot),
            shelved=slot in self.shelving.suppressed,
            remark=remark,
            summary=self._engine.statistics.summary(slot),
        )

    def adopt(self, slot: int, remark: Remark) -> list[IncidentChange]:
        """Declare a sensor's present state normal, and end its incident, or its adoptable part."""
        found = self._heard(self._engine.adopt(slot, max(self.shelving.reached, self._engine.clock.now)))
        return [replace(each, remark=remark) for each in found]

    def is_adoptable(self, slot: int) -> bool:
        """Whether more than limits and named error values holds a sensor's incident open."""
        tracker = self._engine.trackers[slot]
        error = None if tracker.incident is None else tracker.incident.error
        was_found = error is not None and self._engine.error_values.is_found(slot, error)
        return tracker.state.holds_open or was_found or self._engine.tracking.differs_from_peers(slot)

    def has_limits(self, slot: int) -> bool:
        """Whether an operator-defined limit or a named error value holds a sensor's incident open."""
        tracker = self._engine.trackers[slot]
        error = None if tracker.incident is None else tracker.incident.error
        return tracker.has_limits or (error is not None and error in self._engine.error_values.named.of(slot))

    def leave(self, slots: AbstractSet[int]) -> list[IncidentChange]:
        """End the incidents of devices that have no sensors left."""
        if not slots:
            return []
        left = slots & self._engine.open_incidents.keys()
        return [each for slot in sorted(left) for each in self.adopt(slot, ("", ""))]

    def incident(self, slot: int) -> Incident:
        """A sensor's open incident."""
        return self._engine.open_incidents[slot]

    def open_slots(self) -> list[int]:
        """The sensors with an open incident, in order."""
        return sorted(self._engine.open_incidents)

    def _protect(self) -> None:
        self._engine.protect(self.shelving.protected)

    def _first_beyond(self, batch: Batch) -> tuple[int, float]:
        """Position of the first reading at which the clock reaches the boundary, and the clock there."""
        boundary, now = self.shelving.boundary, self._engine.clock.now
        if boundary == math.inf:
            return len(batch), now
        quiet = batch.quiet_until
        latest = max(now, float(batch.times.max()), -math.inf if quiet is None else float(quiet.max()))
        if boundary > latest:
            return len(batch), now
        clock = copy(self._engine.clock).advance(batch.slots, batch.times)
        if quiet is not None:
            clock = np.maximum(clock, quiet)
        beyond = clock >= boundary
        first = int(np.argmax(beyond)) if beyond.any() else len(batch)
        return first, float(clock[min(first, len(batch) - 1)])

    def _pass(self, clock: float) -> list[IncidentChange]:
        """Process the boundaries up to `clock`, and the silences before each."""
        shelving, engine = self.shelving, self._engine
        findings: list[IncidentChange] = []
        if clock - shelving.reached > LEAP_S:
            start = clock if shelving.reached == -math.inf else clock - LEAP_S
            findings += self.changing(partial(shelving.advance, start))
        while (boundary := shelving.boundary) <= clock:
            if not engine.absence.is_awaited:
                findings += self._heard(engine.tick(boundary))
            findings += self.changing(partial(shelving.advance, boundary))
        return findings

    def _heard(self, findings: Iterable[IncidentChange]) -> list[IncidentChange]:
        """The findings to be published."""
        shelving, heard = self.shelving, []
        for each in findings:
            slot, quiet = each.slot, each.slot in shelving.suppressed
            if each.transition in ENDS:
                if slot in shelving.untold:
                    shelving.untold.discard(slot)
                    continue
            elif quiet:
                if each.transition is Transition.RAISED:
                    shelving.untold.add(slot)
                continue
            each.shelved = quiet
            heard.append(each)
        return heard
