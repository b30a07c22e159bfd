"""The service as a user runs it: the real command, a real broker, real files, real kills."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from brokers import Mosquitto
from running import Consumer, RunningService, configuration, wait_for_input, wait_until

from edge.core.incidents.events.event import event_json_schema
from edge.core.incidents.events.gaps import gap_json_schema
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.store import EventFilter, read_events

MakeService = Callable[[str], RunningService]
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": 1_700_000_000 + 10 * index, "value": value})


@pytest.fixture
def service(make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer) -> RunningService:
    made = make_service(configuration(own_mosquitto.port)).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
    return made


def test_a_reading_on_a_topic_becomes_an_event_on_a_topic(service: RunningService, consumer: Consumer) -> None:
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0), *[reading(i, 20.2) for i in range(201, 210)]])
    wait_until(lambda: consumer.events() and consumer.events()[-1]["data"]["transition"] == "cleared", what="the end")
    raised, *between, cleared = consumer.events()
    for event in (raised, *between, cleared):
        jsonschema.Draft202012Validator(event_json_schema()).validate(event)
    assert (raised["data"]["transition"], raised["data"]["value"]) == ("raised", 99.0)
    assert (cleared["data"]["transition"], cleared["data"]["incident"]) == ("cleared", raised["data"]["incident"])
    assert raised["subject"] == "plant/pump/temp"
    wait_until(lambda: (consumer.latest("/state/plant/pump/temp") or {}).get("state") == "ok", what="the state")
    assert service.end() == 0
    assert consumer.latest("/status") == wait_until(
        lambda: (status := consumer.latest("/status")) and status["state"] == "offline" and status, what="the goodbye"
    )


def test_a_late_subscriber_sees_the_open_incidents(
    service: RunningService, consumer: Consumer, own_mosquitto: EmbeddedBroker
) -> None:
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    wait_until(consumer.events, what="the event")
    wait_until(lambda: (consumer.latest("/open") or {}).get("count") == 1, what="the list")
    late = Consumer(own_mosquitto.port, "edgewarden/#")
    assert wait_until(lambda: late.latest("/open"), what="the retained list")["count"] == 1
    state = wait_until(lambda: late.latest("/state/plant/pump/temp"), what="the retained state")
    assert state["data"]["active"] is True
    assert all(retained for _, _, retained in late.messages)
    late.close()


def test_bad_input_becomes_a_dead_letter_and_affects_nothing_else(service: RunningService, consumer: Consumer) -> None:
    consumer.publish_all("plant/pump/temp", NORMAL[:100])
    for bad in (b"\xff\xfe garbage", b"{", b'{"value": 1e400}', b"[" * 100_000):
        consumer.publish("plant/pump/temp", bad)
    consumer.publish_all("plant/pump/temp", [*NORMAL[100:], reading(200, 99.0)])
    wait_until(consumer.events, what="the event")

    def letters_so_far() -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload, _ in consumer.poll() if topic.endswith("/deadletter")]

    letters = wait_until(lambda: len(found := letters_so_far()) >= 4 and found, what="the dead letters")
    assert len(letters) == 4
    assert base64.b64decode(letters[0]["beginning"]) == b"\xff\xfe garbage"
    service.end()
    health = wait_until(
        lambda: (latest := consumer.latest("/health")) and latest["messages"] == 205 and latest,
        what=f"the last word, {consumer.latest('/health')}",
    )
    assert health["readings_taken"] == 201
    assert health["messages_read"] + sum(health["messages_refused"].values()) == 205
    assert health["readings"] == health["readings_taken"] + sum(health["readings_refused"].values())


def test_an_invalid_configuration_ends_with_2_and_opens_nothing(tmp_path: Path, make_service: MakeService) -> None:
    service = make_service('gateway = 3\n[store]\npath = "x.db"\n').start()
    assert service.end(with_signal=0) == 2
    assert "gateway" in service.log.read_text()
    assert not (tmp_path / "x.db").exists()


@pytest.mark.long
def test_events_of_an_outage_arrive_in_order_when_the_broker_is_back(
    tmp_path: Path, own_mosquitto: EmbeddedBroker, make_service: MakeService
) -> None:
    upstream = EmbeddedBroker(tmp_path / "upstream", prefer="mosquitto")
    upstream.start()
    port = upstream.port
    service = RunningService(
        tmp_path, configuration(own_mosquitto.port, upstream=f'host = "127.0.0.1"\nport = {port}')
    ).start()
    health = Consumer(upstream.port, "edgewarden/gw/status")
    wait_until(lambda: health.latest("/status"), what="the service's start")
    producer = Consumer(own_mosquitto.port, "nothing")
    wait_for_input(producer, service, "plant/pump/temp", NORMAL[0])
    health.close()
    upstream.stop()
    readings = list(NORMAL)
    for round_ in range(10):
        start = 200 + 10 * round_
        readings += [reading(start, 500.0 * 3**round_), *[reading(start + i, 20.2) for i in range(1, 10)]]
    producer.publish_all("plant/pump/temp", readings)
    producer.publish_all("plant/fan/speed", readings)
    wait_until(lambda: len(read_events(tmp_path / "edgewarden.db", EventFilter())) == 40, 30, what="the events")
    upstream.start()
    assert upstream.port == port
    consumer = Consumer(upstream.port, "edgewarden/#")
    wait_until(lambda: len(consumer.events()) >= 40, 30, what="the backlog")
    events = consumer.events()
    sequences = list(dict.fromkeys(int(each["sequence"]) for each in events))
    assert sequences == sorted(sequences)
    assert len(sequences) == 40
    assert all(each["data"]["replayed"] for each in events)
    assert service.end() == 0
    for each in (producer, consumer):
        each.close()
    upstream.stop()


def test_an_incident_that_ended_before_it_was_published_is_over_in_its_retained_topic_too_after_a_restart(
    tmp_path: Path, own_mosquitto: EmbeddedBroker
) -> None:
    upstream = EmbeddedBroker(tmp_path / "upstream", prefer="mosquitto")
    upstream.start()
    text = configuration(own_mosquitto.port, upstream=f'host = "127.0.0.1"\nport = {upstream.port}')
    service = RunningService(tmp_path, text).start()
    consumer, producer = Consumer(upstream.port, "edgewarden/#"), Consumer(own_mosquitto.port, "nothing")
    wait_until(lambda: consumer.latest("/status"), what="the service's start")
    producer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    wait_until(lambda: consumer.latest("/state/plant/pump/temp"), what="the open incident")
    consumer.close()
    upstream.stop()
    producer.publish_all("plant/pump/temp", [reading(i, 20.2) for i in range(201, 210)])
    ended = EventFilter(transitions=("cleared",))
    wait_until(lambda: read_events(tmp_path / "edgewarden.db", ended), 60, what="the end")
    service.end(signal.SIGKILL)
    upstream.start()
    consumer = Consumer(upstream.port, "edgewarden/#")
    service.start()
    wait_until(
        lambda: (consumer.latest("/state/plant/pump/temp") or {}).get("state") == "ok", 60, what="the retained topic"
    )
    assert service.end() == 0
    for each in (producer, consumer):
        each.close()
    upstream.stop()


@pytest.mark.long
def test_after_a_kill_incidents_continue(
    tmp_path: Path, own_mosquitto: EmbeddedBroker, service: RunningService, consumer: Consumer
) -> None:
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    raised = wait_until(consumer.events, what="the event")[0]
    service.end(signal.SIGKILL)
    consumer.publish_all("plant/pump/temp", [reading(i, 20.2) for i in range(201, 210)])
    service.start()
    wait_until(lambda: any(each["data"]["transition"] == "cleared" for each in consumer.events()), what="the clearing")
    by_id = {each["id"]: each for each in consumer.events()}
    assert [each["data"]["transition"] for each in by_id.values()] == ["raised", "cleared"]
    assert {each["data"]["incident"] for each in by_id.values()} == {raised["data"]["incident"]}


@pytest.mark.long
def test_our_own_topics_are_not_input(
    make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer
) -> None:
    everything = configuration(own_mosquitto.port).replace('topic = "plant/#"', 'topic = "#"')
    service = make_service(everything).start()
    wait_until(lambda: consumer.latest("/status"), what="the service's start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    wait_until(consumer.events, what="the event")
    service.end()
    wait_until(lambda: (consumer.latest("/health") or {}).get("sensors") == 1, what="the last word")


@pytest.mark.long
def test_a_session_that_the_broker_has_forgotten_is_a_gap(
    start_mosquitto: Callable[..., Mosquitto],
    consumer: Consumer,
    own_mosquitto: EmbeddedBroker,
    make_service: MakeService,
) -> None:
    broker = start_mosquitto()
    service = make_service(
        configuration(broker.port, upstream=f'host = "127.0.0.1"\nport = {own_mosquitto.port}')
    ).start()
    producer = Consumer(broker.port, "nothing")
    wait_for_input(producer, service, "plant/pump/temp", NORMAL[0])
    producer.publish_all("plant/pump/temp", NORMAL)
    wait_until(lambda: (consumer.latest("/health") or {}).get("readings_taken", 0) >= 200, 120, what="learning")
    assert consumer.latest("/gap") is None
    broker.kill()
    broker.start()
    gap = wait_until(lambda: consumer.latest("/gap"), 120, what="the gap")
    assert gap["data"]["reason"] == "session_lost"
    assert gap["data"]["what"] == "readings"
    assert gap["data"]["count"] is None
    assert gap["data"]["first"] < gap["data"]["last"]
    jsonschema.validate(gap, gap_json_schema())
    assert service.end() == 0
    producer.close()


@pytest.mark.long
def test_with_a_changed_configuration_nothing_is_relearned_and_open_incidents_stay_open(
    own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService
) -> None:
    service = make_service(configuration(own_mosquitto.port)).start()
    wait_until(lambda: consumer.latest("/status"), what="the service's start")
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    raised = wait_until(consumer.events, what="raised")[0]
    assert service.end() == 0
    changed = f"{configuration(own_mosquitto.port)}[[rule]]\nsensors = '**'\ndetectors.ewma.memory = 77\n"
    service = make_service(changed).start()
    wait_until(lambda: (consumer.latest("/open") or {}).get("count") == 1, what="the open incident")
    consumer.publish_all("plant/pump/temp", [reading(i, 20.2) for i in range(201, 206)])
    cleared = wait_until(lambda: consumer.events()[1:], what="cleared")[0]
    assert cleared["correlationid"] == raised["correlationid"]
    assert cleared["data"]["transition"] == "cleared"
    consumer.publish_all("plant/pump/temp", [reading(206, 99.0)])
    again = wait_until(lambda: consumer.events()[2:], what="raised again")[0]
    assert "ewma" in {each["name"] for each in again["data"]["detectors"]}
    assert service.end() == 0
