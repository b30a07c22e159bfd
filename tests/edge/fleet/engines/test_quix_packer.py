"""The packer: packs for the cells of each partition, and ticks for those without records."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from config.loading import parse
from edge.fleet.engines.packs import MOST, Pack, decode
from edge.fleet.engines.quix_options import FleetError, QuixOptions
from edge.fleet.engines.quix_packer import TICK_S, CellCount, Packer
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing

CELLS, NOW = 4, 1_700_000_000.0
CONFIGURATION = parse('[[input]]\ntopic = "readings/plant/#"\n', "test").configuration


class Sent(NamedTuple):
    """A record as confluent-kafka gives it."""

    in_partition: int
    at: int
    called: bytes | None
    time: float
    said: Any = None

    def topic(self) -> str:
        return "readings"

    def partition(self) -> int:
        return self.in_partition

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.called

    def value(self) -> bytes:
        return b"%d" % self.at

    def timestamp(self) -> tuple[int, int]:
        return 1, round(self.time * 1000)

    def headers(self) -> Any:
        return self.said


def packer() -> Packer:
    topics = TopicPlacing.of(CONFIGURATION, plan_of(CONFIGURATION, CELLS))
    return Packer(topics, CELLS, "id", now=lambda: NOW)


def packed(packer: Packer, messages: list[Sent]) -> list[tuple[int, str, Pack]]:
    return [(each.partition, each.key, decode(each.pack)) for each in packer.pack(messages)]


def test_a_pack_goes_to_the_partition_that_its_records_came_from() -> None:
    found = packed(packer(), [Sent(each % 2, each, b"plant/d%d/x" % each, NOW) for each in range(40)])
    for partition, key, pack in found:
        assert key.startswith(f"readings/{partition}/")
        assert pack.log == f"readings/{partition}@id"
        assert {each % 2 for each in pack.records.offsets} <= {partition}
    assert sorted(each for _, _, pack in found for each in pack.records.offsets) == [*range(40)]


def test_all_cells_get_a_tick_now_and_then() -> None:
    some = packer()
    first = packed(some, [Sent(0, 0, b"plant/a/x", NOW - 100)])
    assert [key for _, key, _ in first] == [f"readings/0/{each}of{CELLS}" for each in range(CELLS)]
    assert {pack.time for _, _, pack in first} == {NOW - 100}
    assert len(packed(some, [Sent(0, 1, b"plant/a/x", NOW - 100 + TICK_S - 1)])) == 1
    assert len(packed(some, [Sent(0, 2, None, NOW - 100 + TICK_S)])) == CELLS


def test_nothing_arrives_in_the_future() -> None:
    found = packed(packer(), [Sent(0, 0, b"plant/a/x", NOW + 3600)])
    assert {pack.time for _, _, pack in found} == {NOW}


def test_the_time_of_a_piece_is_that_of_its_last_record() -> None:
    found = packed(packer(), [Sent(0, each, b"plant/a/x", NOW - 2 * MOST + each) for each in range(MOST + 2)])
    assert [pack.time for _, _, pack in found if pack.records] == [NOW - MOST - 1, NOW - MOST + 1]


def test_a_header_gives_the_content_type() -> None:
    said = [("x", None), ("Content-Type", b"application/json")]
    found = packed(
        packer(), [Sent(0, 0, b"plant/a/x", NOW, said), Sent(0, 1, b"plant/a/x", NOW, [("content-type", None)])]
    )
    assert [pack.records.types for _, _, pack in found if pack.records] == [["application/json", ""]]


class Positions:
    """The committed positions of a group for a topic with two partitions, as a consumer gives them."""

    def __init__(self) -> None:
        self.offsets = {0: -1001, 1: -1001}
        self.metadata: dict[int, str] = {}

    def committed(self, partitions: list[TopicPartition], _: float) -> list[TopicPartition]:
        return [self._position(each.partition) for each in partitions]

    def _position(self, number: int) -> TopicPartition:
        stored = self.metadata.get(number)
        place = "plant", number, self.offsets[number]
        return TopicPartition(*place) if stored is None else TopicPartition(*place, stored)

    def get_watermark_offsets(self, partition: TopicPartition, _: float) -> tuple[int, int]:
        return 10 + partition.partition, 20 + partition.partition

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.offsets |= {each.partition: each.offset for each in offsets}
        self.metadata |= {each.partition: each.metadata for each in offsets}


def claim(positions: Positions, cells: int, begin: str = "latest") -> None:
    options = QuixOptions(cells, "plant", "events", "fleet", {}, begin=begin)
    CellCount(options).claim(positions, [TopicPartition("plant", each) for each in range(2)])


def test_a_number_of_cells_that_is_no_multiple_of_the_groups_is_refused() -> None:
    positions = Positions()
    claim(positions, 8)
    claim(positions, 16)
    claim(positions, 16)
    for other in (8, 24):
        with pytest.raises(FleetError, match=f"has 16 cells for each partition, and {other} is no multiple"):
            claim(positions, other)
    assert set(positions.metadata.values()) == {"cells=16"}


class Unreachable(Positions):
    def committed(self, *_: Any) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def test_no_answer_while_partitions_are_assigned_is_an_error_of_ours() -> None:
    with pytest.raises(FleetError, match="Kafka doesn't answer: "):
        claim(Unreachable(), 8)


@pytest.mark.parametrize(("begin", "offsets"), [("latest", {0: 20, 1: 21}), ("earliest", {0: 10, 1: 11})])
def test_the_number_of_cells_is_stored_before_the_first_record_is_read(begin: str, offsets: dict[int, int]) -> None:
    positions = Positions()
    claim(positions, 8, begin)
    assert positions.offsets == offsets


@pytest.mark.parametrize("metadata", ["", "of another program", "cells=", "cells=0"])
def test_positions_without_a_number_of_cells_stay_where_they_are(metadata: str) -> None:
    positions = Positions()
    positions.offsets, positions.metadata = {0: 5, 1: 6}, {0: metadata, 1: metadata}
    claim(positions, 3)
    assert positions.offsets == {0: 5, 1: 6}
    assert set(positions.metadata.values()) == {"cells=3"}
