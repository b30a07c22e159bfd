"""Snapshots: all that the core knows, as bytes without pickle, and back.

A snapshot belongs to one configuration, named by its digest; taken over by another it would give wrong scores.
"""

from __future__ import annotations

import io
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.core.events import Event
from edge.core.incidents import Tracker


class SnapshotError(ValueError):
    """A snapshot is damaged, or belongs to another configuration."""


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

    def to_bytes(self) -> bytes:
        """The snapshot, packed."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, packed: bytes, digest: str) -> Snapshot:
        """The snapshot that `to_bytes()` packed.

        Raises:
            SnapshotError: It is damaged, or belongs to another configuration.
        """
        try:
            snapshot = msgspec.msgpack.decode(packed, type=cls)
        except msgspec.DecodeError as error:
            raise SnapshotError(f"damaged snapshot: {error}") from error
        if snapshot.digest != digest:
            raise SnapshotError("the snapshot belongs to another configuration")
        return snapshot


def pack_arrays(owner: object) -> bytes:
    """All arrays among an object's attributes, by name."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: each for name, each in vars(owner).items() if isinstance(each, np.ndarray)}
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack_arrays(owner: object, packed: bytes) -> None:
    """Give an object the arrays that `pack_arrays()` packed.

    Raises:
        SnapshotError: The bytes are damaged or hold other arrays.
    """
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
        raise SnapshotError(f"damaged arrays: {error}") from error
    for name, present in vars(owner).items():
        if not isinstance(present, np.ndarray):
            continue
        if name not in arrays or arrays[name].dtype != present.dtype or arrays[name].shape[1:] != present.shape[1:]:
            raise SnapshotError(f"array {name!r} is missing or of another type")
    for name, array in arrays.items():
        setattr(owner, name, array)
