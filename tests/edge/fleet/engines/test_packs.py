"""Packs: reading returns what was written, and anything else is refused."""

from __future__ import annotations

import msgspec
import pytest

from edge.core.model.readings.messages import Message
from edge.fleet.engines.packs import MOST, MOST_BYTES, VERSION, Pack, PackedRecord, PackError, Records, cut, decode


def some(count: int, payload: bytes = b"1") -> Records:
    return Records.of(
        PackedRecord(each, "plant/a/x", payload, 1.7e9 + each, "application/json") for each in range(count)
    )


@pytest.mark.parametrize("count", [0, 3])
def test_a_pack_is_read_as_it_was_written(count: int) -> None:
    pack = Pack(VERSION, "readings/0@id", 1.7e9, some(count, b"\x00\xff"))
    assert decode(pack.encode()) == pack
    assert decode(Pack(VERSION, "readings/0", None, some(count)).encode()).time is None


def test_records_become_messages() -> None:
    records = Records.of(
        [PackedRecord(7, "plant/a/x", b"1", 1.7e9), PackedRecord(9, "plant/b", b"", 1.8e9, "text/plain")]
    )
    assert records.messages() == [
        Message("plant/a/x", b"1", 1.7e9),
        Message("plant/b", b"", 1.8e9, content_type="text/plain"),
    ]


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x90",
        b"{}",
        b"\x91\xc0",
        msgspec.msgpack.encode([VERSION, "log"]),
        msgspec.msgpack.encode([VERSION, "log", 0.0, [[1, 2], ["a"], [b""], [0.0], [""]]]),
    ],
)
def test_an_invalid_pack_is_refused(packed: bytes) -> None:
    with pytest.raises(PackError):
        decode(packed)


def test_a_pack_of_a_later_version_is_refused_by_its_version() -> None:
    with pytest.raises(PackError, match=f"version {VERSION + 1}"):
        decode(msgspec.msgpack.encode([VERSION + 1, {"new": True}]))


def test_records_are_cut_by_number_and_by_size() -> None:
    assert [len(each) for each in cut(some(MOST + 1))] == [MOST, 1]
    large = some(3, bytes(MOST_BYTES // 2))
    assert [len(each) for each in cut(large)] == [1, 1, 1]
    assert [len(each) for each in cut(some(2, bytes(2 * MOST_BYTES)))] == [1, 1]
    joined = Records()
    for piece in cut(large):
        joined.add(piece)
    assert joined == large
    assert list(cut(Records())) == []
