"""Cases specific to Apache Kafka: missing topics, records that are too large, a broker that has lost its data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sink_line import SinkLine, sink_event, sink_events

pytest.importorskip("confluent_kafka")

from delivered_events import first_of_each, is_in_order
from sink_receivers import KafkaReceiver

from edge.shell.sinks.base import EventRefused
from edge.shell.sinks.cloud_event import record_of
from edge.shell.sinks.delivery import runner
from edge.shell.sinks.kafka import KafkaSink
from edge.shell.sinks.options import SinkOptions

pytestmark = pytest.mark.long


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KafkaReceiver]:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    monkeypatch.setattr("edge.shell.sinks.kafka.CONNECT_S", 5.0)
    made = KafkaReceiver(tmp_path)
    made.kafka.start()
    yield made
    made.close()


def line_to(receiver: KafkaReceiver, folder: Path) -> SinkLine:
    return SinkLine(folder, SinkOptions("out", "kafka", receiver.how(), begin="beginning"))


def sequences(receiver: KafkaReceiver) -> list[int]:
    return sorted(int(each["sequence"]) for each in first_of_each(receiver.received()))


def test_an_event_is_a_record_in_binary_mode() -> None:
    key, value, headers = record_of(sink_event(1, "ofen 3/µ-temp").payload)
    assert key == "ofen 3/µ-temp".encode()
    assert value.startswith(b'{"incident":')
    found = dict(headers)
    assert found["content-type"] == b"application/json"
    assert found["ce_specversion"] == b"1.0"
    assert found["ce_severitynumber"] == b"13"
    assert not {"ce_data", "ce_datacontenttype"} & found.keys()


def test_an_event_without_a_key_uses_its_source_as_the_key() -> None:
    key, _, _ = record_of(b'{"source":"/edgewarden/gw","data":{}}')
    assert key == b"/edgewarden/gw"


def test_an_invalid_event_is_refused() -> None:
    with pytest.raises(EventRefused):
        record_of(b"[1]")


def test_events_wait_for_a_missing_topic(receiver: KafkaReceiver, tmp_path: Path) -> None:
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 10))
    words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error")
    assert f"there is no topic {receiver.topic}" in words
    assert line.passed() == {"out": 0}
    receiver.start()
    line.run_through(10)
    line.close()
    assert sequences(receiver) == list(range(1, 11))


def test_a_topic_that_is_deleted_and_recreated_gets_the_events_from_then_on(
    receiver: KafkaReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CONFIRM_S", 3.0)
    receiver.start()
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 10))
    line.run_through(10)
    receiver.kafka.delete_topic(receiver.topic)
    line.store_events(sink_events(11, 20))
    line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error")
    receiver.kafka.create_topic(receiver.topic)
    line.run_through(20)
    line.close()
    assert sequences(receiver) == list(range(11, 21))


def test_of_a_batch_only_the_record_that_is_too_large_is_set_aside(receiver: KafkaReceiver, tmp_path: Path) -> None:
    receiver.start()
    line = line_to(receiver, tmp_path)
    line.store_events([sink_event(number, "one", more="x" * 3000) for number in range(1, 100)])
    line.store_events([sink_event(100, "one", more="x" * 30_000), sink_event(101, "one")])
    line.run_through(101)
    line.close()
    assert sequences(receiver) == [*range(1, 100), 101]
    assert is_in_order(receiver.received())
    assert line.keeper.as_dict()["out"]["set_aside"] == 1


def test_events_wait_while_the_broker_rejects_our_clock_and_are_later_sent_in_batches_again(
    receiver: KafkaReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.shell.sinks.kafka.CAREFUL", 30)
    receiver.start()
    receiver.kafka.set_topic(receiver.topic, message_timestamp_before_max_ms="1")  # as if the local clock were behind
    sink = KafkaSink(receiver.how())
    line = SinkLine(tmp_path, SinkOptions("out", "kafka", receiver.how(), begin="beginning"), make=lambda _: sink)
    line.store_events(sink_events(1, 20))
    line.run_until(lambda: "is the clock right?" in str(line.keeper.as_dict()["out"]["last_error"]), what="the error")
    assert line.keeper.as_dict()["out"]["set_aside"] == 0
    assert not sink._batches
    receiver.kafka.set_topic(receiver.topic, message_timestamp_before_max_ms="1000000000")
    line.run_through(20)
    line.store_events(sink_events(21, 100))
    line.run_through(100)
    line.store_events(sink_events(101, 400))
    line.run_through(400)
    line.close()
    assert sequences(receiver) == list(range(1, 401))
    assert is_in_order(receiver.received())
    assert sink._batches


def test_where_the_limit_of_the_topic_is_unknown_records_are_sent_one_by_one(
    receiver: KafkaReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KafkaSink, "_largest_batch", lambda *_: 0)
    receiver.start()
    line = line_to(receiver, tmp_path)
    line.store_events([sink_event(number, "one", more="x" * 3000) for number in range(1, 50)])
    line.store_events([sink_event(50, "one", more="x" * 30_000), sink_event(51, "one")])
    line.run_through(51)
    line.close()
    assert sequences(receiver) == [*range(1, 50), 51]
    assert is_in_order(receiver.received())


def test_a_producer_whose_broker_has_lost_its_data_is_replaced(
    receiver: KafkaReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "CONFIRM_S", 5.0)
    receiver.start()
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 50))
    line.run_through(50)
    receiver.kafka.kill()
    receiver.kafka.forget()
    receiver.kafka.start()
    receiver.kafka.create_topic(receiver.topic)
    line.store_events(sink_events(51, 100))
    line.run_through(100)
    line.close()
    assert sequences(receiver) == list(range(51, 101))
