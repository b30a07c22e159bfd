"""The real command with sinks: events arrive at sinks, too, and health, status and reloads include them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from http_receivers import Answer, WebhookReceiver
from running import Consumer, RunningService, configuration, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

MakeService = Callable[[str], RunningService]
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
WEBHOOK = '[[sink]]\nkind = "webhook"\nurl = "http://127.0.0.1:{}/"\ntimeout_s = 2.0\n'


def is_online(consumer: Consumer) -> bool:
    return (consumer.latest("/status") or {}).get("state") == "online"


def spike(index: int) -> str:
    return json.dumps({"ts": 1_700_000_000 + 10 * index, "value": 99.0})


def of_incidents(receiver: WebhookReceiver) -> list[dict[str, Any]]:
    """The events of incidents that have arrived, without announcements of new sensors."""
    return [each for each in receiver.received() if ".incident." in each["type"]]


@pytest.mark.long
def test_an_event_goes_to_the_broker_and_to_the_sink_and_health_reports_both(
    make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer, receiver: WebhookReceiver
) -> None:
    service = make_service(configuration(own_mosquitto.port) + WEBHOOK.format(receiver.port)).start()
    wait_until(lambda: is_online(consumer), what="the start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, spike(200)])
    (event,) = wait_until(consumer.events, what="the event at the broker")
    (copy,) = wait_until(lambda: of_incidents(receiver), what="the event at the sink")
    assert copy == event
    health = wait_until(
        lambda: (found := consumer.latest("/health")) and found["sinks"]["webhook"]["delivered"] and found, 30, "health"
    )
    assert health["sinks"]["webhook"]["connected"] is True
    assert service.end() == 0


@pytest.mark.long
def test_a_sink_that_is_added_by_a_reload_gets_events_from_then_on(
    make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer, receiver: WebhookReceiver
) -> None:
    service = make_service(configuration(own_mosquitto.port)).start()
    wait_until(lambda: is_online(consumer), what="the start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, spike(200)])
    wait_until(consumer.events, what="the first event")
    service.path.write_text(service.path.read_text() + WEBHOOK.format(receiver.port))
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "sink_connected sink=webhook" in service.log.read_text(), 30, "the sink")
    consumer.publish_all("plant/fan/speed", [*NORMAL, spike(200)])
    wait_until(lambda: of_incidents(receiver), 30, "the event at the sink")
    assert {each["subject"] for each in of_incidents(receiver)} == {"plant/fan/speed"}
    assert service.end() == 0


@pytest.mark.long
def test_an_unavailable_receiver_delays_neither_the_broker_nor_the_end(
    make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer, receiver: WebhookReceiver
) -> None:
    receiver.kill()
    service = make_service(configuration(own_mosquitto.port) + WEBHOOK.format(receiver.port)).start()
    wait_until(lambda: is_online(consumer), what="the start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, spike(200)])
    wait_until(consumer.events, what="the event at the broker")
    assert service.end() == 0
    receiver.start()
    service.start()
    wait_until(receiver.received, 60, "the event at the sink after a restart")
    assert service.end() == 0


@pytest.mark.long
def test_reloads_add_remove_and_rename_sinks_and_rotate_a_token_without_affecting_the_others(
    make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer, receiver: WebhookReceiver
) -> None:
    token = ["first"]

    def answer(event: dict[str, Any]) -> Answer:
        return Answer(204 if f"Bearer {token[0]}" in receiver.tokens else 401)

    receiver.answer = answer
    others = WebhookReceiver()
    others.start()
    base = configuration(own_mosquitto.port)
    service = make_service(base)
    (service.folder / "token").write_text("first\n")
    guarded = WEBHOOK.format(receiver.port) + 'name = "guarded"\ntoken_file = "token"\n'

    def renamed(name: str) -> str:
        return WEBHOOK.format(others.port) + f'name = "{name}"\n'

    def reload_with(text: str, line: str) -> None:
        assert service.process is not None
        count = service.log.read_text().count(line)
        service.path.write_text(text)
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: service.log.read_text().count(line) > count, 60, line)

    service.path.write_text(base + guarded + renamed("old"))
    service.start()
    wait_until(lambda: is_online(consumer), what="the start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, spike(200)])
    wait_until(lambda: of_incidents(receiver) and of_incidents(others), 60, "the event at both sinks")

    token[0] = "renewed-secret"
    receiver.tokens.clear()
    consumer.publish_all("plant/fan/speed", [*NORMAL, spike(200)])
    wait_until(lambda: "sink_trouble sink=guarded" in service.log.read_text(), 60, "the refusal of the old token")
    (service.folder / "token").write_text("renewed-secret\n")
    reload_with(base + guarded + renamed("new"), "sink_connected sink=new")
    wait_until(lambda: {each["subject"] for each in of_incidents(receiver)} >= {"plant/fan/speed"}, 60, "what waited")
    assert "sink_removed sink=old" in service.log.read_text()

    reload_with(base + guarded, "sink_removed sink=new")
    consumer.publish_all("plant/saw/depth", [*NORMAL, spike(200)])
    wait_until(
        lambda: {each["subject"] for each in of_incidents(receiver)} >= {"plant/saw/depth"}, 60, "the last event"
    )
    assert "plant/saw/depth" not in {each["subject"] for each in of_incidents(others)}
    log = service.log.read_text()
    assert "renewed-secret" not in log
    assert log.count("sink_started sink=guarded") == 2  # at the start, and for the new token
    assert service.end() == 0
    others.close()


def test_clients_of_sinks_are_loaded_only_if_a_sink_needs_them() -> None:
    program = (
        "import sys, edge.shell.service.starting, edge.shell.sinks.kinds;"
        "print(sorted({'pika', 'confluent_kafka'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


def test_a_sink_whose_package_is_missing_is_reported_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from config.loading import parse
    from config.problems import ConfigurationError
    from config.tables import sinks

    monkeypatch.setattr(sinks, "find_spec", lambda _: None)
    text = configuration(1883) + '[[sink]]\nkind = "kafka"\nbrokers = ["h:9092"]\ntopic = "t"\n'
    with pytest.raises(ConfigurationError) as error:
        parse(text)
    (problem,) = error.value.problems
    assert (problem.key, problem.message) == (
        "sink[0].kind",
        "needs a package for kafka: pip install 'edgewarden[kafka]'",
    )
