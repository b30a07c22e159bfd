from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, Subscription
from simulators.commands import simulate
from simulators.faults.truth import TOPIC, read_truth

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs mosquitto")


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    (tmp_path / "broker.conf").write_text(
        f"listener {number} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n"
    )
    broker = subprocess.Popen(
        [str(MOSQUITTO), "-c", str(tmp_path / "broker.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(number))
        yield number
    finally:
        broker.terminate()
        broker.wait(60)


@pytest.mark.parametrize("form", ["json", "device"])
def test_a_broker_gets_every_reading_and_the_truth(tmp_path: Path, port: int, form: str) -> None:
    listener = Link(LinkOptions(port=port), (Subscription("plant/#"), Subscription(TOPIC)))
    listener.start()
    try:
        assert listener.wait_subscribed(10.0)
        truth = tmp_path / "truth.jsonl"
        arguments = [
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--rate",
            "0",
            "--duration",
            "8h",
            "--truth",
            str(truth),
        ]
        result = CliRunner().invoke(simulate, [*arguments, "--sensors", "4", "--seed", "3", "--format", form])
        assert result.exit_code == 0, result.output
        received: list[Message] = []

        def complete() -> bool:
            messages = listener.receive(0.1)
            listener.acknowledge(messages)
            received.extend(messages)
            return any(b'"summary"' in each.payload for each in received if each.topic == TOPIC)

        wait_for(complete)
    finally:
        listener.stop()
    told = [each.payload for each in received if each.topic == TOPIC]
    readings = [json.loads(each.payload) for each in received if each.topic != TOPIC]
    values = [sum(key not in {"ts", "unit"} for key in each) for each in readings]
    assert told == truth.read_bytes().splitlines()
    assert len(read_truth(told)) > 0
    assert sum(values) == json.loads(told[-1])["readings"]
    assert max(each["ts"] for each in readings) <= time.time()


def test_a_missing_broker_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.run.CONNECT_S", 0.05)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = CliRunner().invoke(simulate, ["--port", str(free.getsockname()[1]), "--duration", "1h"])
    assert result.exit_code == 1
    assert "doesn't accept the connection" in result.output
