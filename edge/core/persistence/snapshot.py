"""Snapshots: the core's state as bytes, without pickle.

A snapshot is a list of parts. A part holds the state of one component, or of some of its rows, with the version of its
encoding. A reader loads the parts that it supports; anything unknown to it or missing in an earlier version is learned
again. Components can therefore be added or changed independently, and stores of every version open; see
`edge.core.persistence.checkpoint`.

Layout: the byte `FORMAT`, then the zlib stream of a MessagePack `Snapshot`. The checksum that zlib carries tells damage
from what is merely unknown. Formats 1 and 2 were one structure of fixed fields; `earlier_snapshots.py` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.packing.packing import compress, decompress

FORMAT = b"\x03"
LATER = range(FORMAT[0] + 1, 32)
"""First bytes reserved for future formats. Format 1 has no such byte; it begins with a MessagePack map, 128 or
above."""

SENSORS = "sensors"
"""The part that all others require: the name of each slot."""

SENSORS_VERSION = 1

KnownSensor = tuple[str, str, bool]
"""A sensor's name, the meaning of a repeated value, and whether arrival gives its times."""


class SnapshotError(ValueError):
    """A snapshot is damaged, or there is no room for its sensors."""


class LaterSnapshotError(SnapshotError):
    """A snapshot is intact but in the format of a later version that can't be read."""


class Part(msgspec.Struct, array_like=True, frozen=True):
    """The state of a component, or of some of its rows.

    Attributes:
        component: Name of the component.
        version: Version of the component's encoding.
        first: First row; 0 for a component without rows.
        state: The encoded state.
    """

    component: str
    version: int
    first: int
    state: bytes

    def compressed(self) -> Part:
        """The part as stored on its own, with a zlib stream as state, which includes a checksum."""
        return msgspec.structs.replace(self, state=compress(self.state))

    def decompressed(self) -> Part:
        """Decompress the result of `compressed()`.

        Raises:
            SnapshotError: It is damaged.
        """
        try:
            return msgspec.structs.replace(self, state=decompress(self.state))
        except ValueError as error:
            raise SnapshotError(f"damaged snapshot: {error}") from error


class Snapshot(msgspec.Struct):
    """The state of the core.

    Attributes:
        digest: Digest of the configuration.
        inputs: Digest of the configured inputs.
        parts: Parts in loading order.
        elsewhere: Number of further parts, which are stored separately.
    """

    digest: str
    inputs: str
    parts: list[Part]
    elsewhere: int = 0

    def known_sensors(self) -> list[KnownSensor]:
        """All sensors in the order of the slots, if the parts are present."""
        return known_sensors(self.parts)

    @staticmethod
    def sensors(known: list[KnownSensor], first: int = 0) -> Part:
        """A part with the names of the sensors from a slot on."""
        return Part(SENSORS, SENSORS_VERSION, first, encode(known))

    def to_bytes(self) -> bytes:
        """The snapshot, packed."""
        return FORMAT + compress(msgspec.msgpack.encode(self))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Snapshot:
        """Decode the result of `to_bytes()` of this version or an earlier one.

        Raises:
            SnapshotError: It is damaged.
            LaterSnapshotError: It is in a later format.
        """
        from edge.core.persistence.earlier_snapshots import read_earlier  # noqa: PLC0415 - it makes snapshots of this format

        if packed and packed[0] in LATER:
            raise LaterSnapshotError(f"a snapshot of format {packed[0]}; this version knows {FORMAT[0]}")
        try:
            if packed[:1] != FORMAT:
                return read_earlier(packed)
            plain = decompress(packed[1:])
        except (ValueError, msgspec.DecodeError) as error:
            raise SnapshotError(f"damaged snapshot: {error}") from error
        try:
            snapshot = msgspec.msgpack.decode(plain, type=cls)
        except msgspec.DecodeError as error:
            raise LaterSnapshotError(f"a snapshot of another kind: {error}") from error
        snapshot.known_sensors()
        return snapshot


def known_sensors(parts: Iterable[Part]) -> list[KnownSensor]:
    """The sensors named by parts, in the order of the slots.

    Raises:
        LaterSnapshotError: They are in a later format that can't be read.
    """
    known: list[KnownSensor] = []
    for part in parts:
        if part.component == SENSORS:
            if part.version != SENSORS_VERSION:
                raise LaterSnapshotError("the sensors' names are written in another way")
            try:
                known += decode(part.state, list[KnownSensor])
            except StateError as error:
                raise LaterSnapshotError(f"the sensors' names can't be read: {error}") from error
    return known
