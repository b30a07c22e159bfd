"""Inputs whose topics overlap, with a real broker that delivers a message once for each subscription."""

from __future__ import annotations

import csv
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from running import Consumer, RunningService, wait_until

from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

INPUTS = """
[gateway]
name = "gw"
[broker]
port = {port}
[store]
durability = "process"
[[input]]
convention = "homeassistant-statestream"
[[input]]
convention = "esphome"
[[input]]
topic = "lab/b"
format = "number"
decimal = ","
[[input]]
topic = "lab/#"
format = "number"
"""


def test_a_message_that_several_inputs_match_gives_one_reading(
    own_mosquitto: EmbeddedBroker, make_service: Callable[[str], RunningService]
) -> None:
    service = make_service(INPUTS.format(port=own_mosquitto.port)).start()
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 60, "going online")
    topics = ("homeassistant/sensor/outside/state", "lab/b", "lab/c", "garage/sensor/t/state")
    for value in range(5):
        for topic in topics:
            consumer.publish(topic, f"{20 + value}")
    wait_until(
        lambda: (consumer.latest("/health") or {}).get("messages", 0) >= 5 * len(topics), 90, "reading all messages"
    )
    consumer.close()
    assert service.end() == 0
    exported = CliRunner().invoke(main, ["export", "--config", str(service.path)], catch_exceptions=False)
    rows = [(each["sensor"], float(each["value"])) for each in csv.DictReader(exported.stdout.splitlines())]
    for sensor in ("outside", "lab/b", "lab/c", "garage/t"):
        assert [value for name, value in rows if name == sensor] == [20.0, 21.0, 22.0, 23.0, 24.0]
