"""Intake: converts messages to a batch of readings, with a dead letter for everything refused.

A message's topic selects its route, the route's decoder extracts samples, topic and path identify the sensor, and times
are checked for plausibility. A refusal affects nothing else in the same message.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.core.intake.availability import DeviceAvailability
from edge.core.intake.decoders.base import Decoded
from edge.core.intake.decoders.documents.paths import shown
from edge.core.intake.decoders.sparkplug import SparkplugDecoder
from edge.core.intake.intake_limits import IntakeLimits
from edge.core.intake.known_sensors import KnownSensors
from edge.core.intake.payloads import Payloads
from edge.core.intake.redelivery import Deliveries, checksum
from edge.core.intake.routes import Resolved, Routes
from edge.core.intake.sparkplug.nodes import NodeState
from edge.core.intake.times.admission import REFUSED, TAKEN, Arrivals
from edge.core.intake.times.plausible_times import PlausibleTimes, Verdict
from edge.core.intake.times.refused_readings import Heard, without_value
from edge.core.intake.times.reorder import ORIGIN_UNKNOWN
from edge.core.intake.times.time_hints import why_implausible
from edge.core.intake.topic_cache import LONGEST_REMEMBERED, PATH_BYTES, SOURCES_BYTES, CachedTopic
from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.core.model.counters import Counters
from edge.core.model.readings.messages import Batch, DeadLetter, Message, Reading, Refusal, Refused, Row, as_message
from edge.core.model.readings.reading_columns import ReadingColumns, batch_of
from edge.core.model.refused_input import RefusedInput
from edge.core.model.sensors.newcomers import Newcomers
from edge.core.model.sensors.sensors import Repetition, SensorTable

UNROUTED = 100
"""Maximum number of topics without an input that wait to be unsubscribed."""


class Intake:
    """Converts messages to batches.

    Args:
        routes: Select the topics to read, and their decoders.
        sensors: The sensor table, to which new sensors are added.
        on_new_sensor: Called with the slot of each new sensor and the meaning of a repeated value.
        limits: Limits on payloads and times.
        counters: Count everything taken or refused.
        newcomers: Notified of new sensors; None to notify nothing.

    Attributes:
        routes: Select the topics to read.
        known: The known sensors.
        unrouted: New topics that arrived although no input subscribes to them. They are counted, and no sender is to
            blame. The consumer empties the list.
        plausible: Compares senders' clocks with the gateway's; None if arrivals are stamped by a reliable clock.
        refused: Counts what is refused, and keeps dead letters.
        held: Indices of the messages of the last batch that weren't read because their times are still undecided.
            Nothing in them was counted or noted.
    """

    def __init__(
        self,
        routes: Routes,
        sensors: SensorTable,
        on_new_sensor: Callable[[int, Repetition], None],
        limits: IntakeLimits,
        counters: Counters,
        newcomers: Newcomers | None = None,
    ) -> None:
        self.routes = routes
        self._sensors = sensors
        self.known = known = KnownSensors(sensors, on_new_sensor, newcomers or Newcomers(is_told=False))
        self._limits = limits
        self._counters = counters
        self.admission, self.last_values = known.admission, known.last_values
        self.units, self.no_values = known.units, known.no_values
        self.repeating, self.timed_by_arrival = known.repeating, known.timed_by_arrival
        self._sources: BoundedCache[str, CachedTopic] = BoundedCache(SOURCES_BYTES)
        self.unrouted: list[str] = []
        self._slots_of_nodes: dict[str, int] = {}  # births and data come on different topics
        self.deliveries = Deliveries()
        self.payloads = Payloads(limits.payload_bytes)
        self.heard: list[Heard] = []
        self.heard_after: list[float] = []
        self.mistimed: list[Heard] = []
        self.plausible: PlausibleTimes | None = None
        self.held: list[int] = []
        self._words = DeviceAvailability(sensors, known.slot, counters)
        self.refused = RefusedInput(limits.dead_letters_per_minute, counters, self.input_of)

    def read(self, messages: Sequence[Message], letters: list[DeadLetter], delivered: list[tuple[int, int]]) -> Batch:
        """Read messages into a batch that is yet to be admitted.

        Args:
            messages: The messages in order of arrival.
            letters: Receives a dead letter for each refusal that is kept.
            delivered: Receives the packet identifier and checksum of each message that must be recognised if the broker
                delivers it again.

        Returns:
            The readings; their origins are indices into `messages`. Known sensors whose readings were refused for their
            times or had no value are listed in `mistimed`, as `admit()` lists others in `heard`.
        """
        self.mistimed, self.held = [], []
        counters, sources, deliveries, payloads = self._counters, self._sources, self.deliveries, self.payloads
        columns, noted = ReadingColumns(), 0
        for index, message in enumerate(messages):
            source = sources.get(message.topic) or self._source(message.topic)
            if message.is_copy or (resolved := source.resolved) is None:
                source.count_unread(counters, is_copy=message.is_copy)
                continue
            if message.qos:
                if message.redelivered:
                    deliveries.note_all(delivered[noted:])
                    noted = len(delivered)
                    if deliveries.is_known(message):
                        counters.messages_redelivered += 1
                        continue
                delivered.append((message.packet, zlib.crc32(message.payload, source.checksum)))
            try:
                decoded = payloads.read(message, resolved)
            except Refused as refused:
                self.refused.message(message, resolved.route.input, refused.refusal, letters)
                self.mistimed += without_value(refused.absent, message, source.slots, len(columns.slots))
                continue
            if self._is_held(message, source, resolved, decoded):
                del delivered[len(delivered) - (message.qos > 0) :]
                self.held.append(index)
                payloads.put_back(resolved)
                continue
            counters.messages_read += 1
            counters.fields_ignored += decoded.ignored
            if decoded.refusals:
                self._refuse_parts(message, source, decoded, letters)
            self._take(decoded, message, index, resolved, source, columns, letters)
            if decoded.words:
                self._words.take(decoded.words, resolved.device_at, columns, message.arrived, index)
                self.units.note_known(decoded.units, source.slots)
            self.mistimed += without_value(decoded.absent, message, source.slots, len(columns.slots))
        deliveries.note_all(delivered[noted:])
        payloads.sparkplug.settle(messages)
        counters.messages += len(messages) - len(self.held)
        counters.readings += len(columns.slots)
        return columns.as_batch()

    def take_delivery(self, message: Message) -> tuple[int, int] | None:
        """Count a command message and record its delivery.

        Returns its packet identifier and checksum, or None for QoS 0.
        """
        self._counters.messages += 1
        if message.qos == 0:
            return None
        delivery = (message.packet, checksum(message))
        self.deliveries.note_all([delivery])
        return delivery

    def read_readings(
        self, readings: Sequence[Reading], letters: list[DeadLetter], quiet_until: Sequence[float] | None = None
    ) -> Batch:
        """Take rows of a file, for example; without topics, error codes of all inputs apply. See `read()`, `Batch`."""
        slots, origins = list[int](), list[int]()
        for index, reading in enumerate(readings):
            finite, name = math.isfinite(reading.value), reading.sensor
            slot = self.known.slot(name, Repetition.PERIODIC, ("", ""), timed_by_arrival=False) if finite else None
            if slot is None:
                reason = "too_many_sensors" if finite else "not_finite"
                self.refused.reading(as_message(reading), Refusal(reason), letters)
                continue
            self._counters.readings += 1
            self.no_values.note(slot, self.routes.no_values)
            slots.append(slot)
            origins.append(index)
        taken = [readings[index] for index in origins]
        batch = batch_of(slots, [each.value for each in taken], [each.time for each in taken], origins)
        if quiet_until is not None:
            batch.quiet_until = np.array(quiet_until, dtype=np.float64)[batch.origins]
        return batch

    def input_of(self, topic: str) -> str | None:
        """The topic filter of the input that reads a topic; None if no input does."""
        source = self._sources.get(topic)
        resolved = self.routes.find(topic) if source is None else source.resolved
        return None if resolved is None else resolved.route.input

    def recall_said(
        self,
        units: Sequence[tuple[int, str]],
        no_values: Sequence[tuple[int, list[float]]],
        births: Sequence[NodeState],
    ) -> None:
        """Restore units, error values and Sparkplug births recorded before a restart."""
        self.units.note_all(units)
        self.no_values.note_all(no_values)
        self.payloads.sparkplug.nodes.note_all(births)

    def forget(self, slots: Iterable[int]) -> None:
        """Forget sensors and the topics that they were received on."""
        self._sources.clear()
        self._slots_of_nodes.clear()
        self.known.forget(slots)

    def recall(self, batch: Batch, delivered: Sequence[tuple[int, int]]) -> None:
        """Restore the effects of a batch read before a restart, before it is admitted again."""
        self.deliveries.note_all(delivered)
        if not self.repeating:
            return
        for slot, value in zip(batch.slots.tolist(), batch.values.tolist(), strict=True):
            if slot in self.repeating:
                self.last_values.note(slot, value)

    def _source(self, topic: str) -> CachedTopic:
        """Look up the facts about a topic that isn't cached."""
        resolved, is_own = self.routes.find(topic), self.routes.is_own(topic)
        is_left_out = resolved is None and not is_own and self.routes.leaves_out(topic)
        source = CachedTopic(topic, resolved, is_own=is_own, is_left_out=is_left_out)
        if resolved is not None and isinstance(resolved.route.decoder, SparkplugDecoder):
            source.slots = self._slots_of_nodes
        if resolved is None and not (is_own or is_left_out) and len(self.unrouted) < UNROUTED:
            self.unrouted.append(topic)
        if len(topic) <= LONGEST_REMEMBERED:
            self._sources.put(topic, source, source.size(topic))
        return source

    def _is_held(self, message: Message, source: CachedTopic, resolved: Resolved, decoded: Decoded) -> bool:
        """Whether a message is held until its times are decided."""
        plausible = self.plausible
        if plausible is None or plausible.is_proven or not resolved.route.time_from_payload:
            return False
        verdict = plausible.weigh(source.checksum, decoded, message.arrived, self._limits.future_s)
        return verdict is Verdict.HOLD

    def _refuse_parts(self, message: Message, source: CachedTopic, decoded: Decoded, letters: list[DeadLetter]) -> None:
        """Refuse values that should be readings, or count them where no reading is expected."""
        for refusal in decoded.refusals:
            if decoded.samples and source.is_beside(refusal):
                self._counters.fields_ignored += 1
            else:
                self.refused.reading(message, refusal, letters)

    def _take(
        self,
        decoded: Decoded,
        message: Message,
        origin: int,
        resolved: Resolved,
        source: CachedTopic,
        columns: ReadingColumns,
        letters: list[DeadLetter],
    ) -> None:
        """Take the samples of a message as readings, repetitions or refusals."""
        earliest, arrived, repeating = self._limits.earliest, message.arrived, self.repeating
        latest = arrived + self._limits.future_s if arrived > earliest else math.inf
        from_payload = resolved.route.time_from_payload
        samples = decoded.after(arrived) if from_payload else decoded.samples
        if (is_relative := samples is not decoded.samples) and arrived <= earliest:
            earliest = -math.inf  # our own clock isn't set; such times are as good as arrivals
        slots, values, times = columns.slots, columns.values, columns.times
        known, known_sensors, units = source.slots, self.known, decoded.units
        if type(samples) is Row and (row := source.row(samples.paths, self._sources.grow)) is not None:
            its_times = samples.times if from_payload else None
            is_plausible = its_times is None or (earliest <= min(its_times) and max(its_times) <= latest)
            is_alike = not units or source.has_own_units(units, samples.paths, row, self.units)
            if is_plausible and is_alike and (not repeating or repeating.isdisjoint(row)):
                columns.add_row(row, samples.values, its_times or [arrived] * len(row), origin)
                return
        for path, value, its_time in samples:
            time = arrived if its_time is None or not from_payload else its_time
            if time is not arrived and not earliest <= time <= latest:
                reason, detail = why_implausible(time, arrived, latest)
                self.refused.reading(message, Refusal(reason, shown(path), detail), letters)
                name = None if message.retained else resolved.sensor(path)
                if name is not None and (slot := self._sensors.find(name)) is not None:
                    self.mistimed.append((len(slots), slot))
                continue
            if (slot := known.get(path)) is None:
                found = known_sensors.find(path, value, resolved, timed_by_arrival=time is arrived or is_relative)
                if not isinstance(found, int):
                    self.refused.sensor(message, found, letters)
                    continue
                slot = known[path] = found
                self.no_values.note(slot, sorted(resolved.route.no_values))
                self._sources.grow(size_of(path) + PATH_BYTES)
            own = (
                self._in_own_unit((len(slots), slot), value, path, units[path], message, letters)
                if path in units
                else value
            )
            if own is None or (repeating and slot in repeating and self._is_repeated(slot, own)):
                continue
            slots.append(slot)
            values.append(own)
            times.append(time)
        columns.end_message(origin)

    def _in_own_unit(
        self, heard: Heard, value: float, path: str, unit: str, message: Message, letters: list[DeadLetter]
    ) -> float | None:
        """A value in its sensor's unit; None if it can't be converted, so that it is refused, and only `heard`."""
        found = self.known.in_own_unit(heard[1], value, unit)
        if not isinstance(found, Refusal):
            return found
        self.refused.reading(message, found._replace(path=shown(path)), letters)
        self.mistimed.append(heard)
        return None

    def _is_repeated(self, slot: int, value: float) -> bool:
        """Whether the value repeats the previous one of a sensor that resends unchanged values."""
        if self.last_values.note(slot, value):
            return False
        self._counters.readings += 1
        self._counters.repeats += 1
        return True

    def admit(
        self,
        batch: Batch,
        message_of: Callable[[int], Message] | None,
        letters: list[DeadLetter],
        arrivals: Arrivals | None = None,
    ) -> Batch:
        """The readings of a batch whose times advance.

        Args:
            batch: The result of `read()`, now or before a restart.
            message_of: Returns the message of an origin; None if the messages are no longer available.
            letters: Receives a dead letter for each refusal that is kept.
            arrivals: Arrival times of late readings; None if unknown.

        Refused readings are listed in `heard`; `heard_after` gives the time that had passed before each, see `Batch`.
        """
        self.heard, self.heard_after = [], []
        if len(batch) == 0:
            return batch
        admission = self.admission
        batch, verdicts = admission.admit(batch, arrivals)
        self._counters.clock_steps, self._counters.same_times = admission.clock_steps, admission.same_times
        if verdicts is not None and not (taken := verdicts == TAKEN).all():
            before, refused = np.cumsum(taken)[~taken], batch.take(~taken)
            self.heard = list(zip(before.tolist(), refused.slots.tolist(), strict=True))
            self.heard_after = refused.quiet_times()
            for position in np.flatnonzero(~taken).tolist():
                reason = REFUSED[int(verdicts[position])]
                origin, message = int(batch.origins[position]), None
                if origin == ORIGIN_UNKNOWN:
                    message = self._as_message(batch, position)
                elif message_of is not None:
                    message = message_of(origin)
                self.refused.admission(message, Refusal(reason), letters)
            batch = batch.take(taken)
        self._counters.readings_taken += len(batch)
        return batch

    def clock_stepped(self, by: float) -> NDArray[np.intp]:
        """Handle a step of the gateway's clock; returns the slots of the sensors that it timestamps."""
        slots = np.flatnonzero(self.timed_by_arrival)
        self.payloads.sparkplug.clock_stepped(by)
        if by < 0:
            self.admission.shift(slots, by)
        return slots

    def _as_message(self, batch: Batch, at: int) -> Message:
        name = self._sensors.names[batch.slots[at]]
        return as_message(Reading(name, float(batch.times[at]), float(batch.values[at])))
