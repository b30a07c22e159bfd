"""Home Assistant discovers sensors and the gateway on a real broker, through restarts and kills of all of them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from running import Consumer, RunningService, configuration, wait_until

pytest.importorskip("jinja2")
pytest.importorskip("voluptuous")

from home_assistant import Entity, HomeAssistant

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]
TEMP = "plant/pump: temp (binary_sensor)"
GATEWAY = "Edgewarden gw"
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": 1_700_000_000 + 10 * index, "value": value})


@pytest.fixture
def make_assistant(own_mosquitto: EmbeddedBroker) -> Iterator[Callable[[], HomeAssistant]]:
    made: list[HomeAssistant] = []

    def make() -> HomeAssistant:
        made.append(HomeAssistant(own_mosquitto.port))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def assistant(make_assistant: Callable[[], HomeAssistant]) -> HomeAssistant:
    return make_assistant()


@pytest.fixture
def service(make_service: MakeService, own_mosquitto: EmbeddedBroker) -> RunningService:
    return make_service(told(own_mosquitto))


def told(broker: EmbeddedBroker, more: str = "enabled = true", **tables: str) -> str:
    return configuration(broker.port, commands="enabled = true", homeassistant=more, **tables)


def is_ready(consumer: Consumer) -> None:
    """Wait until the service has subscribed to the plant's topics."""
    wait_until(lambda: (consumer.latest("gw/status") or {}).get("state") == "online", 30, "the service's start")


def seen(assistant: HomeAssistant, entity: str, state: str | None = None) -> Entity:
    """An entity, once Home Assistant has discovered it and shows a state."""

    def found() -> Entity | None:
        each = assistant.look().get(entity)
        return each if each is not None and state in {None, each.state} else None

    return wait_until(found, 30, f"{entity} {state} among {[*assistant.look()]}, {assistant.complaints}")


def test_sensors_and_their_incidents_are_discovered_automatically(
    assistant: HomeAssistant, service: RunningService
) -> None:
    service.start()
    seen(assistant, f"{GATEWAY}: Connection (binary_sensor)", "ON")
    seen(assistant, f"{GATEWAY}: Any incident (binary_sensor)", "OFF")
    assistant.consumer.publish_all("plant/pump/temp", NORMAL)
    entity = seen(assistant, TEMP, "OFF")
    assert entity.config["device_class"] == "problem"
    assert entity.attributes == {"since": None}
    assert entity.device["via_device"] == "edgewarden_gw"
    assistant.consumer.publish_all("plant/pump/temp", [reading(200, 99.0)])
    entity = seen(assistant, TEMP, "ON")
    assert "99" in entity.attributes["message"]
    assert entity.attributes["since"] == "2023-11-14T22:46:40.000Z"
    assert entity.attributes["severity"] > 0
    events = seen(assistant, "plant/pump: temp events (event)").happened
    assert [each["event_type"] for each in wait_until(lambda: assistant.look() and events)] == ["raised"]
    assert (events[0]["sensor"], events[0]["message"]) == ("plant/pump/temp", entity.attributes["message"])
    assert seen(assistant, f"{GATEWAY}: Incident events (event)").happened == events
    listed = seen(assistant, f"{GATEWAY}: Open incidents (sensor)", "1")
    assert [each["sensor"] for each in listed.attributes["incidents"]] == ["plant/pump/temp"]
    assistant.consumer.publish_all("plant/pump/temp", [reading(201 + i, 20 + i % 5 / 10) for i in range(100)])
    assert seen(assistant, TEMP, "OFF").attributes["since"] > "2023-11-14T22:46:40.000Z"
    seen(assistant, f"{GATEWAY}: Open incidents (sensor)", "0")
    assert service.end() == 0
    assert assistant.complaints == []


def test_a_service_that_goes_away_is_unavailable_and_comes_back_once(
    assistant: HomeAssistant, service: RunningService
) -> None:
    service.start()
    is_ready(assistant.consumer)
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[:30])
    entity = seen(assistant, TEMP, "OFF")
    connection = f"{GATEWAY}: Connection (binary_sensor)"
    assert assistant.is_available(entity)
    service.end(signal.SIGKILL)
    seen(assistant, connection, "OFF")
    assert not assistant.is_available(entity)
    before, entities = dict(assistant.discoveries), len(assistant.entities)
    service.start()
    seen(assistant, connection, "ON")
    wait_until(
        lambda: assistant.look() and all(assistant.discoveries[each] == before[each] + 1 for each in before),
        30,
        "the second round",
    )
    assert len(assistant.entities) == entities
    assert assistant.is_available(seen(assistant, TEMP, "OFF"))
    assert service.end() == 0
    wait_until(lambda: assistant.look()[connection].state == "OFF", what="the goodbye")
    assert assistant.complaints == []


