"""Packing: each record goes to the cell of its topic, in order, and what no input reads is counted."""

from __future__ import annotations

from config.loading import parse
from edge.fleet.engines.packing import Packing
from edge.fleet.engines.packs import Records
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing

CELLS = 4
CONFIGURATION = parse('[[input]]\ntopic = "readings/plant/#"\n', "test").configuration


def packing() -> Packing:
    return Packing(topics())


def topics() -> TopicPlacing:
    return TopicPlacing.of(CONFIGURATION, plan_of(CONFIGURATION, CELLS))


def test_each_record_goes_to_the_cell_of_its_topic_in_order() -> None:
    keys: list[bytes | None] = [b"plant/device%d/x" % (each % 7) for each in range(100)]
    payloads: list[bytes | None] = [b"%d" % each for each in range(100)]
    packer = packing()
    for first in (0, 200):  # the second time, topics are cached
        share = packer.share(
            "readings", [*range(first, first + 100)], keys, payloads, [1.7e9 + each for each in range(100)], ["t"] * 100
        )
        assert sum(map(len, share.records.values())) == 100
        assert len(share.records) > 1
        for cell, records in share.records.items():
            assert {topics().cell(each) for each in records.topics} == {cell}
            assert records.offsets == sorted(records.offsets)
            assert records.payloads == [payloads[each - first] for each in records.offsets]
            assert records.arrivals == [1.7e9 + each - first for each in records.offsets]
            assert {*records.types} == {"t"}


def test_heartbeats_and_strangers_are_left_out_and_strangers_counted() -> None:
    keys = [None, b"office/printer", b"plant/a/x", b"", b"plant/\xff"]
    share = packing().share("readings", [*range(5)], keys, [None] * 5, [1.7e9] * 5, [""] * 5)
    found = Records()
    for each in share.records.values():
        found.add(each)
    assert sorted(found.topics) == ["readings/plant/a/x", "readings/plant/\ufffd"]
    assert {*found.payloads} == {b""}
    assert share.refused == {"no_route": 2}


def test_equal_keys_of_two_topics_are_two_topics() -> None:
    packer = packing()
    for topic, count in (("readings", 1), ("other", 0)):
        share = packer.share(topic, [0], [b"plant/a/x"], [b"1"], [1.7e9], [""])
        assert sum(map(len, share.records.values())) == count
