"""The packer: packs for the cells of each partition, and ticks for those without records."""

from __future__ import annotations

from typing import Any, NamedTuple

from config.loading import parse
from edge.fleet.engines.packs import MOST, Pack, decode
from edge.fleet.engines.quix_packer import TICK_S, Packer
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
