from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import installed_mosquitto
from running import ROOT, receive, wait_until

from edge.shell.broker import embedded as module
from edge.shell.broker.embedded import BrokerError, EmbeddedBroker, is_listening
from edge.shell.link import Link, Subscription

MakeLink = Callable[..., Link]


@pytest.fixture(params=["mosquitto", "amqtt"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def broker(tmp_path: Path, kind: str) -> Iterator[EmbeddedBroker]:
    made = EmbeddedBroker(tmp_path / "broker", prefer=kind)  # type: ignore[arg-type]
    made.start()
    yield made
    made.stop()


def test_it_accepts_connections_after_it_was_started_and_none_after_it_was_stopped(
    broker: EmbeddedBroker, kind: str, make_link: MakeLink
) -> None:
    assert (broker.kind, broker.alive) == (kind, True)
    assert broker.pid is not None
    link = make_link(broker.port, Subscription("a"))
    assert link.wait_subscribed(10)
    link.publish("a", b"1")
    messages = wait_until(lambda: link.receive(0.1))
    assert [each.payload for each in messages] == [b"1"]
    link.stop()
    broker.stop()
    assert not broker.alive
    assert broker.pid is None
    assert not is_listening("127.0.0.1", broker.port)
    broker.stop()


def test_it_listens_on_this_machine_only(broker: EmbeddedBroker) -> None:
    addresses = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    assert not any(is_listening(str(each), broker.port) for each in addresses if not str(each).startswith("127."))


def test_a_port_in_use_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, port=taken, prefer="mosquitto")
        broker.start()
        assert broker.port != taken
        assert is_listening("127.0.0.1", broker.port)
        broker.stop()


def test_a_free_port_is_used(tmp_path: Path, free_port: int) -> None:
    broker = EmbeddedBroker(tmp_path, port=free_port, prefer="mosquitto")
    broker.start()
    assert broker.port == free_port
    broker.stop()


def test_mosquitto_keeps_sessions_and_messages_when_it_is_stopped(tmp_path: Path, make_link: MakeLink) -> None:
    broker = EmbeddedBroker(tmp_path, prefer="mosquitto")
    broker.start()
    session = {"client_id": "keeper", "clean_session": False}
    link = make_link(broker.port, Subscription("a"), **session)
    assert link.wait_subscribed(10)
    link.stop()
    sender = make_link(broker.port)
    assert sender.wait_connected(10)
    sender.publish("a", b"1")
    wait_until(sender.confirmations)
    sender.stop()
    broker.stop()
    broker.start()
    again = make_link(broker.port, Subscription("a"), **session)
    assert [each.payload for each in receive(again, 1)] == [b"1"]
    broker.stop()


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path, kind: str) -> None:
    if kind == "mosquitto":
        installed_mosquitto()
    script = (
        "import sys, time; from pathlib import Path; from edge.shell.broker.embedded import EmbeddedBroker\n"
        f"broker = EmbeddedBroker(Path({str(tmp_path)!r}), prefer={kind!r})\n"
        "broker.start(); print(broker.port, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert is_listening("127.0.0.1", port)
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_listening("127.0.0.1", port), what="the end of the broker")


def test_without_mosquitto_amqtt_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_mosquitto", lambda: None)
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    assert broker.kind == "amqtt"
    broker.stop()
    with pytest.raises(BrokerError, match="mosquitto isn't installed"):
        EmbeddedBroker(tmp_path, prefer="mosquitto").start()


def test_without_either_it_names_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_mosquitto", lambda: None)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BrokerError, match=r"install mosquitto, or pip install 'edgewarden\[demo\]'"):
        EmbeddedBroker(tmp_path).start()


def test_a_broker_that_ends_immediately_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_mosquitto()
    monkeypatch.setattr(module, "MOSQUITTO_CONFIGURATION", "nonsense {port} {host} {directory}\n")
    with pytest.raises(BrokerError, match=r"doesn't start; see .*mosquitto\.log"):
        EmbeddedBroker(tmp_path, prefer="mosquitto").start()


def test_a_directory_that_cannot_be_made_is_a_broker_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerError, match="can't be made"):
        EmbeddedBroker(tmp_path / "file" / "broker").start()
