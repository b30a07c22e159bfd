"""Snapshots of formats 1 and 2, converted to parts of the current format.

Format 1 was version 0.1: a bare MessagePack map. Format 2 was the byte 2 and a zlib stream of such a map, to which
fields were added over time. Fields that are missing or unreadable give no part and are learned again. These formats are
never written, and their definition never changes.
"""

from __future__ import annotations

import io
import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.state import SavedState, StateError
from edge.core.intake.redelivery import Deliveries, PackedDeliveries, checked
from edge.core.model.packing.encoding import encode, encode_arrays
from edge.core.model.packing.packing import decompress
from edge.core.persistence.components.detector_states import DetectorRows, EncodedTable
from edge.core.persistence.snapshot import KnownSensor, Part, Snapshot

SECOND_FORMAT = b"\x02"
FRESH_CLOCK = (-math.inf, -1, -math.inf, 0, 0)
"""The state of a new stream clock."""


class _Saved(msgspec.Struct):
    """The fields required to interpret a file at all; the others may have any type."""

    digest: str
    sensors: list[tuple[str, str]]
    tables: list[list[bytes]]
    statistics: bytes = msgspec.field(name="vitals")
    admission: bytes
    trackers: dict[int, Any]
    clock: float
    interrupted: bool
    last_values: dict[int, float]
    open_events: list[Any]
    last_sequence: int
    groups: list[int] = []
    inputs: str = ""
    timed_by_arrival: list[bool] = []
    clock_ahead: tuple[int, float, int, int] | None = None
    deliveries: list[tuple[int, int]] = []
    delivered: PackedDeliveries = (b"", b"")
    recent_readings: bytes = b""
    clock_evidence: bytes = b""
    held: list[Any] = []
    reorder_clock: tuple[float, int, float, int, int] | None = None
    interrupted_now: bool = False
    calibration: bytes = b""
    desk: dict[str, Any] = {}
    devices: list[Any] = []


def read_earlier(packed: bytes) -> Snapshot:
    """Read a snapshot of format 1 or 2.

    Raises:
        ValueError: It is damaged.
        msgspec.DecodeError: It is damaged.
    """
    plain = decompress(packed[1:]) if packed[:1] == SECOND_FORMAT else packed
    saved = msgspec.msgpack.decode(plain, type=_Saved)
    sensors = len(saved.sensors)
    timed = saved.timed_by_arrival or [False] * sensors
    known: list[KnownSensor] = [
        (name, repetition, by) for (name, repetition), by in zip(saved.sensors, timed, strict=True)
    ]
    ahead = saved.clock_ahead or (*FRESH_CLOCK[1:4], max(0, sensors - 1))
    states: dict[str, bytes] = {
        "last_values": encode(saved.last_values),
        "deliveries": _deliveries(saved),
        "reorder": encode((encode(saved.reorder_clock or FRESH_CLOCK), saved.held)),
        "admission": _arrays(saved.admission, sensors),
        "clock": encode((saved.clock, *ahead)),
        "interruption": encode((saved.interrupted_now, saved.interrupted)),
        "operator": encode({name: each for name, each in saved.desk.items() if name != "untold"}),
        "devices": encode(saved.devices),
        "statistics": _arrays(saved.statistics, sensors),
        "detectors": encode(_detectors(saved)),
        "incidents": encode((sensors, saved.trackers, saved.desk.get("untold", []))),
        "open_events": encode(saved.open_events),
        "sequence": encode(saved.last_sequence),
    }
    added = {
        "levels": saved.calibration,
        "recent_readings": saved.recent_readings,
        "clock_evidence": saved.clock_evidence,
    }
    states |= {name: _arrays(each, sensors) for name, each in added.items() if each}
    parts = [Part(name, 1, 0, each) for name, each in states.items()]
    return Snapshot(saved.digest, saved.inputs, [Snapshot.sensors(known), *parts])


def _deliveries(saved: _Saved) -> bytes:
    deliveries = Deliveries()
    deliveries.note_all(checked(saved.deliveries))
    deliveries.load(encode(saved.delivered))
    return deliveries.state()


def _detectors(saved: _Saved) -> DetectorRows:
    """The tables without rows allocated in advance."""
    tables = {}
    for number, group in enumerate(saved.tables):
        count = saved.groups.count(number) if saved.groups else None
        tables[number] = [EncodedTable.of(_first_rows(each, count)) for each in group]
    return DetectorRows(len(saved.sensors), saved.groups, tables)


def _first_rows(table: bytes, count: int | None) -> SavedState:
    try:
        state = SavedState.from_bytes(table)
    except StateError as error:
        raise ValueError(str(error)) from error
    rows = state.rows if count is None else count
    return SavedState({**state.header, "rows": rows}, {name: each[:rows] for name, each in state.arrays.items()})


def _arrays(packed: bytes, rows: int) -> bytes:
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = {name: archive[name][:rows] for name in archive.files}
    except Exception as error:  # numpy and zipfile raise a dozen types on damaged bytes
        raise ValueError(f"damaged arrays: {error}") from error
    return encode_arrays(arrays)
