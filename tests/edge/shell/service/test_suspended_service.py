"""A service that is suspended, as by a laptop's sleep or a virtual machine's pause, while its sensors go on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest
from running import Consumer, RunningService, configuration, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

SENSORS = tuple(f"plant/{each}/temp" for each in "abcdef")


def live(consumer: Consumer, seconds: float, *sensors: str) -> None:
    """Send a value of each sensor every half second, without a time of its own; half of them with QoS 0."""
    for number in range(int(2 * seconds)):
        for place, sensor in enumerate(sensors):
            consumer.publish(sensor, str(20 + (number + place) % 5), qos=place % 2)
        time.sleep(0.5)


def silent(consumer: Consumer) -> set[str]:
    return {each["subject"] for each in consumer.events() if each["data"]["kind"] == "missing"}


def test_sensors_that_went_on_while_the_service_was_suspended_are_not_silent_and_one_that_ended_then_is(
    own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: Callable[[str], RunningService]
) -> None:
    service = make_service(configuration(own_mosquitto.port)).start()
    wait_until(lambda: consumer.latest("/status"), what="the service's start")
    live(consumer, 20, *SENSORS)
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGSTOP)
    live(consumer, 20, *SENSORS[1:])
    os.kill(service.process.pid, signal.SIGCONT)
    for _ in range(60):
        live(consumer, 1, *SENSORS[1:])
        if silent(consumer):
            break
    assert silent(consumer) == {SENSORS[0]}
    assert "held_up seconds=2" in service.log.read_text()
    assert service.end() == 0
