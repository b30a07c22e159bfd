"""Sensors that a running service forgets because of their age: with Home Assistant, and when they come back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from running import RunningService, configuration, wait_for_input, wait_until

pytest.importorskip("jinja2")
pytest.importorskip("voluptuous")

from home_assistant import HomeAssistant

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

DAY_S = 86_400.0
NOW = time.time()
PUMP, FAN = "plant/pump: temp (binary_sensor)", "plant/fan: speed (binary_sensor)"
LIMITS = "forget_days = 90"


@pytest.fixture
def assistant(own_mosquitto: EmbeddedBroker) -> Iterator[HomeAssistant]:
    made = HomeAssistant(own_mosquitto.port)
    yield made
    made.close()


def readings(until: float, number: int) -> list[str]:
    """Readings every ten seconds, up to the given time."""
    return [json.dumps({"ts": until - 10 * (number - 1 - each), "value": 20 + each % 5 / 10}) for each in range(number)]


def of_sensors(assistant: HomeAssistant) -> list[tuple[str, str | None, list[str]]]:
    """The announcements of sensors: found or forgotten, why, and which."""
    told = [json.loads(payload) for topic, payload, _ in assistant.consumer.poll() if topic.endswith("/sensors")]
    return [
        (each["data"]["change"], each["data"]["reason"], [one["name"] for one in each["data"]["sensors"]])
        for each in told
    ]


def kept(broker: EmbeddedBroker, ending: str) -> list[str]:
    """Retained topics with the given ending, as received by a new subscriber."""
    late = HomeAssistant(broker.port)
    try:
        late.consumer.publish("plant/marker", "", qos=1)
        wait_until(lambda: any(topic.endswith("gw/status") for topic, *_ in late.consumer.poll()), what="the status")
        return [topic for topic, payload, retained in late.consumer.poll() if retained and payload and ending in topic]
    finally:
        late.close()


def test_a_sensor_that_was_silent_for_longer_than_forget_days_leaves_nothing_and_is_new_when_it_returns(
    own_mosquitto: EmbeddedBroker, make_service: Callable[[str], RunningService], assistant: HomeAssistant
) -> None:
    service = make_service(configuration(own_mosquitto.port, homeassistant="enabled = true", limits=LIMITS)).start()
    consumer, long_ago = assistant.consumer, NOW - 100 * DAY_S

    def latest(ending: str) -> dict[str, Any]:
        return consumer.latest(ending) or {}

    wait_for_input(consumer, service)
    for topic in ("plant/pump/temp", "plant/fan/speed"):
        consumer.publish_all(topic, readings(long_ago, 200))
    consumer.publish_all("plant/fan/speed", readings(NOW, 60))
    wait_until(lambda: assistant.look() and {PUMP, FAN} <= assistant.look().keys(), 60, "both sensors")
    wait_until(lambda: latest("gw/open").get("incidents"), 60, "an incident")
    state = "state/plant/pump/temp"
    wait_until(lambda: any(each for topic, each, _ in consumer.poll() if topic.endswith(state)), 60, "a state")

    wait_until(lambda: any(each[0] == "forgotten" for each in of_sensors(assistant)), 150, "being forgotten")
    assert of_sensors(assistant)[-1] == ("forgotten", "silent", ["plant/pump/temp"])
    wait_until(lambda: PUMP not in assistant.look(), 60, "the end of the entity")
    assert FAN in assistant.look()
    wait_until(lambda: not kept(own_mosquitto, "pump/temp"), 60, "the end of what was retained")
    wait_until(lambda: latest("gw/open").get("incidents") == [], 60, "the end of the incident")
    assert "sensors_forgotten sensors=1 silent_for_days=90" in service.log.read_text()

    found_before = [each for each in of_sensors(assistant) if each[0] == "discovered" and "plant/pump/temp" in each[2]]
    consumer.publish_all("plant/pump/temp", readings(NOW + 10, 3))
    wait_until(lambda: PUMP in assistant.look(), 90, "the entity's return")
    found = [each for each in of_sensors(assistant) if each[0] == "discovered" and "plant/pump/temp" in each[2]]
    assert len(found_before) == 1
    assert len(found) == 2
    assert service.end() == 0
    assert assistant.complaints == []
