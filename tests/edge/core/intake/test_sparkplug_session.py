"""Sparkplug sessions: births and data of edge nodes, from a host application's point of view."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from sparkplug_host import Host
from sparkplug_node import (
    AT,
    BOOLEAN,
    DOUBLE,
    FLOAT,
    INT8,
    INT16,
    INT32,
    INT64,
    STRING,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    EdgeNode,
    metric,
    payload,
)

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline


def test_a_birth_gives_all_current_values_and_units() -> None:
    host, node = Host(), EdgeNode()
    read = host.hear(node.nbirth(metric(21.5, name="temperature", unit="°C"), metric(True, BOOLEAN, name="door/open")))
    assert read == [("plant1/line1/temperature", 21.5), ("plant1/line1/door/open", 1.0)]
    slot = host.pipeline.sensors.find("plant1/line1/temperature")
    assert slot is not None
    assert host.pipeline.intake.units.of(slot) == "°C"


def test_a_unit_in_a_later_birth_counts_and_values_in_another_are_converted() -> None:
    host, node = Host(), EdgeNode()
    for unit, value in (("", 21.5), ("°C", 21.5), ("K", 294.65), ("degF", 70.7)):
        host.hear(node.nbirth(metric(20, name="count"), metric(value, name="temperature", unit=unit)))
        assert host.pipeline.intake.units.of(1) == ("°C" if unit else "")
        read = host.hear(node.message("NDATA", metric(value, name="temperature")))
        assert [round(each, 9) for _, each in read] == [21.5]
    assert host.hear(node.nbirth(metric(20, name="count"), metric(21.5, name="temperature", unit="Pa"))) == [
        ("plant1/line1/count", 20.0),
    ]
    assert host.refused == {"other_unit": 1}


def test_data_is_read_by_alias_with_the_datatype_of_the_birth() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(7, INT16, name="level", alias=3)))
    assert host.hear(node.message("NDATA", metric(-5, None, of=INT16, alias=3))) == [("plant1/line1/level", -5.0)]
    assert host.refused == {}


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (INT8, -128), (INT16, -32768), (INT32, -1), (INT64, -(2**53)), (UINT8, 255), (UINT16, 65535),
        (UINT32, 2**32 - 1), (UINT64, 2**53), (FLOAT, 1.5), (DOUBLE, 1e300), (BOOLEAN, 1),
    ],
)  # fmt: skip
def test_each_datatype_is_read_in_births_and_in_data_without_it(datatype: int, value: float) -> None:
    host, node = Host(), EdgeNode()
    born = host.hear(node.nbirth(metric(value, datatype, name="x", alias=1)))
    data = host.hear(node.message("NDATA", metric(value, None, of=datatype, alias=1)))
    assert born == data == [("plant1/line1/x", float(value))]


def test_a_name_together_with_an_alias_is_read_although_the_specification_forbids_it() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    assert host.hear(node.message("NDATA", metric(2, name="x", alias=1))) == [("plant1/line1/x", 2.0)]


def test_devices_have_their_own_aliases() -> None:
    host, node = Host(), EdgeNode()
    host.hear(
        node.nbirth(metric(1, name="x", alias=0)),
        node.message("DBIRTH", metric(2, name="y", alias=0), device="a"),
        node.message("DBIRTH", metric(3, name="z", alias=0), device="b"),
    )
    assert host.hear(
        node.message("DDATA", metric(4, None, alias=0), device="b"),
        node.message("NDATA", metric(5, None, alias=0)),
        node.message("DDATA", metric(6, None, alias=0), device="a"),
    ) == [("plant1/line1/b/z", 4.0), ("plant1/line1/x", 5.0), ("plant1/line1/a/y", 6.0)]


def test_texts_and_bookkeeping_are_left_out_and_texts_are_counted() -> None:
    host, node = Host(), EdgeNode()
    read = host.hear(
        node.nbirth(
            metric("ACME", STRING, name="Properties/Maker", alias=1),
            metric(5, name="Node Control/Scan Rate"),
            {"name": "table", "alias": 2, "dataset_value": {"columns": ["a"]}},
            {"name": "form", "template_value": {"version": "1"}},
            metric(1, name="x"),
        )
    )
    assert read == [("plant1/line1/x", 1.0)]
    assert host.pipeline.counters.fields_ignored == 3
    assert host.hear(node.message("NDATA", metric("Zenith", None, alias=1))) == []
    assert host.pipeline.counters.fields_ignored == 4
    assert host.refused == {}


def test_a_mapped_text_is_a_number_and_ignored_metrics_are_left_out() -> None:
    host = Host('values = { Running = 1, Stopped = 0 }\nignore = ["Diagnostics/**"]')
    node = EdgeNode()
    read = host.hear(node.nbirth(metric("Running", STRING, name="state"), metric(1, name="Diagnostics/heap", alias=4)))
    assert read == [("plant1/line1/state", 1.0)]
    assert host.hear(node.message("NDATA", metric(2, None, alias=4))) == []
    assert host.pipeline.counters.fields_ignored == 2


def test_a_null_metric_has_no_value_but_counts_as_received() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)), node.message("NDATA", metric(1, None, alias=1)))
    assert host.hear(node.message("NDATA", metric(None, None, alias=1))) == []
    assert host.pipeline.intake.mistimed == [(0, host.pipeline.sensors.find("plant1/line1/x"))]
    assert host.refused == {}


@pytest.mark.parametrize(("quality", "read"), [(192, [5.0]), (0, []), (500, [])])
def test_a_value_of_bad_or_stale_quality_is_dropped_but_counts_as_received(quality: int, read: list[float]) -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    properties = {"keys": ["Quality"], "values": [{"type": INT32, "int_value": quality}]}
    found = host.hear(node.message("NDATA", metric(5, None, alias=1, properties=properties)))
    assert [value for _, value in found] == read
    assert len(host.pipeline.intake.mistimed) == 1 - len(read)


def test_a_metric_without_a_time_has_that_of_its_payload_or_else_of_its_arrival() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x", alias=1)))
    with_time = Message(
        "spBv1.0/plant1/NDATA/line1", payload([metric(2, alias=1)], timestamp=int(AT * 1000) + 500, seq=1), AT + 9
    )
    without = Message("spBv1.0/plant1/NDATA/line1", payload([metric(3, alias=1)], seq=2), AT + 10)
    batch = host.pipeline.intake.read([with_time, without], [], [])
    assert batch.times.tolist() == [AT + 0.5, AT + 10]


def test_a_number_that_is_not_finite_affects_only_itself() -> None:
    host, node = Host(), EdgeNode()
    read = host.hear(node.nbirth(metric(float("nan"), name="x"), metric(2, name="y")))
    assert read == [("plant1/line1/y", 2.0)]
    assert host.refused == {"not_finite": 1}


def test_a_device_and_a_folder_of_one_name_never_form_one_sensor() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="pump/flow")))
    assert host.hear(node.message("DBIRTH", metric(2, name="flow"), device="pump")) == []
    assert host.refused == {"name_clash": 1}


def test_the_name_of_a_device_follows_the_template_like_those_of_its_sensors() -> None:
    host, node = Host('sensor = "north/{field}"'), EdgeNode()
    assert host.there(node.nbirth(metric(1, name="x"))) == [("north/plant1/line1/", 1.0)]
    assert host.pipeline.sensors.names == ["north/plant1/line1/x", "north/plant1/line1/"]


def test_historical_values_are_accepted_before_newer_ones_and_refused_after_them() -> None:
    host, node = Host(), EdgeNode()
    birth = node.nbirth(metric(1, name="x", alias=1))
    past = [metric(each, None, alias=1, timestamp=int((AT + each) * 1000), is_historical=True) for each in (20, 10)]
    node.now = AT + 100
    first = node.message("NDATA", *past)
    now = node.message("NDATA", metric(30, None, alias=1))
    again = node.message("NDATA", *past)
    assert [value for _, value in host.hear(birth, first, now, again)] == [1.0, 10.0, 20.0, 30.0]
    assert host.refused == {"historical": 2}


def test_a_time_in_the_future_makes_no_historical_value_too_late() -> None:
    host, node = Host(), EdgeNode()
    ahead = metric(2, None, alias=1, timestamp=int((AT + 86_400) * 1000))
    host.hear(node.nbirth(metric(1, name="x", alias=1)), node.message("NDATA", ahead))
    node.now += 100.0
    past = metric(3, None, alias=1, timestamp=int((AT + 50) * 1000), is_historical=True)
    assert host.hear(node.message("NDATA", past)) == [("plant1/line1/x", 3.0)]
    assert host.refused == {"time_in_future": 1}


def test_a_retained_message_is_refused_and_says_nothing_about_its_node() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x"))._replace(retained=True), node.ndeath()._replace(retained=True))
    assert host.refused == {"retained": 2}
    assert len(host.pipeline.sparkplug.nodes) == 0


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/g/NDATA/n/d",
        "spBv1.0/g/DDATA/n",
        "spBv1.0/g/XDATA/n",
        "spBv1.0/g",
        "spBv1.0/g/DDATA/n/d/e",
        "spBv1.0//NDATA/n",
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    host = Host()
    host.hear(Message(topic, payload([metric(1, name="x")]), AT))
    assert host.refused == {"malformed": 1}


def test_commands_and_host_states_are_left_out() -> None:
    host = Host()
    for topic in ("spBv1.0/STATE/scada", "spBv1.0/g/NCMD/n", "spBv1.0/g/DCMD/n/d"):
        host.hear(Message(topic, b"{}", AT))
    assert host.pipeline.counters.messages_left_out == 3
    bare = make_pipeline(
        parse('[[input]]\ntopic = "spBv1.0/#"\nformat = "sparkplug"\nsensor = "{field}"').configuration
    )
    bare.intake.read([Message("spBv1.0/STATE/scada", b"{}", AT)], [], [])
    assert bare.counters.messages_read == 1


def test_births_beyond_the_memory_limit_are_refused_and_a_death_makes_room() -> None:
    host, nodes = Host(), [EdgeNode(f"line{each}") for each in range(3)]
    with patch("edge.core.intake.sparkplug.nodes.MOST_BYTES", 14_000):
        for node in nodes:
            host.hear(node.nbirth(*[metric(1, name=f"metric{each}") for each in range(5)]))
        assert host.refused == {"too_many_metrics": 1}
        host.hear(nodes[0].ndeath(), nodes[2].nbirth(metric(1, name="x")))
    assert host.refused == {"too_many_metrics": 1}


def test_the_memory_of_nodes_ends_with_them() -> None:
    host, node = Host(), EdgeNode()
    host.hear(node.nbirth(metric(1, name="x")), node.message("DBIRTH", metric(1, name="y"), device="a"), node.ndeath())
    assert host.pipeline.sparkplug.nodes.size == 0
