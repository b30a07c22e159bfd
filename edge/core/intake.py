"""Intake: from messages to a batch of readings, with a dead letter for whatever can't be taken.

A message's topic gives its route, the route's decoder gives samples, topic and path give the sensor, and the times are
held against what is possible. What is refused hurts nothing else in its message.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.core.accounts import Accounts
from edge.core.admission import DUPLICATE, LATE, Admission, Arrivals
from edge.core.decoders.base import Repetition
from edge.core.messages import Batch, DeadLetter, Message, Reading, Refusal, Refused, Sample
from edge.core.operator.words import WordRefused
from edge.core.redelivery import Deliveries, checksum
from edge.core.reorder import ORIGIN_UNKNOWN
from edge.core.routes import Resolved, Routes
from edge.core.sensors import SensorTable

SOURCES = 100_000
"""Topics whose sensors are remembered; beyond it, all are looked up anew."""


@dataclass(frozen=True)
class IntakeLimits:
    """What is taken at most.

    Attributes:
        payload_bytes: Size of a payload.
        earliest: No reading is older than this, seconds since the epoch.
        future_s: No reading lies further ahead of its arrival than this.
        dead_letters_per_minute: So many are kept; all are counted.
    """

    payload_bytes: int = 262_144
    earliest: float = 946_684_800.0
    future_s: float = 60.0
    dead_letters_per_minute: int = 60


class Source:
    """One topic that readings come from: its route, and the slots of its sensors by path."""

    __slots__ = ("resolved", "slots")

    def __init__(self, resolved: Resolved) -> None:
        self.resolved = resolved
        self.slots: dict[str, int] = {}

    def expects(self, path: str) -> bool:
        """Whether a reading is due at a path of the payload: there was one before, or it is an array's own value."""
        _, _, within = path.partition("/") if path[:1].isdigit() else ("", "", path)
        return path in self.slots or within in self.slots or within in {"", "value"}


