"""The journal: all changes of the core's state, packed for replay.

A *part* is a run of readings as decoded, before admission; a time at which the passage of time alone had an effect; an
event number assigned elsewhere; or an operator command. New kinds of parts get new tags, which older versions skip.
Replaying the parts in order leads from the state at their beginning to exactly the state at their end. Parts of
readings can be joined, since batching doesn't affect the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import lt
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.core.intake.redelivery import checked
from edge.core.intake.sparkplug.nodes import NodeState
from edge.core.model.packing.packing import PackedFloats, compress, decompress, pack_integers, unpack_integers
from edge.core.model.readings.messages import Batch
from edge.core.model.sensors.vacancies import had_it_last, vacant_name

FORMAT = b"\x02"
JOINED = 20_000
"""Maximum number of readings joined into one part."""

REPLAYED = 2_000
"""The same where a replay or relearning can be interrupted only between parts: a second of a slow machine."""


class JournalError(ValueError):
    """A journal entry is damaged."""


class Readings(msgspec.Struct, array_like=True, tag="readings"):
    """Decoded readings, with facts about their messages.

    Attributes:
        batch: The readings; their origins are no longer meaningful.
        new_sensors: Sensors first seen among them: name, meaning of a repeated value, and whether arrival gives the
            times.
        deliveries: Packet identifiers and checksums of the QoS 1 messages, with or without readings.
        interrupted: Whether readings before these may be missing because of the service itself.
        late: Slots and arrival times of late readings, in order for each sensor.
        session_lost: Whether the broker had lost the session before these, and all deliveries with it.
        mistimed: Readings refused for their times: number of readings before each, and slot.
        units: Slots and units from payloads, when first seen.
        no_values: Slots and error values of inputs, when first seen.
        births: State of the Sparkplug nodes after the entry, see `edge.core.intake.sparkplug.nodes`.
        leaps: Leaps of the senders' clocks: number of readings before each, and seconds.
        refilled: New sensors in the slots of forgotten ones: the slot, then the fields of `new_sensors`.
        heard: Slots of new sensors, with the input and topic that they were received on.
        returned: Whether they begin a backlog from a time when the service was away.
        caught_up: Whether such a backlog was complete before them.
        unkept: Whether messages were first found to arrive with QoS 0, which no broker queues.
    """

    batch: Batch
    new_sensors: list[tuple[str, str, bool]] = msgspec.field(default_factory=list)
    deliveries: list[tuple[int, int]] = msgspec.field(default_factory=list)
    interrupted: bool = False
    late: list[tuple[int, float]] = msgspec.field(default_factory=list)
    session_lost: bool = False
    mistimed: list[tuple[int, int]] = msgspec.field(default_factory=list)
    units: list[tuple[int, str]] = msgspec.field(default_factory=list)
    no_values: list[tuple[int, list[float]]] = msgspec.field(default_factory=list)
    births: list[NodeState] = msgspec.field(default_factory=list)
    leaps: list[tuple[int, float]] = msgspec.field(default_factory=list)
    refilled: list[tuple[int, str, str, bool]] = msgspec.field(default_factory=list)
    heard: list[tuple[int, str, str]] = msgspec.field(default_factory=list)
    returned: bool = False
    caught_up: bool = False
    unkept: bool = False

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def goes_on(self) -> bool:
        """Whether it can be joined to the readings before it."""
        return not (self.interrupted or self.session_lost or self.caught_up or self.no_values or self.refilled)


class TimePassed(msgspec.Struct, array_like=True, tag="tick", frozen=True):
    """Time passed without a reading.

    Attributes:
        clock: The stream clock reached.
        away: Seconds of it in which no reading could arrive, and that no earlier part has.
    """

    clock: float
    away: float = 0.0


class ClockStep(msgspec.Struct, array_like=True, tag="step", frozen=True):
    """The gateway's clock was stepped.

    Attributes:
        by: Step in seconds; negative if backward.
    """

    by: float


class SequenceReserved(msgspec.Struct, array_like=True, tag="numbered", frozen=True):
    """An event that isn't caused by a reading was assigned a number.

    Attributes:
        sequence: The number.
    """

    sequence: int


class CommandApplied(msgspec.Struct, array_like=True, tag="told", frozen=True):
    """An operator command was carried out.

    Attributes:
        name: Name of the command.
        payload: Payload of the command.
        arrived: Time of arrival, in seconds since the epoch.
        delivery: Packet identifier and checksum of its message, for QoS 1.
        forgotten: Slots of the sensors and devices that it forgot.
    """

    name: str
    payload: bytes
    arrived: float
    delivery: tuple[int, int] | None = None
    forgotten: list[int] = []


class SensorsForgotten(msgspec.Struct, array_like=True, tag="forgotten", frozen=True):
    """Sensors were forgotten after a long silence.

    Attributes:
        forgotten: Slots of these sensors, and of the devices forgotten with them.
        sensors: Slots of the sensors only.
        time: Time of forgetting, seconds since the epoch.
    """

    forgotten: list[int]
    sensors: list[int]
    time: float


class SensorsMoved(msgspec.Struct, array_like=True, tag="moved", frozen=True):
    """Sensors may have gone to another worker: none is silent until it reports again."""


class UnknownPart(msgspec.Struct, frozen=True):
    """A part of a kind unknown to this version.

    Attributes:
        kind: Its tag in a later version.
    """

    kind: str


class _PackedReadings(msgspec.Struct, array_like=True, tag="readings", frozen=True):
    slots: bytes
    values: PackedFloats
    times: PackedFloats
    new_sensors: list[tuple[str, str, bool]]
    packets: bytes
    checksums: bytes
    interrupted: bool
    late_slots: bytes = b""
    late_arrivals: PackedFloats = PackedFloats.of(np.zeros(0))
    session_lost: bool = False
    mistimed_places: bytes = b""
    mistimed_slots: bytes = b""
    units: list[tuple[int, str]] = []
    no_values: list[tuple[int, list[float]]] = []
    births: list[NodeState] = []
    leaps: list[tuple[int, float]] = []
    refilled: list[tuple[int, str, str, bool]] = []
    heard: list[tuple[int, str, str]] = []
    returned: bool = False
    caught_up: bool = False
    unkept: bool = False


class _FirstFormat(msgspec.Struct, array_like=True, frozen=True):
    """An entry in the format of version 0.1."""

    interrupted: bool
    new_sensors: list[tuple[str, str]]
    slots: bytes
    values: bytes
    times: bytes
    tick: float | None = None


_Change = TimePassed | ClockStep | SequenceReserved | CommandApplied | SensorsForgotten | SensorsMoved
Part = Readings | _Change | UnknownPart
_PackedPart = _PackedReadings | _Change
KINDS = {"readings", "tick", "step", "numbered", "told", "forgotten", "moved"}


def join(parts: Iterable[Part], most: int = JOINED) -> Iterator[Part]:
    """The same parts with adjacent readings joined, up to `most` readings each."""
    waiting: list[Readings] = []
    count = 0
    for part in parts:
        joins = isinstance(part, Readings) and part.goes_on
        if waiting and (not joins or count >= most):
            yield joined(waiting)
            waiting, count = [], 0
        if isinstance(part, Readings):
            waiting.append(part)
            count += len(part)
        else:
            yield part
    if waiting:
        yield joined(waiting)


def pack(parts: Sequence[Part]) -> bytes:
    """Encode parts as a journal entry."""
    packed = [_pack_readings(each) if isinstance(each, Readings) else each for each in join(parts)]
    checksums = [each.checksums for each in packed if isinstance(each, _PackedReadings)]
    return FORMAT + compress(msgspec.msgpack.encode(packed), *checksums)


def unpack(entry: bytes) -> list[Part]:
    """Decode the parts of a journal entry.

    Raises:
        JournalError: The entry is damaged.
    """
    try:
        if entry[:1] != FORMAT:
            return [_first_format(msgspec.msgpack.decode(entry, type=_FirstFormat))]
        return [_unpack(each) for each in msgspec.msgpack.decode(decompress(entry[1:]), type=list[msgspec.Raw])]
    except (ValueError, msgspec.DecodeError) as error:
        raise JournalError(f"damaged journal entry: {error}") from error


def _unpack(packed: msgspec.Raw) -> Part:
    """Decode a part of an entry with a valid checksum, so that an unknown kind is from a later version."""
    kind = msgspec.msgpack.decode(packed, type=list[Any])[:1]
    if kind and isinstance(kind[0], str) and kind[0] not in KINDS:
        return UnknownPart(kind[0])
    part: _PackedPart = msgspec.msgpack.decode(packed, type=_PackedPart)
    if isinstance(part, _PackedReadings):
        return _unpack_readings(part)
    if isinstance(part, CommandApplied) and part.delivery is not None:
        checked([part.delivery])
    return part


def joined(parts: Sequence[Readings]) -> Readings:
    """Join consecutive parts; all except the first must be joinable."""
    if len(parts) == 1:
        return parts[0]
    batches = [each.batch for each in parts]
    firsts = list(accumulate(map(len, batches[:-1]), initial=0))
    slots = np.concatenate([each.slots for each in batches])
    batch = Batch(
        slots,
        np.concatenate([each.values for each in batches]),
        np.concatenate([each.times for each in batches]),
        np.zeros(len(slots), dtype=np.intp),
    )
    return Readings(
        batch,
        [sensor for each in parts for sensor in each.new_sensors],
        [delivery for each in parts for delivery in each.deliveries],
        parts[0].interrupted,
        [late for each in parts for late in each.late],
        parts[0].session_lost,
        [(first + place, slot) for first, each in zip(firsts, parts, strict=True) for place, slot in each.mistimed],
        [unit for each in parts for unit in each.units],
        parts[0].no_values,
        [node for each in parts for node in each.births],
        [(first + place, by) for first, each in zip(firsts, parts, strict=True) for place, by in each.leaps],
        parts[0].refilled,
        [heard for each in parts for heard in each.heard],
        parts[0].returned,
        parts[0].caught_up,
        any(each.unkept for each in parts),
    )


def _pack_readings(part: Readings) -> _PackedReadings:
    batch = part.batch
    deliveries = np.array(part.deliveries, dtype=np.int64).reshape(-1, 2)
    return _PackedReadings(
        pack_integers(batch.slots.astype(np.int64)),
        PackedFloats.of(batch.values),
        PackedFloats.of(batch.times),
        part.new_sensors,
        pack_integers(deliveries[:, 0]),
        deliveries[:, 1].astype("<u4").tobytes(),
        part.interrupted,
        pack_integers(np.array([slot for slot, _ in part.late], dtype=np.int64)),
        PackedFloats.of(np.array([arrival for _, arrival in part.late], dtype=np.float64)),
        part.session_lost,
        pack_integers(np.array([place for place, _ in part.mistimed], dtype=np.int64)),
        pack_integers(np.array([slot for _, slot in part.mistimed], dtype=np.int64)),
        part.units,
        part.no_values,
        part.births,
        part.leaps,
        part.refilled,
        part.heard,
        part.returned,
        part.caught_up,
        part.unkept,
    )


def _unpack_readings(packed: _PackedReadings) -> Readings:
    slots = unpack_integers(packed.slots).astype(np.intp)
    packets = unpack_integers(packed.packets).tolist()
    checksums = np.frombuffer(packed.checksums, "<u4").tolist()
    return Readings(
        _batch(slots, packed.values.unpack(), packed.times.unpack()),
        packed.new_sensors,
        checked(zip(packets, checksums, strict=True)),
        packed.interrupted,
        list(zip(unpack_integers(packed.late_slots).tolist(), packed.late_arrivals.unpack().tolist(), strict=True)),
        packed.session_lost,
        _heard(unpack_integers(packed.mistimed_places), unpack_integers(packed.mistimed_slots), len(slots)),
        packed.units,
        packed.no_values,
        packed.births,
        _leaps(packed.leaps, len(slots)),
        packed.refilled,
        packed.heard,
        packed.returned,
        packed.caught_up,
        packed.unkept,
    )


def _leaps(leaps: list[tuple[int, float]], readings: int) -> list[tuple[int, float]]:
    places = [-1, *(place for place, _ in leaps), readings]
    if leaps and not (all(map(lt, places, places[1:])) and all(0 < by < math.inf for _, by in leaps)):
        raise JournalError("leaps of a clock between no readings")
    return leaps


def note_names(names: list[str], part: Part) -> None:
    """Update the names of all sensors, by slot; names already present aren't added again.

    Args:
        names: Names before the part. A vacant slot still names its former sensor, see `had_it_last()`.
        part: The part to apply.
    """
    if isinstance(part, Readings) and part.new_sensors:
        known = set(names)
        names += [name for name, *_ in part.new_sensors if name not in known]
    if isinstance(part, Readings):
        for slot, name, *_ in part.refilled:
            names[slot] = name
    for slot in forgotten_by(part):
        names[slot] = vacant_name(slot, had_it_last(names[slot]))


def forgotten_by(part: Part) -> Sequence[int]:
    """Slots of the sensors and devices forgotten by a part."""
    return part.forgotten if isinstance(part, CommandApplied | SensorsForgotten) else ()


def _heard(places: NDArray[np.int64], slots: NDArray[np.int64], readings: int) -> list[tuple[int, int]]:
    if len(places) and not (places[0] >= 0 and places[-1] <= readings and (np.diff(places) >= 0).all()):
        raise JournalError("readings refused between no others")
    if len(slots) and slots.min() < 0:
        raise JournalError("a slot below 0")
    return list(zip(places.tolist(), slots.tolist(), strict=True))


def _first_format(entry: _FirstFormat) -> Part:
    if entry.tick is not None:
        return TimePassed(entry.tick)
    slots = np.frombuffer(entry.slots, "<i4").astype(np.intp)
    values = np.frombuffer(entry.values, "<f8").astype(np.float64)
    times = np.frombuffer(entry.times, "<f8").astype(np.float64)
    new_sensors = [(name, repetition, False) for name, repetition in entry.new_sensors]
    return Readings(_batch(slots, values, times), new_sensors, [], entry.interrupted)


def _batch(slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]) -> Batch:
    if not len(slots) == len(values) == len(times):
        raise JournalError("arrays of different lengths")
    if len(slots) and slots.min() < 0:
        raise JournalError("a slot below 0")
    return Batch(slots, values, times, np.zeros(len(slots), dtype=np.intp))
