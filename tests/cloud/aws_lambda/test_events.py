"""Gateway events through each service that can invoke a function: order, repetitions, failures and unknown records."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lambda_batches import BATCHES, EVENTS, IDS, activemq, encoded, kafka, kinesis, rabbitmq, sqs

from cloud.aws_lambda.event import LARGEST, AnyEvent, NotAnEventError, read_event
from cloud.aws_lambda.handler import HandlingError, handle
from cloud.aws_lambda.once import Claim, InMemory
from cloud.aws_lambda.sources import UnknownSourceError, source_of
from edge.core.incidents.events.sensor_events import SensorData, SensorsEvent, sensors_event

every_batch = pytest.mark.parametrize("name", BATCHES)


class Consumer:
    """Records events, and raises an exception for some."""

    def __init__(self, *failing: str) -> None:
        self.seen: list[str] = []
        self.failing = set(failing)

    def __call__(self, event: AnyEvent) -> None:
        if event.id in self.failing:
            raise RuntimeError("no")
        self.seen.append(event.id)


@every_batch
def test_the_function_gets_the_events_of_a_batch_in_order(name: str) -> None:
    consumer = Consumer()
    answer = handle(BATCHES[name](EVENTS), consumer, InMemory())
    assert len(IDS) >= 6
    assert consumer.seen == IDS
    assert answer in ({}, {"batchItemFailures": []})


@every_batch
def test_a_repeated_event_is_handled_once(name: str) -> None:
    consumer, once = Consumer(), InMemory()
    handle(BATCHES[name]([*EVENTS, *EVENTS]), consumer, once)
    handle(BATCHES[name](EVENTS), consumer, once)
    assert consumer.seen == IDS


@every_batch
def test_a_record_that_is_not_an_event_affects_only_itself(name: str, caplog: pytest.LogCaptureFixture) -> None:
    consumer = Consumer()
    strange = [b"", b"21.5", b"{}", b"[1]", b'{"type": "com.example"}', b'{"type": "io.edgewarden.incident.raised.v1"}']
    handle(BATCHES[name]([*strange, *EVENTS]), consumer, InMemory())
    assert consumer.seen == IDS
    assert caplog.text.count("not_an_event") == len(strange)


def test_a_shard_is_given_its_first_failure_and_later_records_wait() -> None:
    consumer, once = Consumer(IDS[2]), InMemory()
    assert handle(kinesis(EVENTS), consumer, once) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert consumer.seen == IDS[:2]
    consumer.failing.clear()
    assert handle(kinesis(EVENTS[2:]), consumer, once) == {"batchItemFailures": []}
    assert consumer.seen == IDS


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"])
def test_a_partition_is_given_its_first_failure_by_offset(source: str) -> None:
    consumer = Consumer(IDS[3])
    answer = handle(kafka(EVENTS, source), consumer, InMemory())
    assert answer == {"batchItemFailures": [{"itemIdentifier": {"partition": "events-0", "offset": 3}}]}
    assert consumer.seen == IDS[:3]


def test_a_failure_in_one_partition_delays_no_other() -> None:
    both = kafka(EVENTS[:3])
    both["records"]["events-1"] = kafka(EVENTS[3:])["records"]["events-0"]
    consumer = Consumer(IDS[0])
    handle(both, consumer, InMemory())
    assert consumer.seen == IDS[3:]


def test_a_queue_is_given_each_failure_and_the_others_are_done() -> None:
    consumer = Consumer(IDS[1], IDS[4])
    answer = handle(sqs(EVENTS), consumer, InMemory())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "4"}]}
    assert consumer.seen == [each for each in IDS if each not in consumer.failing]


def test_in_a_fifo_queue_events_after_a_failure_in_their_group_wait() -> None:
    invocation = sqs(EVENTS)
    for number, record in enumerate(invocation["Records"]):
        record["attributes"]["MessageGroupId"] = "ab"[number % 2]
    consumer = Consumer(IDS[2])
    answer = handle(invocation, consumer, InMemory())
    waiting = [number for number in range(len(IDS)) if number >= 2 and number % 2 == 0]
    assert answer == {"batchItemFailures": [{"itemIdentifier": str(number)} for number in waiting]}
    assert consumer.seen == [each for number, each in enumerate(IDS) if number not in waiting]


@pytest.mark.parametrize("batch", [rabbitmq, activemq])
def test_a_broker_without_partial_failures_delivers_everything_again_and_handled_events_are_skipped(
    batch: Callable[[list[bytes]], dict[str, Any]],
) -> None:
    consumer, once = Consumer(IDS[2]), InMemory()
    with pytest.raises(HandlingError):
        handle(batch(EVENTS), consumer, once)
    consumer.failing.clear()
    assert handle(batch(EVENTS), consumer, once) == {}
    assert sorted(consumer.seen) == sorted(IDS)


def test_an_iot_rule_passes_the_event_itself_optionally_with_additional_fields() -> None:
    consumer = Consumer()
    handle({**json.loads(EVENTS[0]), "topic": "edgewarden/gateway/anomaly/a", "ts": 1}, consumer, InMemory())
    handle({"payload": encoded(EVENTS[1]), "topic": "t", "ts": 2}, consumer, InMemory())
    assert consumer.seen == IDS[:2]


def test_a_failing_event_of_an_iot_rule_raises_so_that_lambda_retries_it() -> None:
    with pytest.raises(HandlingError):
        handle(json.loads(EVENTS[0]), Consumer(IDS[0]), InMemory())


def test_an_event_of_a_newer_gateway_is_read_without_unknown_fields() -> None:
    document = json.loads(EVENTS[0])
    document["somethingnew"] = 1
    document["data"]["also_new"] = {"x": 1}
    assert read_event(json.dumps(document).encode(), {}).id == IDS[0]


def test_a_record_of_kafka_in_binary_mode_is_read_from_its_headers() -> None:
    document = json.loads(EVENTS[0])
    data = json.dumps(document.pop("data")).encode()
    headers = [{f"ce_{name}": list(str(value).encode())} for name, value in document.items()]
    consumer = Consumer()
    handle(kafka([data], headers=headers), consumer, InMemory())
    assert consumer.seen == IDS[:1]


def test_an_event_that_another_invocation_is_handling_is_delivered_again() -> None:
    class Busy(InMemory):
        def claim(self, event: str, lapses_s: float) -> Claim:
            return Claim.BUSY

    consumer = Consumer()
    assert handle(kinesis(EVENTS[:2]), consumer, Busy()) == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert consumer.seen == []


@pytest.mark.parametrize("strange", [None, 1, "x", [], {}, {"Records": []}, {"Records": [{"eventSource": "aws:s3"}]}])
def test_an_invocation_by_something_unknown_is_an_error(strange: Any) -> None:
    with pytest.raises(UnknownSourceError):
        source_of(strange)


def test_the_memory_of_an_environment_is_bounded() -> None:
    once = InMemory(most=3)
    for number in range(5):
        assert once.claim(str(number), 1.0) is Claim.OURS
        once.done(str(number))
    assert [once.claim(str(number), 1.0) for number in range(5)] == [Claim.OURS, Claim.OURS, *[Claim.DONE] * 3]


def test_a_record_that_is_too_large_is_not_an_event() -> None:
    with pytest.raises(NotAnEventError, match="bytes"):
        read_event(b" " * (LARGEST + 1), {})


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.sampled_from(EVENTS).flatmap(lambda each: st.integers(0, len(each)).map(lambda n: each[:n]))
)
def test_any_record_gives_an_event_or_the_reason_why_it_is_none(payload: bytes) -> None:
    with suppress(NotAnEventError):
        assert read_event(payload, {}).id in IDS


def test_new_sensors_are_announced_by_an_event_too() -> None:
    about = {"unit": "", "kind": "periodic", "device": None, "input": "a", "source_topic": "a", "value": 1.0}
    sensor = SensorData(**{"name": "a", "topic": "a", "time": None, **about})
    event = sensors_event("gw", "edgewarden/gw/sensors", "discovered", [sensor], 1, 1_700_000_000.0)
    found = read_event(event.payload, {})
    assert isinstance(found, SensorsEvent)
    assert found.data.sensors[0].name == "a"
