"""Tables of notifications: the sinks they make, invalid addresses, and a real service that notifies."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("apprise")

from http_receivers import Answer, NotifyReceiver
from running import Consumer, RunningService, configuration, wait_until
from sink_line import BASE, SinkLine, sink_event

from config.loading import parse
from config.notation.calendar import Window
from config.tables.passwords import PasswordError
from edge.core.model.notation.topics import Topics
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.sinks import sinks_of
from edge.shell.sinks.options import NotifyOptions, SinkOptions
from edge.shell.store.reading.sink_reading import EventSelection

NIGHT = Window("quiet", "**", every="daily 22:00-07:00", zone="Europe/Berlin")
INPUT = '[[input]]\ntopic = "#"\n'
TABLE = '[[sink]]\nkind = "notify"\naddress_env = "PHONE"\n'


def assembled(text: str) -> list[SinkOptions]:
    return sinks_of(parse(INPUT + text).configuration, ServiceOptions(Topics("edgewarden/gw")))


def test_quiet_hours_make_two_sinks_of_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONE", "json://127.0.0.1:1/x")
    (one,) = assembled(TABLE)
    assert (one.wanted, isinstance(one.how, NotifyOptions)) == (EventSelection(once=True), True)
    (listed,) = assembled(f'{TABLE}transitions = ["raised", "updated"]')
    assert (listed.wanted.once, listed.wanted.transitions) == (False, ("raised", "updated"))
    usual, urgent = assembled(
        f'{TABLE}name = "phone"\nseverity = 300\nquiet = "22:00-07:00"\nquiet_severity = 700\nzone = "Europe/Berlin"'
    )
    assert (usual.name, usual.wanted.severity, usual.wanted.below) == ("phone", 300, 700)
    assert (urgent.name, urgent.wanted.severity, urgent.wanted.below, urgent.follows) == (
        "phone.urgent",
        700,
        1001,
        "phone",
    )
    assert isinstance(usual.how, NotifyOptions)
    assert isinstance(urgent.how, NotifyOptions)
    assert usual.how.quiet == NIGHT
    assert urgent.how.quiet is None


@pytest.mark.parametrize("address", ["", "hunter2", "nosuch://hunter2", "json://a json://b"])
def test_an_invalid_address_is_refused_at_the_start_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("PHONE", address)
    with pytest.raises(PasswordError, match="the address of the sink notify") as raised:
        assembled(TABLE)
    assert "hunter2" not in str(raised.value)


def test_ntfy_gets_its_expected_format(
    impatient: None, tmp_path: Path, ntfy: Callable[[], list[dict[str, Any]]]
) -> None:
    how = NotifyOptions(f"ntfy://127.0.0.1:{ntfy.port}/plant", "gw", group_s=0.1, interval_s=0.0)  # type: ignore[attr-defined]
    line = SinkLine(tmp_path, SinkOptions("phone", "notify", how, EventSelection(once=True), "beginning"))
    line.store_events([sink_event(1, "a/temp", severity=800, transition="raised")])
    line.run_through(1)
    line.close()
    (told,) = wait_until(ntfy, 60, "the message")
    assert (told["topic"], told["title"], told["message"]) == ("plant", "gw: FATAL a/temp", "Tue 22:13:21 FATAL: m")


class _Ntfy(NotifyReceiver):
    """Receives messages published as JSON, like the ntfy server."""

    def __call__(self) -> list[dict[str, Any]]:
        return self.notices


@pytest.fixture
def ntfy() -> Iterator[_Ntfy]:
    made = _Ntfy()
    made.answer = lambda told: Answer(200, body=b'{"id":"1"}')
    made.start()
    yield made
    made.close()


@pytest.mark.long
def test_a_running_service_notifies_and_applies_a_changed_table(
    notify_receiver: NotifyReceiver, own_mosquitto: EmbeddedBroker, make_service: Callable[[str], RunningService]
) -> None:
    def text(severity: int) -> str:
        table = (
            f'[[sink]]\nkind = "notify"\naddress_env = "PHONE"\ngroup_s = 0.1\ninterval_s = 0\nseverity = {severity}\n'
        )
        return f"{configuration(own_mosquitto.port)}{table}"

    def publish(topic: str, value: float) -> None:
        readings = [{"ts": BASE + 10 * i, "value": 20 + i % 5 / 10} for i in range(200)]
        readings.append({"ts": BASE + 2000, "value": value})
        consumer.publish_all(topic, [json.dumps(each) for each in readings])

    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    service = make_service(text(1)).start(PHONE=f"json://127.0.0.1:{notify_receiver.port}/secret-4711")
    wait_until(lambda: (consumer.latest("gw/status") or {}).get("state") == "online", 60, "the start")
    publish("plant/pump/temp", 99.0)
    wait_until(lambda: len(notify_receiver.notices) == 1, 60, "the message")
    assert "plant/pump/temp is at 99" in notify_receiver.notices[0]["message"]
    service.path.write_text(text(1000))
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded changed=true" in service.log.read_text(), 60, "the reload")
    publish("plant/fan/speed", 99.0)
    wait_until(lambda: len(consumer.events()) == 2, 60, "the second incident")
    assert service.end() == 0
    assert len(notify_receiver.notices) == 1
    assert "secret-4711" not in service.log.read_text()
    consumer.close()
