"""Deaths of Sparkplug nodes and devices, and which birth a death belongs to."""

from __future__ import annotations

from sparkplug_host import Host
from sparkplug_node import (
    EdgeNode,
    metric,
)


def test_the_death_of_an_unknown_node_is_ignored() -> None:
    host = Host()
    assert host.there(EdgeNode().ndeath()) == []
    assert host.pipeline.counters.devices_unknown == 1


def test_the_death_of_a_node_is_reported_once_for_all_its_devices() -> None:
    host, node = Host(), EdgeNode()
    born = host.there(node.nbirth(metric(1, name="x")), node.message("DBIRTH", metric(1, name="y"), device="a"))
    assert born == [("plant1/line1/", 1.0), ("plant1/line1/a/", 1.0)]
    assert host.there(node.ndeath()) == [("plant1/line1/", 0.0)]
    assert host.hear(node.message("DDATA", metric(1, name="y"), device="a")) == []
    assert host.refused == {"no_birth": 1}


def test_the_death_of_a_device_is_separate() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x")), node.message("DBIRTH", metric(1, name="y"), device="a"))
    assert host.there(node.message("DDEATH", device="a")) == [("plant1/line1/a/", 0.0)]
    assert host.hear(node.message("NDATA", metric(2, name="x"))) == [("plant1/line1/x", 2.0)]
    host.wait(60.0)
    assert host.requests == []


def test_the_death_that_belongs_to_an_earlier_birth_is_refused() -> None:
    host, node = Host(), EdgeNode()
    old = node.ndeath()
    node.bd_seq = 1
    host.hear(node.nbirth(metric(1, name="x")))
    assert host.there(old) == []
    assert host.refused == {"stale_death": 1}
    assert host.hear(node.message("NDATA", metric(2, name="x"))) == [("plant1/line1/x", 2.0)]


def test_numbers_of_births_and_deaths_wrap_around_and_one_ahead_is_a_death() -> None:
    host, node = Host(), EdgeNode()
    node.bd_seq = 255
    host.hear(node.nbirth(metric(1, name="x")))
    node.bd_seq = 0
    assert host.there(node.ndeath()) == [("plant1/line1/", 0.0)]
