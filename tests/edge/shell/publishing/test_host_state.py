"""The state of a Sparkplug host application, on a real broker, as seen by an edge node that waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from running import Consumer, RunningService, wait_until

from config.loading import parse
from config.problems import ConfigurationError
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import LinkOptions
from edge.shell.publishing.host_state import Host, HostState, HostStates

TOPIC = "spBv1.0/STATE/scada"
CONFIGURATION = """
[gateway]
name = "gw"
[broker]
port = {port}
[store]
durability = "process"
[[input]]
convention = "sparkplug"
{more}
"""


class Node:
    """An edge node that listens to its primary host."""

    def __init__(self, port: int) -> None:
        self.consumer = Consumer(port, "spBv1.0/STATE/+")

    def states(self) -> list[tuple[bool, int]]:
        """The published states: whether the host is online, and the time of the state in milliseconds."""
        said = [(topic, json.loads(payload)) for topic, payload, _ in self.consumer.poll()]
        assert all(topic == TOPIC and each.keys() == {"online", "timestamp"} for topic, each in said)
        return [(each["online"], each["timestamp"]) for _, each in said]

    def wait_for(self, *expected: bool) -> list[tuple[bool, int]]:
        wait_until(lambda: [online for online, _ in self.states()] == list(expected), 60, f"{expected}")
        return self.states()


@pytest.fixture
def node(own_mosquitto: EmbeddedBroker) -> Iterator[Node]:
    made = Node(own_mosquitto.port)
    yield made
    made.consumer.close()


@pytest.fixture
def start_host(own_mosquitto: EmbeddedBroker) -> Iterator[Callable[..., HostState]]:
    made: list[HostState] = []

    def start(listening: Callable[[], bool] = lambda: True, **more: Any) -> HostState:
        options = LinkOptions(port=own_mosquitto.port, client_id="gw-scada", first_delay_s=0.1, longest_delay_s=0.5)
        made.append(HostState(Host("scada", options), listening, time.time, **more))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop()


def test_tck_host_topic_phid_birth_is_retained_and_death_has_a_later_time(
    own_mosquitto: EmbeddedBroker, node: Node, start_host: Callable[..., HostState]
) -> None:
    before = time.time() * 1000 - 1
    host = start_host()
    ((_, born),) = node.wait_for(True)
    assert before <= born <= time.time() * 1000
    late = Consumer(own_mosquitto.port, TOPIC)
    ((_, payload, retained),) = wait_until(late.poll, 30, "the retained state")
    assert (json.loads(payload), retained) == ({"online": True, "timestamp": born}, True)
    late.close()
    host.stop()
    (_, (_, died)) = node.wait_for(True, False)
    assert died >= born


def test_tck_message_flow_phid_state_is_published_once_births_are_subscribed_to(
    node: Node, start_host: Callable[..., HostState]
) -> None:
    listens: list[bool] = []
    asked: list[bool] = []

    def listening() -> bool:
        asked.append(True)
        return bool(listens)

    start_host(listening)
    wait_until(lambda: len(asked) > 3, 30, "asking whether births are subscribed to")
    assert node.states() == []
    listens.append(True)
    node.wait_for(True)
    listens.clear()
    node.wait_for(True, False)


def test_tck_message_flow_hid_state_is_published_again_when_another_client_denies_it(
    node: Node, start_host: Callable[..., HostState]
) -> None:
    start_host()
    ((_, born),) = node.wait_for(True)
    node.consumer.publish(TOPIC, json.dumps({"online": False, "timestamp": 1}), retain=True)
    states = node.wait_for(True, False, True)
    assert states[-1][1] > born
    node.consumer.publish("spBv1.0/STATE/scada", b'{"online": "no", "timestamp": 1}')
    assert [online for online, _ in node.states()].count(True) == 2


def test_a_broker_that_comes_back_gets_it_again_with_the_time_of_the_new_will(
    own_mosquitto: EmbeddedBroker, node: Node, start_host: Callable[..., HostState]
) -> None:
    start_host()
    ((_, born),) = node.wait_for(True)
    own_mosquitto.stop()
    own_mosquitto.start()
    wait_until(lambda: node.states()[-1] > (True, born), 60, "the new birth")


@pytest.mark.long
def test_states_of_a_service_that_is_killed_restarted_and_stopped(
    own_mosquitto: EmbeddedBroker, node: Node, make_service: Callable[[str], RunningService]
) -> None:
    service = make_service(CONFIGURATION.format(port=own_mosquitto.port, more='host_id = "scada"')).start()
    ((_, born),) = node.wait_for(True)
    service.kill()
    assert node.wait_for(True, False)[-1] == (False, born)
    service.start()
    node.wait_for(True, False, True)
    assert service.end() == 0
    states = node.wait_for(True, False, True, False)
    assert [at for _, at in states] == sorted(at for _, at in states)


def test_hosts_of_another_configuration_take_over(own_mosquitto: EmbeddedBroker, node: Node) -> None:
    hosts = HostStates(lambda: True, time.time)
    options = LinkOptions(port=own_mosquitto.port, client_id="gw-scada")
    hosts.follow([Host("scada", options)])
    node.wait_for(True)
    hosts.follow([Host("scada", options)])
    hosts.follow([])
    node.wait_for(True, False)
    hosts.close()


@pytest.mark.parametrize("name", ["", "a/b", "+", "x#", "a\\u0007", "x" * 101])
def test_an_id_that_is_not_a_topic_level_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError) as fault:
        parse(CONFIGURATION.format(port=1883, more=f'host_id = "{name}"'))
    assert [each.key for each in fault.value.problems] == ["input[0].host_id"]


def test_only_sparkplug_has_hosts_and_they_affect_no_reading() -> None:
    with pytest.raises(ConfigurationError):
        parse('[[input]]\ntopic = "a"\nhost_id = "scada"\n')
    with_host, without = (
        parse(CONFIGURATION.format(port=1883, more=more)).configuration for more in ('host_id = "scada"', "")
    )
    assert with_host.inputs_digest() == without.inputs_digest()
