"""Cases specific to RabbitMQ: unroutable events, full queues, a missing exchange, a broker out of memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sink_line import SinkLine, sink_event, sink_events

pytest.importorskip("pika")

from delivered_events import first_of_each
from pika.adapters.utils.connection_workflow import AMQPConnectionWorkflowFailed, AMQPConnectorSocketConnectError
from pika.exceptions import AMQPConnectionError, IncompatibleProtocolError, StreamLostError
from sink_receivers import RabbitmqReceiver

from edge.shell.sinks import rabbitmq
from edge.shell.sinks.options import SinkOptions
from edge.shell.sinks.rabbitmq import routing_key, why_lost
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RabbitmqReceiver]:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    made = RabbitmqReceiver(tmp_path)
    made.server_.start()
    yield made
    made.close()


def line_to(receiver: RabbitmqReceiver, folder: Path) -> SinkLine:
    return SinkLine(folder, SinkOptions("out", "rabbitmq", receiver.how(), begin="beginning"))


def sequences(receiver: RabbitmqReceiver) -> list[int]:
    return sorted(int(each["sequence"]) for each in first_of_each(receiver.received()))


@pytest.mark.parametrize(
    ("sensor", "key"),
    [
        ("line1/pump3/temp", "line1.pump3.temp"),
        ("hall/door.open", "hall.door%2Eopen"),
        ("a/#/*", "a.%23.*"),
        ("", "gap"),
    ],
)
def test_the_levels_of_a_sensor_are_the_words_of_a_routing_key(sensor: str, key: str) -> None:
    assert routing_key(sensor) == key


def test_a_routing_key_never_exceeds_the_limit_of_amqp() -> None:
    assert len(routing_key("ü/" * 400).encode()) <= 255


@pytest.mark.long
def test_bindings_select_by_the_levels_of_a_sensor_and_unroutable_events_are_set_aside(
    receiver: RabbitmqReceiver, tmp_path: Path
) -> None:
    receiver.declare("line1.#")
    line = line_to(receiver, tmp_path)
    sensors = ["line1/pump/temp", "line2/pump/temp", "line1/fan"]
    line.store_events([sink_event(number, sensor) for number, sensor in enumerate(sensors, 1)])
    line.run_through(3)
    line.close()
    assert sequences(receiver) == [1, 3]
    (letter,) = read_dead_letters(line.path, LetterFilter())
    assert letter["detail"] == "no queue accepts it: NO_ROUTE, routing key line2.pump.temp"


@pytest.mark.long
def test_events_wait_for_a_missing_exchange(receiver: RabbitmqReceiver, tmp_path: Path) -> None:
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 5))
    words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error")
    assert f"no exchange '{receiver.exchange}'" in words
    receiver.start()
    line.run_through(5)
    line.close()
    assert sequences(receiver) == list(range(1, 6))


@pytest.mark.long
def test_events_wait_for_a_full_queue(receiver: RabbitmqReceiver, tmp_path: Path) -> None:
    receiver.declare("#", arguments={"x-max-length": 10, "x-overflow": "reject-publish"})
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 40))
    words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the refusal")
    assert "basic.nack" in words
    line.run_until(lambda: receiver.received() and line.passed()["out"] >= 40, what="the rest")
    line.close()
    assert sequences(receiver) == list(range(1, 41))


@pytest.mark.long
def test_a_broker_out_of_memory_accepts_nothing_and_then_everything(
    receiver: RabbitmqReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "BLOCKED_S", 3.0)
    receiver.start()
    receiver.server_.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        line = line_to(receiver, tmp_path)
        line.store_events(sink_events(1, 10))
        words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error")
        assert "out of memory" in words
        assert line.passed() == {"out": 0}
    finally:
        receiver.server_.control("set_vm_memory_high_watermark", "0.4")
    line.run_through(10)
    line.close()
    assert sequences(receiver) == list(range(1, 11))


@pytest.mark.long
def test_a_wrong_password_is_reported_and_not_shown(receiver: RabbitmqReceiver, tmp_path: Path) -> None:
    from dataclasses import replace

    from edge.shell.sinks.options import Login

    how = replace(receiver.how(), login=Login("guest", "hunter2"))
    line = SinkLine(tmp_path, SinkOptions("out", "rabbitmq", how, begin="beginning"))
    line.store_events(sink_events(1, 5))
    words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the error")
    assert "ACCESS_REFUSED" in words
    assert "hunter2" not in words
    line.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AMQPConnectionWorkflowFailed([AMQPConnectorSocketConnectError(TimeoutError())]), "no answer in time"),
        (
            AMQPConnectionError(AMQPConnectorSocketConnectError(ConnectionRefusedError(111, "refused"))),
            "nothing listens",
        ),
        (IncompatibleProtocolError(StreamLostError("lost: SSLEOFError()")), "it may require a certificate"),
        (AMQPConnectionError(), "AMQPConnectionError: the broker ends the connection and gives no reason"),
        (StreamLostError("lost"), "StreamLostError: lost"),
    ],
)
def test_the_reason_of_a_lost_connection_is_found_within_the_errors_around_it(error: Exception, words: str) -> None:
    assert words in why_lost(error)
