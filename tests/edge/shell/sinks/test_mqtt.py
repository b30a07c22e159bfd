"""Cases specific to MQTT: events refused, dropped silently, or answered by closing the connection, and the status."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from delivered_events import first_of_each
from sink_line import SinkLine, sink_event, sink_events
from sink_receivers import MqttReceiver

from config.loading import parse
from edge.shell.service.assembly.parts import service_options
from edge.shell.service.assembly.sinks import sinks_of
from edge.shell.sinks import mqtt
from edge.shell.sinks.options import SinkOptions
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    monkeypatch.setattr("edge.shell.link.sending.delivery_check.ECHO_S", 1.0)


OPEN: list[MqttReceiver] = []


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def receiver_of(folder: Path, access: str, **how: Any) -> MqttReceiver:
    """A broker with an access list; each line has `read`, `write` or `readwrite`, and a filter."""
    (folder / "acl").write_text("".join(f"topic {each}\n" for each in access.split(", ")))
    OPEN.append(MqttReceiver(folder, f"allow_anonymous true\nacl_file {folder}/acl", **how))
    OPEN[-1].start()
    return OPEN[-1]


def line_to(receiver: MqttReceiver, folder: Path) -> SinkLine:
    return SinkLine(folder, SinkOptions("out", "mqtt", receiver.how(), begin="beginning"))


def sequences(receiver: MqttReceiver) -> list[int]:
    return sorted(int(each["sequence"]) for each in first_of_each(receiver.received()))


def test_an_event_refused_by_an_mqtt_5_broker_is_set_aside(tmp_path: Path) -> None:
    access = "readwrite edgewarden/gw/anomaly/line1/#, readwrite edgewarden/gw/status, readwrite edgewarden/barrier/#"
    receiver = receiver_of(tmp_path, access, version="5")
    line = line_to(receiver, tmp_path)
    line.store_events([sink_event(1, "line1/a"), sink_event(2, "line2/a"), sink_event(3, "line1/b")])
    line.run_through(3)
    line.close()
    assert sequences(receiver) == [1, 3]
    (letter,) = read_dead_letters(line.path, LetterFilter())
    assert letter["detail"] == "the broker refuses it: Not authorized"


def test_an_event_dropped_silently_by_an_mqtt_3_broker_does_not_count_as_delivered(tmp_path: Path) -> None:
    receiver = receiver_of(tmp_path, "read edgewarden/#, readwrite edgewarden/barrier/#", version="3.1.1")
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 5))
    words = line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the doubt")
    assert words == mqtt.UNCONFIRMED
    assert line.passed() == {"out": 0}
    line.close()


def test_the_broker_has_our_status_while_we_are_connected(tmp_path: Path) -> None:
    receiver = receiver_of(tmp_path, "readwrite #")
    line = line_to(receiver, tmp_path)
    line.store_events(sink_events(1, 3))
    line.run_through(3)
    receiver.received()
    assert receiver._consumer is not None
    assert (receiver._consumer.latest("/status") or {})["state"] == "online"
    line.close()
    receiver.received()
    assert (receiver._consumer.latest("/status") or {})["state"] == "offline"


def test_the_table_equals_the_keys_of_upstream(tmp_path: Path) -> None:
    text = '[gateway]\nname = "g7"\n[[input]]\ntopic = "#"\n[[sink]]\nkind = "mqtt"\nhost = "h"\nversion = "5"\n'
    configuration = parse(text).configuration
    (made,) = sinks_of(configuration, service_options(configuration, "word"))
    link = made.how.link
    assert (link.host, link.port, link.client_id, link.version) == ("h", 1883, "edgewarden-g7-mqtt", "5")
    assert (link.echo, link.will[0]) == ("edgewarden/g7/status", "edgewarden/g7/status")
    assert b'"offline"' in link.will[1]
