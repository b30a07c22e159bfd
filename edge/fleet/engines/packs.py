"""Packs: records of a log for one of its cells, combined into one record, with the time reached in the log.

Cells process many records at once, because running a cell costs far more than a record. Each partition of a topic has
its own cells, so that a partition that is read faster than another doesn't make the other's sensors appear silent. A
pack without records is a tick: it reports that time has passed without readings.

A pack holds columns instead of records, so that no object is created for a record on its way. Packs may be repeated or
overlap; offsets identify the records already processed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import NamedTuple

import msgspec

from edge.core.model.readings.messages import Message

VERSION = 2
MOST, MOST_BYTES = 5000, 500_000
"""Maximum number of records in a pack, and of bytes in their topics and payloads; a single larger record is a pack of
its own."""


class PackError(ValueError):
    """The bytes aren't a pack, or were written by another version."""


class PackedRecord(NamedTuple):
    """A record of a log, as a message.

    Attributes:
        offset: Its offset in the log.
        topic: MQTT topic of the message.
        payload: Payload of the message.
        arrived: Time of arrival, seconds since the epoch.
        content_type: MIME type of the payload; empty if unknown.
    """

    offset: int
    topic: str
    payload: bytes
    arrived: float
    content_type: str = ""


class Records(msgspec.Struct, array_like=True):
    """Records of a log as columns of equal length, in order of offset; see `PackedRecord`."""

    offsets: list[int] = []
    topics: list[str] = []
    payloads: list[bytes] = []
    arrivals: list[float] = []
    types: list[str] = []

    @classmethod
    def of(cls, records: Iterable[PackedRecord]) -> Records:
        """Columns of records."""
        columns = [list(each) for each in zip(*records, strict=True)]
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.offsets)

    def add(self, other: Records) -> None:
        """Add the records of another, which come later in the log."""
        self.offsets += other.offsets
        self.topics += other.topics
        self.payloads += other.payloads
        self.arrivals += other.arrivals
        self.types += other.types

    def take(self, first: int, last: int) -> Records:
        """The records from `first` up to `last`, exclusive."""
        columns = self.offsets, self.topics, self.payloads, self.arrivals, self.types
        return Records(*(each[first:last] for each in columns))  # type: ignore[arg-type]

    def messages(self) -> list[Message]:
        """The records as messages."""
        none, no = repeat(0), repeat(False)
        rows = zip(self.topics, self.payloads, self.arrivals, no, none, none, none, no, self.types, no, strict=False)
        return list(map(Message._make, rows))


class Pack(msgspec.Struct, array_like=True, frozen=True):
    """The records of a log for a cell.

    Attributes:
        version: Version of the format.
        log: Name of the log.
        time: Time reached in the log, seconds since the epoch; None if unknown.
        records: The records, in order of offset.
    """

    version: int
    log: str
    time: float | None
    records: Records

    def encode(self) -> bytes:
        """Encode the pack for `decode()`."""
        return msgspec.msgpack.encode(self)


def decode(packed: bytes) -> Pack:
    """Decode the result of `encode()`.

    Raises:
        PackError: The bytes aren't a pack, or it is of another version.
    """
    try:
        raw_version, *_ = msgspec.msgpack.decode(packed, type=list[msgspec.Raw]) or [msgspec.Raw(b"\xc0")]
        version = msgspec.msgpack.decode(raw_version)
        if version != VERSION:
            raise PackError(f"written in version {version!r}; this one knows {VERSION}")
        pack = msgspec.msgpack.decode(packed, type=Pack)
    except msgspec.DecodeError as error:
        raise PackError(str(error)) from error
    records = pack.records
    columns = records.offsets, records.topics, records.payloads, records.arrivals, records.types
    if len({len(each) for each in columns}) != 1:
        raise PackError("columns of different lengths")
    return pack


def cut(records: Records) -> Iterator[Records]:
    """Divide records into pieces that fit into packs."""
    first = size = 0
    for place, (topic, payload) in enumerate(zip(records.topics, records.payloads, strict=True)):
        more = len(topic) + len(payload)
        if first < place and (place - first >= MOST or size + more > MOST_BYTES):
            yield records.take(first, place)
            first, size = place, 0
        size += more
    if first < len(records):
        yield records.take(first, len(records)) if first else records
