"""Commands of the operator: the real command line, a real broker, a real kill."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable

import pytest
from running import Consumer, RunningService, configuration, run_command, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

MakeService = Callable[[str], RunningService]
SENSOR = "plant/pump/temp"
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": 1_700_000_000 + 10 * index, "value": value})


@pytest.fixture
def service(make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer) -> RunningService:
    made = make_service(configuration(own_mosquitto.port, commands="enabled = true")).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
    return made


def edgewarden(service: RunningService, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command(service.folder, *arguments)


@pytest.mark.long
def test_commands_of_the_operator_work_on_the_command_line_and_through_a_kill(
    service: RunningService, consumer: Consumer
) -> None:
    consumer.publish_all(SENSOR, [*NORMAL, reading(200, 99.0)])
    wait_until(consumer.events, what="the event")
    done = edgewarden(service, "tell", "--json", "--by", "ada", "acknowledge", SENSOR)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"]
    done = edgewarden(service, "tell", "--comment", "loose", "mute", "plant/*/temp", "--until", "3d")
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(lambda: len(consumer.events()) == 3, what="acknowledged and shelved")
    assert [each["data"]["transition"] for each in consumer.events()] == ["raised", "acknowledged", "shelved"]
    service.end(signal.SIGKILL)
    service.start()
    wait_until(lambda: (consumer.latest("/shelved") or {}).get("sensors_quiet") == 1, what="the shelf after the kill")
    shown = edgewarden(service, "shelved")
    assert "plant/*/temp" in shown.stdout
    assert "loose" in shown.stdout
    done = edgewarden(service, "tell", "unmute", "plant/*/temp")
    assert done.returncode == 0, done.stderr
    done = edgewarden(service, "tell", "normal", SENSOR)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: len({each["id"] for each in consumer.events()}) == 5, what="unshelved and expired")
    said = {each["data"]["transition"]: each["data"] for each in consumer.events()}
    assert all(said[each]["acknowledged"] for each in ("shelved", "unshelved", "expired"))
    refused = edgewarden(service, "tell", "unmute", SENSOR)
    assert (refused.returncode, "not_shelved" in refused.stderr) == (1, True)


@pytest.mark.long
def test_a_retained_command_is_refused(
    service: RunningService, consumer: Consumer, own_mosquitto: EmbeddedBroker
) -> None:
    service.end()
    topic = "edgewarden/gw/command/shelve"
    consumer.publish(topic, json.dumps({"sensor": "**", "until": "1h", "id": "kept"}), retain=True)
    late = Consumer(own_mosquitto.port, "edgewarden/gw/result")
    # A session that never subscribed before receives the message as retained.
    port = f"port = {own_mosquitto.port}"
    service.path.write_text(service.path.read_text().replace(port, f'{port}\nclient_id = "new"'))
    service.start()
    answer = wait_until(lambda: late.latest("/result"), what="the answer")
    late.close()
    assert (answer["ok"], answer["reason"], answer["id"]) == (False, "retained", "kept")


def test_commands_are_not_announced_where_they_are_disabled(
    make_service: MakeService, own_mosquitto: EmbeddedBroker
) -> None:
    made = make_service(configuration(own_mosquitto.port))
    done = edgewarden(made, "tell", "mute", "a", "--until", "1h")
    assert (done.returncode, "commands.enabled" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "wrong",
    [
        ("mute", "a", "--until", "soon"),
        ("acknowledge",),
        ("maintenance", "a", "--name", "m"),
        ("maintenance", "a", "--name", "m", "--every", "Mon 06:00-08:00", "--to", "2h"),
    ],
)
def test_an_invalid_command_line_ends_with_2(
    wrong: tuple[str, ...], make_service: MakeService, own_mosquitto: EmbeddedBroker
) -> None:
    made = make_service(configuration(own_mosquitto.port, commands="enabled = true"))
    assert edgewarden(made, "tell", *wrong).returncode == 2


def test_a_stopped_service_gives_no_answer(make_service: MakeService, own_mosquitto: EmbeddedBroker) -> None:
    made = make_service(configuration(own_mosquitto.port, commands="enabled = true"))
    done = edgewarden(made, "tell", "--timeout", "1", "unmute", "a")
    assert (done.returncode, "no answer" in done.stderr) == (1, True)
