"""Packs: what a log has for one of its cells, as one record, and how far time has come in the log.

Cells are given many records at once, as each turn of a cell costs far more than a record. Each partition of a topic has
cells of its own, so that one which is read faster than another makes no sensor of the other look silent. A pack without
records is a tick: it says that time has passed and nothing came.

A pack may come again, or overlap one before: offsets tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from edge.core.model.readings.messages import Message

VERSION = 1
MOST, MOST_BYTES = 1000, 500_000
"""Records of a pack, and bytes of their topics and payloads, unless one is larger by itself."""


class PackError(ValueError):
    """Bytes that are no pack, or one of a later version."""


class PackedRecord(msgspec.Struct, array_like=True, frozen=True):
    """A record of a log, as a message.

    Attributes:
        offset: Its place in the log.
        topic: MQTT topic of the message.
        payload: Its bytes.
        arrived: When it came, seconds since the epoch.
        content_type: MIME type of the payload, if its sender says it.
    """

    offset: int
    topic: str
    payload: bytes
    arrived: float
    content_type: str = ""

    def message(self) -> Message:
        """The message."""
        return Message(self.topic, self.payload, self.arrived, content_type=self.content_type)


class Pack(msgspec.Struct, array_like=True, frozen=True):
    """What a log has for a cell.

    Attributes:
        version: Of how it is written.
        log: Name of the log.
        time: How far time has come in it, seconds since the epoch.
        records: By ascending offsets.
    """

    version: int
    log: str
    time: float
    records: list[PackedRecord]

    def encode(self) -> bytes:
        """As bytes, for `decode()`."""
        return msgspec.msgpack.encode(self)


def decode(packed: bytes) -> Pack:
    """A pack from its bytes.

    Raises:
        PackError: They aren't one, or it is of another version.
    """
    try:
        said, *_ = msgspec.msgpack.decode(packed, type=list) or [None]
        if said != VERSION:
            raise PackError(f"written in version {said!r}; this one knows {VERSION}")
        return msgspec.msgpack.decode(packed, type=Pack)
    except msgspec.DecodeError as error:
        raise PackError(str(error)) from error


def cut(records: Sequence[PackedRecord]) -> Iterator[list[PackedRecord]]:
    """The records in pieces that fit into packs."""
    piece: list[PackedRecord] = []
    size = 0
    for each in records:
        more = len(each.topic) + len(each.payload)
        if piece and (len(piece) >= MOST or size + more > MOST_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += more
    if piece:
        yield piece
