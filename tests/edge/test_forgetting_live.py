"""Sensors that are forgotten on a real broker, through a kill, and what the commands report afterwards."""

from __future__ import annotations

import csv
import json
import signal
import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from running import Consumer, RunningService, configuration, wait_for_input, wait_until

from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]
BEGAN = time.time() - 3600
NORMAL = [json.dumps({"ts": BEGAN + 10 * each, "value": 20 + each % 7 / 10}) for each in range(120)]


def is_online(consumer: Consumer) -> bool:
    return (consumer.latest("/status") or {}).get("state") == "online"


def run(service: RunningService, *arguments: str) -> Result:
    command, *more = arguments
    done = CliRunner().invoke(main, [command, "--config", str(service.path), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def sensors_of(service: RunningService) -> set[str]:
    return {each["sensor"] for each in csv.DictReader(run(service, "export").stdout.splitlines())}


def transitions(consumer: Consumer) -> list[str]:
    return [json.loads(payload)["type"] for topic, payload, _ in consumer.poll() if topic.endswith("/sensors")]


def test_a_sensor_forgotten_by_command_stays_forgotten_through_a_kill_and_is_new_when_it_reports_again(
    own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService
) -> None:
    service = make_service(configuration(own_mosquitto.port, commands="enabled = true")).start()
    wait_for_input(consumer, service)
    for topic in ("plant/pump/temp", "plant/fan/speed"):
        consumer.publish_all(topic, NORMAL[:60])
    wait_until(lambda: (consumer.latest("/health") or {}).get("readings_taken") == 120, 90, "taking all readings")
    consumer.publish("edgewarden/gw/command/forget", json.dumps({"id": "1", "sensor": "plant/pump/*"}))
    wait_until(lambda: consumer.latest("/result"), 60, "the answer")
    service.end(signal.SIGKILL)
    listed = run(service, "sensors").stdout
    assert "plant/fan/speed" in listed
    assert "plant/pump" not in listed
    service.start()
    wait_until(lambda: "io.edgewarden.sensor.forgotten.v1" in transitions(consumer), 60, "being told of")
    consumer.publish_all("plant/pump/temp", NORMAL[60:90])
    wait_until(lambda: (consumer.latest("/health") or {}).get("readings_taken") == 30, 90, "the new readings")
    assert service.end() == 0
    assert "plant/pump/temp" in run(service, "sensors").stdout
    assert sensors_of(service) == {"plant/pump/temp", "plant/fan/speed"}
    assert transitions(consumer).count("io.edgewarden.sensor.discovered.v1") >= 2
    report = service.folder / "report.html"
    run(service, "backtest", "--store", str(service.folder / "edgewarden.db"), "--output", str(report))
    assert "plant/pump/temp" in report.read_text()
