"""The table `[kafka]`: which keys can be combined, checked before anything is opened."""

from __future__ import annotations

import pytest

from config.loading import parse
from config.problems import ConfigurationError
from config.schema import Configuration
from edge.shell.link.kafka.no_broker import NoBroker
from edge.shell.service.assembly.parts import inbound_link, outbound_link, service_options

KAFKA = '[kafka]\nbrokers = ["k1:9092", "k2:9093"]\n'
INPUT = '[[input]]\ntopic = "plant/#"\n'
SINK = '[[sink]]\nkind = "webhook"\nurl = "https://h/x"\n'
UPSTREAM = '[upstream]\nhost = "mqtt"\n'


def configured(text: str) -> Configuration:
    return parse(text).configuration


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        parse(text)
    return [f"{each.key}: {each.message}" for each in error.value.problems]


def test_a_cluster_and_a_sink_are_sufficient() -> None:
    configuration = configured(KAFKA + INPUT + SINK)
    options = service_options(configuration, "one")
    link = inbound_link(configuration, options, lambda: 0.0)
    assert (link.options.host, link.options.port, link.options.client_id) == ("k1", 9092, "gateway")
    assert isinstance(outbound_link(configuration, options, lambda: 0.0, link), NoBroker)


def test_events_go_to_the_upstream_broker_if_there_is_one() -> None:
    configuration = configured(KAFKA + INPUT + UPSTREAM)
    options = service_options(configuration, "one")
    link = inbound_link(configuration, options, lambda: 0.0)
    assert outbound_link(configuration, options, lambda: 0.0, link).options.host == "mqtt"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (KAFKA + INPUT, "kafka: needs an [upstream] or a [[sink]]: events would go nowhere"),
        (
            KAFKA + INPUT + SINK + '[broker]\nhost = "m"\n',
            "kafka: must not be given where [broker] is: readings come from one of them",
        ),
        (
            KAFKA + SINK + '[[input]]\ntopic = "+/x"\n',
            "input[0].topic: must begin with the name of a Kafka topic, without a wildcard, for [kafka]",
        ),
        (
            KAFKA + SINK + '[[input]]\ntopic = "ofen 3/#"\n',
            "input[0].topic: must begin with the name of a Kafka topic, which must be 1 to 249 letters",
        ),
        (
            KAFKA + INPUT + SINK + "[commands]\nenabled = true\n",
            "commands.enabled: must be false with [kafka]: commands come from [broker]; the page has buttons for them",
        ),
        (
            KAFKA + INPUT + SINK + "[homeassistant]\n",
            "homeassistant: needs an MQTT broker: with [kafka] name it in [upstream]",
        ),
        (
            "[kafka]\nbrokers = []\n" + INPUT + SINK,
            'kafka.brokers: must not be empty: write one or more, such as ["127.0.0.1:9092"]',
        ),
        (
            '[kafka]\nbrokers = ["k1"]\n' + INPUT + SINK,
            "kafka.brokers[0]: must be a host and a port, such as kafka.local:9092",
        ),
        (KAFKA + "session_s = 1\n" + INPUT + SINK, "kafka.session_s: must be at least 6, is 1"),
        (
            KAFKA + 'group = " x"\n' + INPUT + SINK,
            "kafka.group: must be 1 to 249 printable characters, without spaces around them",
        ),
        (KAFKA + 'password_env = "P"\n' + INPUT + SINK, "kafka.password_env: needs username too"),
    ],
)
def test_keys_that_exclude_each_other_are_reported(text: str, problem: str) -> None:
    assert any(each.startswith(problem) for each in problems(text)), problems(text)


def test_workers_of_one_group_have_different_names() -> None:
    text = f'[gateway]\nname = "w2"\n{KAFKA}group = "plant"\n{INPUT}{SINK}'
    configuration = configured(text)
    link = inbound_link(configuration, service_options(configuration, "one"), lambda: 0.0)
    assert link.options.client_id == "w2"
