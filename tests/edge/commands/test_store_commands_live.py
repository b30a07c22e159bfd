"""Commands that read the store of a service that is running, was stopped, or was killed."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from running import Consumer, RunningService, configuration, wait_until

from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]


@pytest.fixture
def service(make_service: MakeService, own_mosquitto: EmbeddedBroker) -> RunningService:
    return make_service(configuration(own_mosquitto.port))


def edgewarden(service: RunningService, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--config", str(service.path)], catch_exceptions=False)


def test_a_running_a_stopped_and_a_killed_service_are_distinguished(
    service: RunningService, own_mosquitto: EmbeddedBroker
) -> None:
    assert edgewarden(service, "status").exit_code == 3
    service.start()
    wait_until(lambda: edgewarden(service, "status").exit_code == 0, what="a well service")
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    readings = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
    consumer.publish_all("plant/pump", [*readings, '{"ts": 1700002000, "value": 99}', "Online"])
    wait_until(consumer.events, what="the incident")
    wait_until(lambda: "plant/pump" in edgewarden(service, "deadletters", "--json").stdout, what="the dead letter")
    (incident,) = [json.loads(line) for line in edgewarden(service, "open", "--json").stdout.splitlines()]
    assert incident["id"] == consumer.events()[0]["id"]
    (sensor,) = [json.loads(line) for line in edgewarden(service, "sensors", "--json").stdout.splitlines()]
    assert (sensor["sensor"], sensor["readings"], sensor["value"]) == ("plant/pump", 201, 99.0)
    consumer.close()
    said = service.log.read_text()
    assert said.count("first_message input='plant/#' topic='plant/pump'") == 1
    assert "raised sensor='plant/pump' severity=" in said
    assert "refused reason=malformed count=1 input='plant/#' topic='plant/pump'" in said

    assert service.end() == 0
    stopped = edgewarden(service, "status", "--json")
    assert stopped.exit_code == 3
    found = json.loads(stopped.stdout)
    assert (found["running"], found["said"]["state"], found["open_incidents"]) == (False, "stopped", 1)
    assert found["said"]["refused"][0]["payload"] == "Online"
    assert "stopped" in edgewarden(service, "open").stdout

    service.start()
    wait_until(lambda: edgewarden(service, "status").exit_code == 0, what="a well service again")
    assert service.process is not None
    service.process.send_signal(signal.SIGKILL)
    service.process.wait()
    killed = edgewarden(service, "status")
    assert killed.exit_code == 3
    assert "ended unexpectedly" in killed.stdout


def test_status_gives_the_reason_for_a_missing_broker_and_the_age_of_its_information(
    make_service: MakeService, free_port: int
) -> None:
    service = make_service(configuration(free_port))
    service.start()
    wait_until(lambda: "Connection refused" in edgewarden(service, "status").stdout, what="the reason")
    shown = edgewarden(service, "status").stdout
    assert " ago: no sensors, no readings learned from." in " ".join(shown.split())
    assert "nothing listens there" in " ".join(shown.split())