def test_a_broker_that_lost_its_memory_gets_everything_again(
    start_mosquitto: Callable[[], Any], make_service: MakeService
) -> None:
    broker = start_mosquitto()
    service = make_service(told(broker)).start()
    consumer = Consumer(broker.port, "edgewarden/#")
    is_ready(consumer)
    consumer.publish_all("plant/pump/temp", NORMAL[:30])
    first = HomeAssistant(broker.port)
    seen(first, TEMP, "OFF")
    first.close()
    consumer.close()
    broker.kill()  # without persistence, all retained messages are gone
    broker.start()
    second = HomeAssistant(broker.port)
    seen(second, TEMP, "OFF")
    seen(second, f"{GATEWAY}: Connection (binary_sensor)", "ON")
    assert second.complaints == []
    second.close()
    assert service.end() == 0


def test_a_home_assistant_that_starts_gets_everything_again(assistant: HomeAssistant, service: RunningService) -> None:
    service.start()
    is_ready(assistant.consumer)
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[:30])
    seen(assistant, TEMP, "OFF")
    before = dict(assistant.discoveries)
    assistant.started("offline")
    for _ in range(5):
        assistant.started()
    wait_until(
        lambda: assistant.look() and all(assistant.discoveries[each] > before[each] for each in before),
        40,
        "the round after its start",
    )
    assert assistant.discoveries == {each: count + 1 for each, count in before.items()}
    assert "homeassistant_started" in service.log.read_text()
    assert service.end() == 0


def test_a_forgotten_sensor_is_gone_even_after_a_kill(
    assistant: HomeAssistant, service: RunningService, make_assistant: Callable[[], HomeAssistant]
) -> None:
    service.start()
    is_ready(assistant.consumer)
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[:30])
    assistant.consumer.publish_all("plant/fan/speed", NORMAL[:30])
    seen(assistant, TEMP, "OFF")
    seen(assistant, "plant/fan: speed (binary_sensor)", "OFF")
    command = {"id": "1", "sensor": "plant/pump/*"}
    assistant.consumer.publish("edgewarden/gw/command/forget", json.dumps(command))
    wait_until(lambda: assistant.consumer.latest("/result"), what="the answer")
    service.end(signal.SIGKILL)
    service.start()
    wait_until(lambda: TEMP not in assistant.look(), 30, "that it is gone")
    another = make_assistant()
    seen(another, "plant/fan: speed (binary_sensor)", "OFF")
    assert [each for each in another.look() if "plant/pump" in each] == []
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[30:60])
    seen(assistant, TEMP, "OFF")
    assert service.end() == 0
    assert assistant.complaints == []


def test_sensors_known_before_are_announced_and_disabling_it_removes_all(
    assistant: HomeAssistant, make_service: MakeService, own_mosquitto: EmbeddedBroker
) -> None:
    service = make_service(configuration(own_mosquitto.port)).start()
    is_ready(assistant.consumer)
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[:30])
    wait_until(lambda: (assistant.consumer.latest("/health") or {}).get("sensors") == 1, what="the sensor")
    assert service.end() == 0
    assert assistant.look() == {}
    service.path.write_text(told(own_mosquitto))
    service.start()
    seen(assistant, TEMP, "OFF")
    service.path.write_text(told(own_mosquitto, "enabled = false"))
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not assistant.look(), 30, "that all is gone")
    service.path.write_text(told(own_mosquitto, 'sensors = ["**/temp"]\nevents = false'))
    service.process.send_signal(signal.SIGHUP)
    seen(assistant, TEMP, "OFF")
    assert not [each for each in assistant.look() if each.startswith("plant/") and "(event)" in each]
    assert service.end() == 0
    assert assistant.complaints == []


def test_discovery_messages_are_not_input_of_a_gateway_that_subscribes_to_everything(
    assistant: HomeAssistant, make_service: MakeService, own_mosquitto: EmbeddedBroker
) -> None:
    text = told(own_mosquitto).replace('topic = "plant/#"', 'topic = "#"')
    service = make_service(text).start()
    is_ready(assistant.consumer)
    assistant.consumer.publish_all("plant/pump/temp", NORMAL[:30])
    seen(assistant, TEMP, "OFF")
    assistant.started()
    health = wait_until(
        lambda: (each := assistant.consumer.latest("/health")) and each["sensors"] and each["messages_own"] and each,
        what="health",
    )
    assert (health["sensors"], health["messages_refused"], health["readings_refused"]) == (1, {}, {})
    assert service.end() == 0


def test_where_events_go_to_another_broker_home_assistant_is_served_there(
    start_mosquitto: Callable[[], Any], make_service: MakeService, own_mosquitto: EmbeddedBroker
) -> None:
    upstream = start_mosquitto()
    service = make_service(told(own_mosquitto, upstream=f'host = "127.0.0.1"\nport = {upstream.port}')).start()
    assistant, plant = HomeAssistant(upstream.port), Consumer(own_mosquitto.port, "homeassistant/#")
    is_ready(assistant.consumer)
    plant.publish_all("plant/pump/temp", NORMAL[:30])
    seen(assistant, TEMP, "OFF")
    before = dict(assistant.discoveries)
    assistant.started()
    wait_until(
        lambda: assistant.look() and all(assistant.discoveries[each] > before[each] for each in before), 40, "the round"
    )
    assert service.end() == 0
    assert (plant.poll(), assistant.complaints) == ([], [])
    assistant.close()
    plant.close()
