"""Snapshots: what the core knows, as bytes without pickle.

A snapshot is a list of parts. A part holds the state of one component, or of some of its rows, and says in which
version of that component's encoding. A reader takes the parts that it understands; what it doesn't know, and what an
earlier version didn't write, is learned again. So a component can be added or changed without touching any other, and
stores of every version open; see `edge.core.persistence.checkpoint`.

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
"""First bytes of formats to come. Format 1 has no such byte, and begins with a MessagePack map, at 128 or above."""

SENSORS = "sensors"
"""The part without which no other means anything: the name of each slot."""

SENSORS_VERSION = 1

KnownSensor = tuple[str, str, bool]
"""A sensor's name, what a repetition of its value means, and whether arrival gives its times."""


class SnapshotError(ValueError):
    """A snapshot is damaged, or there is no room for its sensors."""


class LaterSnapshotError(SnapshotError):
    """A snapshot is whole, but a later version has written it in a way that can't be read."""


class Part(msgspec.Struct, array_like=True, frozen=True):
    """The state of a component, or of some of its rows.

    Attributes:
        component: Name of the component.
        version: Of the component's encoding.
        first: The first of the rows; 0 for a component without rows.
        state: The encoded state.
    """

    component: str
    version: int
    first: int
    state: bytes

    def compressed(self) -> Part:
        """The part as it is kept by itself: its state is a zlib stream, which carries a checksum."""
        return msgspec.structs.replace(self, state=compress(self.state))

    def decompressed(self) -> Part:
        """Decompress the output of `compressed()`.

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
        digest: Of the configuration.
        inputs: Digest of what the configuration says of inputs.
        parts: In the order in which they are loaded.
        elsewhere: So many other parts are kept one by one.
    """

    digest: str
    inputs: str
    parts: list[Part]
    elsewhere: int = 0

    def known_sensors(self) -> list[KnownSensor]:
        """Every sensor in the order of the slots, if the parts are here."""
        return known_sensors(self.parts)

    @staticmethod
    def sensors(known: list[KnownSensor], first: int = 0) -> Part:
        """A part that names the sensors from a slot on."""
        return Part(SENSORS, SENSORS_VERSION, first, encode(known))

    def to_bytes(self) -> bytes:
        """The snapshot, packed."""
        return FORMAT + compress(msgspec.msgpack.encode(self))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Snapshot:
        """The snapshot that `to_bytes()` packed, in this version or an earlier one.

        Raises:
            SnapshotError: It is damaged.
            LaterSnapshotError: It is in a format of a later version.
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
    """The sensors that parts name, in the order of the slots.

    Raises:
        LaterSnapshotError: A later version has written them in a way that can't be read.
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
