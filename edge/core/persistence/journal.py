"""The journal: everything that changes what the core knows, packed, so that it can be gone through again.

A *part* is a run of readings as they were decoded, before admission; or a moment at which time alone did something; or
an event number that was given to something else; or what the operator said. A kind of part that is added later gets a
tag of its own, and versions that don't know it leave it out. Going through the parts in order leads from
the state at their beginning to exactly the state at their end. Parts of readings can be joined: how readings are cut
into batches changes nothing.
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
"""Readings that are joined to one part, at most."""


class JournalError(ValueError):
    """A journal entry is damaged."""


class Readings(msgspec.Struct, array_like=True, tag="readings"):
    """Readings that were decoded, and the messages that they came from.

    Attributes:
        batch: The readings; their origins mean nothing any more.
        new_sensors: Sensors that were first seen among them: name, what a repetition of its value means, and whether
            arrival gives its times.
        deliveries: Packet identifiers and checksums of the messages of QoS 1, whether or not they held readings.
        interrupted: Whether readings before these may be missing for a reason of our own.
        late: Slots and arrivals of the late ones among them, those of a sensor in their order.
        session_lost: Whether the broker had forgotten our session before these, and with it all deliveries.
        mistimed: Of readings that were refused for their times: how many of these came before, and the slot.
        units: Slots of sensors and the units that their payloads say, as they were first said.
        no_values: Slots of sensors and the error values that their inputs name, likewise.
        births: State of the Sparkplug nodes after the entry, see `edge.core.intake.sparkplug.nodes`.
        leaps: Leaps of the senders' clocks: number of readings before, and seconds.
        refilled: New sensors that got the slots of forgotten ones: the slot, then as in `new_sensors`.
        heard: Slots of new sensors, and the input and the topic that they were heard on.
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

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def goes_on(self) -> bool:
        """Whether it can be joined with the readings before it."""
        return not (self.interrupted or self.session_lost or self.no_values or self.refilled)


class TimePassed(msgspec.Struct, array_like=True, tag="tick", frozen=True):
    """Time went on without a reading.

    Attributes:
        clock: The stream clock that was reached.
    """

    clock: float


class ClockStep(msgspec.Struct, array_like=True, tag="step", frozen=True):
    """The gateway's clock was set.

    Attributes:
        by: By so many seconds; negative if it was set back.
    """

    by: float


class SequenceReserved(msgspec.Struct, array_like=True, tag="numbered", frozen=True):
    """An event that no reading causes was given a number.

    Attributes:
        sequence: The number.
    """

    sequence: int


class CommandApplied(msgspec.Struct, array_like=True, tag="told", frozen=True):
    """The operator said something that was followed.

    Attributes:
        name: Of the command.
        payload: Its payload.
        arrived: Time of arrival, in seconds since the epoch.
        delivery: Packet identifier and checksum of its message, if it was of QoS 1.
        forgotten: Slots of the sensors and devices that it has forgotten.
    """

    name: str
    payload: bytes
    arrived: float
    delivery: tuple[int, int] | None = None
    forgotten: list[int] = []


class SensorsForgotten(msgspec.Struct, array_like=True, tag="forgotten", frozen=True):
    """Sensors were forgotten that nothing had been heard of for long.

    Attributes:
        forgotten: Slots of these, and of the devices that were forgotten with them.
        sensors: Slots of the sensors alone.
        time: When, seconds since the epoch.
    """

    forgotten: list[int]
    sensors: list[int]
    time: float


class Unread(msgspec.Struct, frozen=True):
    """A part of a kind that this version doesn't know.

    Attributes:
        kind: Its name in a later version.
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


class _FirstFormat(msgspec.Struct, array_like=True, frozen=True):
    """An entry as version 0.1 wrote it."""

    interrupted: bool
    new_sensors: list[tuple[str, str]]
    slots: bytes
    values: bytes
    times: bytes
    tick: float | None = None


Part = Readings | TimePassed | ClockStep | SequenceReserved | CommandApplied | SensorsForgotten | Unread
_PackedPart = _PackedReadings | TimePassed | ClockStep | SequenceReserved | CommandApplied | SensorsForgotten
KINDS = {"readings", "tick", "step", "numbered", "told", "forgotten"}


def join(parts: Iterable[Part], most: int = JOINED) -> Iterator[Part]:
    """The same parts, with neighbouring readings joined into fewer, up to `most` readings each."""
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
    """One journal entry."""
    packed = [_pack_readings(each) if isinstance(each, Readings) else each for each in join(parts)]
    return FORMAT + compress(msgspec.msgpack.encode(packed))


def unpack(entry: bytes) -> list[Part]:
    """The parts of a journal entry.

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
    """A part of an entry whose checksum was right, so that a kind that isn't known is a later version's."""
    kind = msgspec.msgpack.decode(packed, type=list[Any])[:1]
    if kind and isinstance(kind[0], str) and kind[0] not in KINDS:
        return Unread(kind[0])
    part: _PackedPart = msgspec.msgpack.decode(packed, type=_PackedPart)
    if isinstance(part, _PackedReadings):
        return _unpack_readings(part)
    if isinstance(part, CommandApplied) and part.delivery is not None:
        checked([part.delivery])
    return part


def joined(parts: Sequence[Readings]) -> Readings:
    """One part of some that follow each other; all but the first must go on."""
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
    )


def _leaps(leaps: list[tuple[int, float]], readings: int) -> list[tuple[int, float]]:
    places = [-1, *(place for place, _ in leaps), readings]
    if leaps and not (all(map(lt, places, places[1:])) and all(0 < by < math.inf for _, by in leaps)):
        raise JournalError("leaps of a clock between no readings")
    return leaps


def note_names(names: list[str], part: Part) -> None:
    """Bring the names of all sensors up to date, by slot; those that are there already are not added again.

    Args:
        names: As they were before a part. A slot that nobody has still tells who had it, see `had_it_last()`.
        part: The part.
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
    """Slots of the sensors and devices that were forgotten with a part."""
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
