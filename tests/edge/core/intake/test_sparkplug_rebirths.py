"""Missing births and messages of Sparkplug nodes: when a rebirth is requested, and how often."""

from __future__ import annotations

import pytest
from sparkplug_host import REBIRTH, Host
from sparkplug_node import (
    AT,
    BOOLEAN,
    EdgeNode,
    metric,
)

from edge.core.intake.decoders.records.sparkplug_payload import read_payload


def test_data_before_a_birth_is_refused_and_a_birth_is_requested() -> None:
    host, node = Host(), EdgeNode()
    assert host.hear(node.message("NDATA", metric(1, name="x"))) == []
    assert host.refused == {"no_birth": 1}
    assert host.requests == [REBIRTH]


def test_data_of_a_device_before_its_birth_is_refused_and_causes_no_gap() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x")), node.message("DDATA", metric(1, name="y"), device="a"))
    assert host.refused == {"no_birth": 1}
    assert host.requests == [REBIRTH]
    host.hear(node.message("NDATA", metric(2, name="x")))
    host.wait(60)
    assert host.requests == [REBIRTH]


def test_a_device_that_is_born_before_its_node_is_read_and_the_node_gets_a_request() -> None:
    host, node = Host(), EdgeNode()
    assert host.hear(node.message("DBIRTH", metric(2, name="y", alias=1), device="a")) == [("plant1/line1/a/y", 2.0)]
    assert host.requests == [REBIRTH]
    assert host.hear(node.message("DDATA", metric(3, None, alias=1), device="a")) == [("plant1/line1/a/y", 3.0)]


def test_an_unknown_alias_is_refused_and_a_birth_is_requested() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    read = host.hear(node.message("NDATA", metric(1, None, alias=9), metric(2, None, alias=1)))
    assert read == [("plant1/line1/x", 2.0)]
    assert host.refused == {"unknown_alias": 1}
    assert host.requests == [REBIRTH]


def test_an_ambiguous_alias_is_never_guessed() -> None:
    host, node = Host(), EdgeNode()
    read = host.hear(
        node.nbirth(metric(1, name="x", alias=1), metric(2, name="y", alias=1), metric(3, name="z", alias=1))
    )
    assert read == [("plant1/line1/x", 1.0), ("plant1/line1/y", 2.0), ("plant1/line1/z", 3.0)]
    assert host.hear(node.message("NDATA", metric(5, None, alias=1))) == []
    assert host.refused == {"alias_clash": 3}
    assert host.requests == []


def test_a_birth_replaces_the_one_before() -> None:
    host, node = Host(), EdgeNode()
    host.hear(
        node.nbirth(metric(1, name="x", alias=1)), node.message("DBIRTH", metric(1, name="y", alias=2), device="a")
    )
    host.hear(node.nbirth(metric(1, name="other", alias=1)))
    assert host.hear(node.message("NDATA", metric(5, None, alias=1))) == [("plant1/line1/other", 5.0)]
    assert host.hear(node.message("DDATA", metric(5, None, alias=2), device="a")) == []
    assert host.refused == {"no_birth": 1}


def test_a_missing_message_is_awaited_before_a_rebirth_is_requested() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    node.lose()
    assert host.hear(node.message("NDATA", metric(5, None, alias=1))) == [("plant1/line1/x", 5.0)]
    host.wait(4.9)
    assert host.requests == []
    host.wait(5.0)
    assert host.requests == [REBIRTH]
    host.wait(60.0)
    assert host.requests == [REBIRTH]


def test_a_late_message_is_read_and_nothing_is_requested() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    early, late = node.message("NDATA", metric(5, None, alias=1)), node.message("NDATA", metric(6, None, alias=1))
    assert [value for _, value in host.hear(late, early)] == [6.0, 5.0]
    host.wait(60.0)
    assert host.requests == []


def test_a_birth_ends_the_wait_for_earlier_messages() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    node.lose()
    host.hear(node.message("NDATA", metric(5, None, alias=1)), node.nbirth(metric(1, name="x", alias=1)))
    host.wait(60.0)
    assert host.requests == []


@pytest.mark.parametrize("by", [3600.0, -3600.0])
def test_a_clock_that_is_set_neither_shortens_nor_extends_the_wait(by: float) -> None:
    host, node = Host(), EdgeNode()
    host.pipeline.process([node.nbirth(metric(1, name="x", alias=1))])
    node.lose()
    host.pipeline.process([node.message("NDATA", metric(5, None, alias=1))])
    host.pipeline.clock_stepped(by)
    host.wait(4.9)
    assert host.requests == []
    host.wait(5.0)
    assert host.requests == [REBIRTH]


def test_the_next_message_of_a_node_also_ends_the_wait() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    node.lose(3)
    host.hear(node.message("NDATA", metric(5, None, alias=1)))
    node.now += 5.0
    host.hear(node.message("NDATA", metric(6, None, alias=1)))
    assert host.requests == [REBIRTH]


def test_sequence_numbers_wrap_around_and_a_repeated_one_is_not_a_gap() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    host.hear(*[node.message("NDATA", metric(each, None, alias=1)) for each in range(600)])
    node.lose(-1)
    host.hear(node.message("NDATA", metric(1, None, alias=1)))
    host.wait(60.0)
    assert host.requests == []


def test_no_rebirth_is_requested_where_the_operator_forbids_it() -> None:
    host, node = Host("rebirth = false"), EdgeNode()
    host.hear(node.message("NDATA", metric(1, name="x")), node.nbirth(metric(1, name="x", alias=1)))
    node.lose()
    host.hear(node.message("NDATA", metric(1, None, alias=1)), node.message("NDATA", metric(1, None, alias=9)))
    host.wait(60.0)
    assert host.requests == []
    assert host.refused == {"no_birth": 1, "unknown_alias": 1}


def test_a_node_that_never_sends_a_birth_gets_fewer_and_fewer_requests() -> None:
    host, node = Host(), EdgeNode()
    for _ in range(24 * 3600 // 10):
        node.now += 9.0
        host.hear(node.message("NDATA", metric(1, name="x")))
    assert 24 <= len(host.requests) <= 40
    assert host.refused == {"no_birth": 8640}


def test_a_node_without_recent_requests_gets_one_as_if_for_the_first_time() -> None:
    host, node = Host(), EdgeNode()

    def asked_within(seconds: int) -> int:
        before = len(host.requests)
        host.hear(*[node.message("NDATA", metric(1, name="x")) for _ in range(seconds)])
        return len(host.requests) - before

    assert asked_within(100) == 4  # after 0, 10, 30 and 70 seconds
    node.now += 86_400.0
    assert asked_within(100) == 4


def test_the_rate_of_requests_to_all_nodes_together_is_limited() -> None:
    host = Host()
    host.hear(*[EdgeNode(f"line{each}").message("NDATA", metric(1, name="x")) for each in range(500)])
    assert len(host.requests) == 20


def test_the_request_is_the_command_of_the_specification() -> None:
    host, node = Host(), EdgeNode()
    host.pipeline.intake.read([node.message("NDATA")], [], [])
    (request,) = host.pipeline.sparkplug.requests()
    read = read_payload(request.payload)
    (command,) = read.metrics
    assert (read.time, read.sequence) == (int(AT * 1000), None)
    assert (command.name, command.datatype, command.raw, command.alias) == ("Node Control/Rebirth", BOOLEAN, True, None)
