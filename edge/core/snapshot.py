"""Snapshots: all that the core knows, as bytes without pickle, and back.

A snapshot says of each sensor which detectors had learned what. Where the configuration has been changed meanwhile,
what belongs to unchanged detectors is taken over, and the rest is learned from the journal; see `recovery.py`.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.core.columns import Columns
from edge.core.devices import Device
from edge.core.events import Event
from edge.core.incidents import Tracker
from edge.core.operator.desk import DeskState
from edge.core.packing import compress, decompress
from edge.core.redelivery import PackedDeliveries
from edge.core.reorder import Held

FORMAT = b"\x02"


class SnapshotError(ValueError):
    """A snapshot is damaged, or there is no room for its sensors."""


class Snapshot(msgspec.Struct):
    """What the core knows.

    Attributes:
        digest: Of the configuration.
        sensors: Every sensor in the order of the slots: name, and what a repetition of its value means.
        tables: The state of each group's detectors.
        vitals: The engine's arrays.
        admission: The intake's arrays.
        trackers: The state machines that aren't in their first state, by slot.
        clock: The stream clock.
        interrupted: Whether the next reading is the first after an interruption.
        last_values: Of the sensors that repeat themselves, by slot.
        open_events: The last event of each open incident.
        last_sequence: Number of the last event.
        groups: Which group each sensor belongs to, by slot; its row follows from that.
        inputs: Digest of what the configuration says of inputs.
        timed_by_arrival: Whether the gateway's clock stamps a sensor's readings, by slot.
        clock_ahead: The rest of the stream clock: slot, time and run of the sensor that is ahead, highest slot.
        deliveries: Packet identifiers and checksums of the last messages, as versions before `delivered` wrote them.
        delivered: Those of all messages of the session, packed.
        recent_readings: Arrays of the readings that were taken lately.
        clock_evidence: Arrays of the late readings since.
        held: Readings that are held back to be put in order.
        reorder_clock: The stream clock of those.
        calibration: The arrays from which the raising levels follow.
        desk: What the operator has said.
        devices: The rows that are being put together.
        interrupted_now: Whether the next reading of all, held back or not, is the first after an interruption.
    """

    digest: str
    sensors: list[tuple[str, str]]
    tables: list[list[bytes]]
    vitals: bytes
    admission: bytes
    trackers: dict[int, Tracker]
    clock: float
    interrupted: bool
    last_values: dict[int, float]
    open_events: list[Event]
    last_sequence: int
    groups: list[int] = msgspec.field(default_factory=list)
    inputs: str = ""
    timed_by_arrival: list[bool] = msgspec.field(default_factory=list)
    clock_ahead: tuple[int, float, int, int] | None = None
    deliveries: list[tuple[int, int]] = msgspec.field(default_factory=list)
    held: list[Held] = msgspec.field(default_factory=list)
    reorder_clock: tuple[float, int, float, int, int] | None = None
    interrupted_now: bool = False
    calibration: bytes = b""
    desk: DeskState = msgspec.field(default_factory=DeskState)
    devices: list[Device] = msgspec.field(default_factory=list)
    delivered: PackedDeliveries = (b"", b"")
    recent_readings: bytes = b""
    clock_evidence: bytes = b""

    def known_sensors(self) -> list[tuple[str, str, bool]]:
        """Every sensor in the order of the slots, as `Pipeline.know()` takes them."""
        timed = self.timed_by_arrival or [False] * len(self.sensors)
        return [(name, repetition, by) for (name, repetition), by in zip(self.sensors, timed, strict=True)]

    def to_bytes(self) -> bytes:
        """The snapshot, packed."""
        return FORMAT + compress(msgspec.msgpack.encode(self))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Snapshot:
        """The snapshot that `to_bytes()` packed, also that of version 0.1.

        Raises:
            SnapshotError: It is damaged.
        """
        try:
            plain = decompress(packed[1:]) if packed[:1] == FORMAT else packed
            return msgspec.msgpack.decode(plain, type=cls)
        except (ValueError, msgspec.DecodeError) as error:
            raise SnapshotError(f"damaged snapshot: {error}") from error


def pack_arrays(owner: Columns) -> bytes:
    """All arrays among an object's attributes, by name."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **owner.arrays)
    return buffer.getvalue()


def unpack_arrays(owner: Columns, packed: bytes, retired: frozenset[str] = frozenset()) -> None:
    """Give an object the arrays that `pack_arrays()` packed; what an earlier version didn't know stays as it is.

    Args:
        owner: The object.
        packed: The arrays.
        retired: Names of arrays that only earlier versions had; they are left out.

    Raises:
        SnapshotError: The bytes are damaged or hold unknown arrays.
    """
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files if name not in retired}
    except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
        raise SnapshotError(f"damaged arrays: {error}") from error
    present = owner.arrays
    for name, array in arrays.items():
        if name not in present or array.dtype != present[name].dtype or array.shape[1:] != present[name].shape[1:]:
            raise SnapshotError(f"array {name!r} is unknown or of another type")
    owner.replace(arrays)