class Intake:
    """Turns messages into batches.

    Args:
        routes: Which topics are read, and how.
        sensors: The sensor table; new sensors are added to it.
        on_new_sensor: Called with the slot of each new sensor, and what a repetition of its value means.
        limits: What is taken at most.
        accounts: Where everything is counted.
    """

    def __init__(
        self,
        routes: Routes,
        sensors: SensorTable,
        on_new_sensor: Callable[[int, Repetition], None],
        limits: IntakeLimits,
        accounts: Accounts,
    ) -> None:
        self._routes = routes
        self._sensors = sensors
        self._on_new_sensor = on_new_sensor
        self._limits = limits
        self._accounts = accounts
        self.admission = Admission()
        self._sources: dict[str, Source] = {}
        self.deliveries = Deliveries()
        self.last_value: dict[int, float] = {}
        self.repeating: set[int] = set()
        self.timed_by_arrival: list[bool] = []
        self._letters_minute = -math.inf
        self._letters = 0

    def read(self, messages: Sequence[Message], letters: list[DeadLetter], delivered: list[tuple[int, int]]) -> Batch:
        """Read messages; what comes of it is still to be admitted.

        Args:
            messages: As they arrived.
            letters: Gets a dead letter for each refusal that is kept.
            delivered: Gets the packet identifier and checksum of each message that has to be recognised should the
                broker deliver it again.

        Returns:
            The readings; their origins are positions in `messages`.
        """
        accounts = self._accounts
        slots: list[int] = []
        values: list[float] = []
        times: list[float] = []
        origins: list[int] = []
        for index, message in enumerate(messages):
            accounts.messages += 1
            if self._is_no_news(message, delivered):
                continue
            try:
                source = self._source(message)
                decoded = source.resolved.route.decoder.decode(message.payload)
                timeless = any(each.time is None for each in decoded.samples)
                if message.retained and (timeless or not source.resolved.route.time_from_payload):
                    raise Refused("retained")  # noqa: TRY301 - refused like anything else in the message
            except Refused as refused:
                accounts.messages_refused[refused.refusal.reason] += 1
                self._dead_letter(message, refused.refusal, letters)
                continue
            accounts.messages_read += 1
            for refusal in decoded.refusals:
                if refusal.reason == "not_a_number" and decoded.samples and not source.expects(refusal.path):
                    accounts.fields_ignored += 1
                else:
                    self._refuse(message, refusal, letters)
            for sample in decoded.samples:
                taken = self._sample(message, source, sample)
                if isinstance(taken, Refusal):
                    self._refuse(message, taken, letters)
                elif taken is not None:
                    slot, time = taken
                    accounts.readings += 1
                    slots.append(slot)
                    values.append(sample.value)
                    times.append(time)
                    origins.append(index)
        return _batch(slots, values, times, origins)

    def _is_no_news(self, message: Message, delivered: list[tuple[int, int]]) -> bool:
        """Whether we have published a message ourselves, or have dealt with it before; if not, take note of it."""
        if self._routes.is_own(message.topic):
            self._accounts.messages_own += 1
            return True
        if message.qos == 0:
            return False
        if self.deliveries.is_known(message):
            self._accounts.messages_redelivered += 1
            return True
        delivered.append((message.packet, checksum(message)))
        self.deliveries.note(*delivered[-1])
        return False

    def take_delivery(self, message: Message) -> tuple[int, int] | None:
        """Count a command's message; its packet identifier and checksum, noted, or None if its QoS is 0."""
        self._accounts.messages += 1
        if message.qos == 0:
            return None
        delivery = (message.packet, checksum(message))
        self.deliveries.note(*delivery)
        return delivery

    def refuse_command(self, message: Message, refused: WordRefused, letters: list[DeadLetter]) -> None:
        """Count a command that isn't followed, and keep a dead letter."""
        self._accounts.commands_refused[refused.reason] += 1
        self._dead_letter(message, Refusal(refused.reason, "", refused.detail), letters)

    def read_readings(self, readings: Sequence[Reading], letters: list[DeadLetter]) -> Batch:
        """Take over readings that were decoded elsewhere, such as the rows of a file; see `read()`."""
        slots: list[int] = []
        origins: list[int] = []
        for index, reading in enumerate(readings):
            slot = (
                self.slot(reading.sensor, Repetition.PERIODIC, timed_by_arrival=False)
                if math.isfinite(reading.value)
                else None
            )
            if slot is None:
                reason = "too_many_sensors" if math.isfinite(reading.value) else "not_finite"
                self._refuse(as_message(reading), Refusal(reason), letters)
                continue
            self._accounts.readings += 1
            slots.append(slot)
            origins.append(index)
        taken = [readings[index] for index in origins]
        return _batch(slots, [each.value for each in taken], [each.time for each in taken], origins)

    def recall(self, batch: Batch, delivered: Sequence[tuple[int, int]]) -> None:
        """Take note again of a batch that was read before a restart, before it is admitted again."""
        for packet, its_checksum in delivered:
            self.deliveries.note(packet, its_checksum)
        for slot, value in zip(batch.slots.tolist(), batch.values.tolist(), strict=True):
            if slot in self.repeating:
                self.last_value[slot] = value

    def _source(self, message: Message) -> Source:
        payload = message.payload
        if not payload:
            raise Refused("empty")
        if len(payload) > self._limits.payload_bytes:
            raise Refused("too_large", f"{len(payload)} bytes")
        source = self._sources.get(message.topic)
        if source is None:
            resolved = self._routes.find(message.topic)
            if resolved is None:
                raise Refused("no_route")
            if len(self._sources) >= SOURCES:
                self._sources.clear()
            source = self._sources[message.topic] = Source(resolved)
        return source

    def _sample(self, message: Message, source: Source, sample: Sample) -> tuple[int, float] | Refusal | None:
        """The slot and time of a sample, why it is refused, or None for a mere repetition."""
        route = source.resolved.route
        time = message.arrived
        if sample.time is not None and route.time_from_payload:
            time = sample.time
            if time < self._limits.earliest:
                return Refusal("time_implausible", sample.path)
            if message.arrived > self._limits.earliest and time > message.arrived + self._limits.future_s:
                return Refusal("time_in_future", sample.path)
        slot = source.slots.get(sample.path)
        if slot is None:
            name = source.resolved.sensor(sample.path)
            if name is None:
                return Refusal("bad_name", sample.path)
            by_arrival = sample.time is None or not route.time_from_payload
            slot = self.slot(name, route.repetition, timed_by_arrival=by_arrival)
            if slot is None:
                return Refusal("too_many_sensors", sample.path)
            source.slots[sample.path] = slot
        if slot in self.repeating:
            if self.last_value.get(slot) == sample.value:
                self._accounts.readings += 1
                self._accounts.repeats += 1
                return None
            self.last_value[slot] = sample.value
        return slot, time

    def slot(self, name: str, repetition: Repetition, *, timed_by_arrival: bool) -> int | None:
        """The slot of a sensor, given out now if it is new; None if there is no room for a new one."""
        known = len(self._sensors)
        slot = self._sensors.slot(name)
        if slot is not None and slot >= known:
            if repetition is Repetition.FULL_REPEAT:
                self.repeating.add(slot)
            self.timed_by_arrival.append(timed_by_arrival)
            self._on_new_sensor(slot, repetition)
            self.admission.grow(slot + 1)
        return slot

    def admit(
        self,
        batch: Batch,
        message_of: Callable[[int], Message] | None,
        letters: list[DeadLetter],
        arrivals: Arrivals | None = None,
    ) -> Batch:
        """The readings of a batch whose times move forward.

        Args:
            batch: What `read()` gave, now or before a restart.
            message_of: Gives the message of an origin; None if nobody has it any more.
            letters: Gets a dead letter for each refusal that is kept.
            arrivals: When late ones among them arrived; None if nobody knows.
        """
        if len(batch) == 0:
            return batch
        verdicts = self.admission.judge(batch, arrivals)
        self._accounts.clock_steps = self.admission.clock_steps
        taken = verdicts == 0
        if not taken.all():
            for position in np.flatnonzero(~taken).tolist():
                reason = {LATE: "late", DUPLICATE: "duplicate"}[int(verdicts[position])]
                self._accounts.readings_refused[reason] += 1
                origin = int(batch.origins[position])
                if origin == ORIGIN_UNKNOWN:
                    self._dead_letter(self._as_message(batch, position), Refusal(reason), letters)
                elif message_of is not None:
                    self._dead_letter(message_of(origin), Refusal(reason), letters)
            batch = batch.take(taken)
        self._accounts.readings_taken += len(batch)
        return batch

    def clock_stepped(self, by: float) -> NDArray[np.intp]:
        """The gateway's clock was set; returns the slots of the sensors whose readings it stamps."""
        slots = np.flatnonzero(self.timed_by_arrival)
        if by < 0:
            self.admission.shift(slots, by)
        return slots

    def _as_message(self, batch: Batch, position: int) -> Message:
        name = self._sensors.names[batch.slots[position]]
        return as_message(Reading(name, float(batch.times[position]), float(batch.values[position])))

    def _refuse(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        """Count a refused reading and keep a dead letter."""
        self._accounts.readings += 1
        self._accounts.readings_refused[refusal.reason] += 1
        self._dead_letter(message, refusal, letters)

    def _dead_letter(self, message: Message, refusal: Refusal, letters: list[DeadLetter]) -> None:
        minute = math.floor(message.arrived / 60) if math.isfinite(message.arrived) else 0
        if minute != self._letters_minute:
            self._letters_minute, self._letters = minute, 0
        if self._letters >= self._limits.dead_letters_per_minute:
            self._accounts.dead_letters_suppressed += 1
            return
        self._letters += 1
        letters.append(DeadLetter.of(message, refusal))


def _batch(slots: list[int], values: list[float], times: list[float], origins: list[int]) -> Batch:
    return Batch(
        np.array(slots, dtype=np.intp),
        np.array(values, dtype=np.float64),
        np.array(times, dtype=np.float64),
        np.array(origins, dtype=np.intp),
    )


def as_message(reading: Reading) -> Message:
    """A reading that was decoded elsewhere, as its dead letter shows it."""
    return Message(reading.sensor, repr(reading.value).encode(), reading.time)
