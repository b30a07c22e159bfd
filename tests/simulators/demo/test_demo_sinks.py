from __future__ import annotations

import tomllib

import pytest

from config.loading import parse
from simulators.demo.demo import CONFIGURATION
from simulators.demo.sinks import SinkUrlError, sink_tables

URLS = ["kafka://h:1/t.x", "kafka://h/t", "amqps://h/v", "mqtt://h", "mqtt://h:2", "http://h:3/a?b=c"]


def test_urls_become_tables_that_the_service_understands() -> None:
    pytest.importorskip("confluent_kafka")
    pytest.importorskip("pika")
    text = CONFIGURATION.format(gateway="g", port=1883) + sink_tables(URLS)
    sinks = parse(text).configuration.sinks
    assert [each.kind for each in sinks] == ["kafka", "kafka", "rabbitmq", "mqtt", "mqtt", "webhook"]
    assert (sinks[0].brokers, sinks[0].topic, sinks[1].brokers) == (("h:1",), "t.x", ("h:9092",))
    assert (sinks[3].port, sinks[4].port, sinks[5].url) == (1883, 2, "http://h:3/a?b=c")
    assert {each.begin for each in sinks} == {"beginning"}


def test_no_url_is_no_table() -> None:
    assert sink_tables([]) == ""


@pytest.mark.parametrize("url", ["", "x", "kafka://h", "kafka:///t", "ftp://h/t", "http://", "mqtt://h:port"])
def test_an_invalid_sink_is_reported(url: str) -> None:
    with pytest.raises(SinkUrlError, match="isn't a sink"):
        sink_tables([url])


def test_values_in_a_url_are_quoted() -> None:
    table = tomllib.loads(sink_tables(['kafka://h/a%22"b']))
    assert table["sink"][0]["topic"] == 'a""b'
