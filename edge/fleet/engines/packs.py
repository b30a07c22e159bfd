"""Packs: records of a log for one of its cells, combined into one record, with the time reached in the log.

Cells process many records at once, because running a cell costs far more than a record. Each partition of a topic has
its own cells, so that a partition that is read faster than another doesn't make the other's sensors appear silent. A
pack without records is a tick: it reports that time has passed without readings.

Packs may be repeated or overlap; offsets identify the records already processed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from edge.core.model.readings.messages import Message

VERSION = 1
MOST, MOST_BYTES = 1000, 500_000
"""Maximum number of records in a pack, and of bytes in their topics and payloads; a single larger record is a pack of
its own."""


class PackError(ValueError):
    """The bytes aren't a pack, or were written by a later version."""


class PackedRecord(msgspec.Struct, array_like=True, frozen=True):
    """A record of a log, as a message.

    Attributes:
        offset: Its offset in the log.
        topic: MQTT topic of the message.
        payload: Payload of the message.
        arrived: Time of arrival, seconds since the epoch.
        content_type: MIME type of the payload; None if unknown.
    """

    offset: int
    topic: str
    payload: bytes
    arrived: float
    content_type: str = ""

    def message(self) -> Message:
        """Convert it to a message."""
        return Message(self.topic, self.payload, self.arrived, content_type=self.content_type)


class Pack(msgspec.Struct, array_like=True, frozen=True):
    """The records of a log for a cell.

    Attributes:
        version: Version of the format.
        log: Name of the log.
        time: Time reached in the log, seconds since the epoch.
        records: The records, in order of offset.
    """

    version: int
    log: str
    time: float
    records: list[PackedRecord]

    def encode(self) -> bytes:
        """Encode the pack for `decode()`."""
        return msgspec.msgpack.encode(self)


def decode(packed: bytes) -> Pack:
    """Decode the result of `encode()`.

    Raises:
        PackError: The bytes aren't a pack, or it is of another version.
    """
    try:
        said, *_ = msgspec.msgpack.decode(packed, type=list) or [None]
        if said != VERSION:
            raise PackError(f"written in version {said!r}; this one knows {VERSION}")
        return msgspec.msgpack.decode(packed, type=Pack)
    except msgspec.DecodeError as error:
        raise PackError(str(error)) from error


def cut(records: Sequence[PackedRecord]) -> Iterator[list[PackedRecord]]:
    """Divide records into pieces that fit into packs."""
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
