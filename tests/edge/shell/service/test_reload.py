"""SIGHUP: the running service applies its changed configuration, or continues unchanged and says why."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Mosquitto
from running import ROOT, Consumer, RunningService, configuration, wait_until
from service_manager import ServiceManager

from config.loading import parse
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.service.reload import as_running
from tests.edge.shell.service.test_service import NORMAL, reading

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]


class Reloaded:
    """A started service, with its notifications to the service manager and its log."""

    def __init__(self, service: RunningService, manager: ServiceManager) -> None:
        self.service = service
        self.manager = manager
        manager.wait_for("READY=1")

    def reload(self, text: str) -> str:
        """Write another configuration and request a reload; returns what the log says about it."""
        logged = self.service.log.stat().st_size
        heard = len(self.manager.states())
        self.service.path.write_text(text)
        assert self.service.process is not None
        self.service.process.send_signal(signal.SIGHUP)
        at = self.manager.wait_for("RELOADING=1", heard)
        assert self.manager.states()[at].startswith("MONOTONIC_USEC=")
        self.manager.wait_for("READY=1", at)
        return self.service.log.read_bytes()[logged:].decode()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path) as made:
        yield made


@pytest.fixture
def running(make_service: MakeService, own_mosquitto: EmbeddedBroker, manager: ServiceManager) -> Reloaded:
    service = make_service(configuration(own_mosquitto.port)).start(NOTIFY_SOCKET=manager.address)
    return Reloaded(service, manager)


def learned(consumer: Consumer, readings: int) -> None:
    wait_until(lambda: (consumer.latest("/health") or {}).get("readings_taken") == readings, what="learning")


def test_learned_state_stays_and_the_new_rule_applies_immediately(running: Reloaded, consumer: Consumer) -> None:
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the start")
    consumer.publish_all("plant/pump/temp", NORMAL)
    learned(consumer, 200)
    text = running.service.path.read_text()
    log = running.reload(f"{text}[[rule]]\nsensors = '**'\ndetectors.limits.high = 21.0\n")
    assert "reloaded changed=true sensors=1" in log
    assert "disconnected" not in log
    consumer.publish_all("plant/pump/temp", [reading(200, 21.2)])
    raised = wait_until(consumer.events, what="raised by the limit")[0]
    assert "limits" in {each["name"] for each in raised["data"]["detectors"]}
    health = wait_until(
        lambda: (latest := consumer.latest("/health")) and latest["readings_taken"] == 201 and latest, what="health"
    )
    assert health["connections"] == 1
    assert running.service.end() == 0


def test_a_faulty_configuration_is_refused_with_its_reason_and_nothing_changes(
    running: Reloaded, consumer: Consumer
) -> None:
    text = running.service.path.read_text()
    log = running.reload(f"{text}[limits]\nsensors = 'many'\n[nonsense]\n")
    assert "reload_refused" in log
    assert "limits.sensors" in log
    assert "nonsense" in log
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    wait_until(consumer.events, what="an event")
    assert "reloaded changed=false" in running.reload(text)
    assert running.service.end() == 0


def test_the_locks_of_the_open_store_are_kept(running: Reloaded, tmp_path: Path) -> None:
    assert running.service.process is not None
    owner, inode = str(running.service.process.pid), f":{(tmp_path / 'edgewarden.db').stat().st_ino}"

    def locks() -> list[list[str]]:
        held = [line.split()[1:] for line in Path("/proc/locks").read_text().splitlines()]
        return [each for each in held if each[0] == "POSIX" and each[3] == owner and each[4].endswith(inode)]

    before = locks()
    assert before
    with running.service.path.open("a") as file:
        file.write("[[rule]]\nsensors = '**'\npreset = 'limits_only'\n")
    running.reload(running.service.path.read_text())
    assert locks() == before
    assert running.service.end() == 0


def test_fewer_sensors_than_are_known_are_refused(running: Reloaded, consumer: Consumer) -> None:
    for name in ("a", "b", "c"):
        consumer.publish("plant/pump/" + name, "20")
    learned(consumer, 3)
    log = running.reload(f"{running.service.path.read_text()}[limits]\nsensors = 2\n")
    assert "limits.sensors is 2, but 3 sensors are known" in log
    assert running.service.end() == 0


def test_new_filters_are_subscribed_to_and_others_unsubscribed(running: Reloaded, consumer: Consumer) -> None:
    text = running.service.path.read_text()
    consumer.publish("other/fan/speed", "7", retain=True)
    log = running.reload(text.replace('topic = "plant/#"', 'topic = "other/#"'))
    assert "disconnected" not in log
    wait_until(lambda: b"unsubscribed filter='plant/#'" in running.service.log.read_bytes(), what="the unsubscription")
    consumer.publish("plant/pump/temp", "20")
    consumer.publish("other/fan/speed", "8")
    learned(consumer, 1)
    health = consumer.latest("/health") or {}
    assert health["messages_refused"].get("unrouted", 0) == 0
    assert running.service.end() == 0


def test_another_broker_is_connected_to_and_the_old_one_is_disconnected_from(
    running: Reloaded, consumer: Consumer, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    consumer.publish_all("plant/pump/temp", NORMAL)
    learned(consumer, 200)
    other = start_mosquitto()
    log = running.reload(configuration(other.port))
    assert "disconnected" in log
    there = Consumer(other.port, "edgewarden/#")
    wait_until(lambda: (there.latest("/status") or {}).get("state") == "online", what="the new broker's status")
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "offline", what="the goodbye")
    there.publish_all("plant/pump/temp", [reading(200, 99.0)])
    wait_until(there.events, what="the event of what was learned before")
    there.close()
    assert running.service.end() == 0


def test_changes_that_need_a_restart_are_reported_and_not_applied(
    running: Reloaded, consumer: Consumer, tmp_path: Path
) -> None:
    text = running.service.path.read_text()
    changed = text.replace('name = "gw"', 'name = "other"').replace(
        'durability = "process"', 'durability = "process"\npath = "elsewhere.db"'
    )
    log = running.reload(f"{changed}[[rule]]\nsensors = '**'\npreset = 'limits_only'\n")
    assert "not_changed key=gateway.name" in log
    assert "not_changed key=store.path" in log
    assert "reloaded changed=true" in log
    assert not (tmp_path / "elsewhere.db").exists()
    consumer.publish("plant/pump/temp", "20")
    learned(consumer, 1)
    assert (consumer.latest("/status") or {})["gateway"] == "gw"
    assert running.service.end() == 0


def test_a_changed_password_is_applied(
    running: Reloaded, consumer: Consumer, tmp_path: Path, own_mosquitto: EmbeddedBroker
) -> None:
    (tmp_path / "password").write_text("first")
    broker = f'port = {own_mosquitto.port}\nusername = "me"\npassword_file = "password"'
    text = configuration(own_mosquitto.port, broker=broker)
    assert "disconnected" in running.reload(text)
    assert "reloaded changed=false" in running.reload(text)
    (tmp_path / "password").write_text("s3cret")
    log = running.reload(text)
    assert "reloaded changed=true" in log
    assert "s3cret" not in log
    (tmp_path / "password").unlink()
    assert "reload_refused" in running.reload(text)
    assert running.service.end() == 0


def test_sigterm_during_a_reload_ends_it_properly(running: Reloaded, consumer: Consumer) -> None:
    assert running.service.process is not None
    consumer.publish_all("plant/pump/temp", [*NORMAL, reading(200, 99.0)])
    wait_until(consumer.events, what="the event")
    with running.service.path.open("a") as file:
        file.write("[[rule]]\nsensors = '**'\ndetectors.ewma.memory = 77\n")
    running.service.process.send_signal(signal.SIGHUP)
    running.manager.wait_for("RELOADING=1")
    assert running.service.end(signal.SIGTERM) == 0
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "offline", what="the goodbye")


def test_the_settings_of_an_embedded_broker_stay() -> None:
    text = '[[input]]\ntopic = "#"\n[broker]\nembedded = true\nport = '
    running, wanted = parse(f"{text}18831\n").configuration, parse(f"{text}18832\n").configuration
    taken, left = as_running(running, wanted)
    assert (taken, left) == (running, ["broker.port"])


@pytest.mark.parametrize("was_embedded", [True, False])
def test_a_broker_change_that_needs_a_restart_includes_its_address(was_embedded: bool) -> None:
    text = '[[input]]\ntopic = "#"\n[broker]\n'
    one, other = (parse(f"{text}{each}\n").configuration for each in ("embedded = true\nport = 18831", "port = 1885"))
    running, wanted = (one, other) if was_embedded else (other, one)
    taken, left = as_running(running, wanted)
    assert (taken, left) == (running, ["broker.embedded", "broker.port"])


def test_a_reload_gives_the_events_of_a_restart(tmp_path: Path, start_mosquitto: Callable[..., Mosquitto]) -> None:
    readings = [*NORMAL, reading(200, 99.0), *[reading(200 + i, 20.0 + i % 4) for i in range(1, 60)]]
    changed = "[[rule]]\nsensors = '**'\ndetectors.ewma.memory = 77\ndetectors.limits.high = 22.5\n"
    heard = []
    for how in ("reload", "restart"):
        broker = start_mosquitto()
        folder = tmp_path / how
        folder.mkdir()
        consumer = Consumer(broker.port, "edgewarden/#")
        with ServiceManager(folder) as manager:
            service = RunningService(folder, configuration(broker.port)).start(NOTIFY_SOCKET=manager.address)
            running = Reloaded(service, manager)
            consumer.publish_all("plant/pump/temp", readings[:200])
            text = f"{configuration(broker.port)}{changed}"
            if how == "reload":
                assert "reloaded changed=true" in running.reload(text)
            else:
                assert service.end() == 0
                service.path.write_text(text)
                service.start()
            consumer.publish_all("plant/pump/temp", readings[200:])
            wait_until(lambda consumer=consumer: len(consumer.events()) >= 4, what="events")
            assert service.end() == 0
            wait_until(
                lambda consumer=consumer: (consumer.latest("/status") or {}).get("state") == "offline", what="goodbye"
            )
        heard.append({each["id"]: each["data"] for each in consumer.events()})
        consumer.close()
    assert heard[0] == heard[1]


def test_closing_a_terminal_affects_nothing(tmp_path: Path, own_mosquitto: EmbeddedBroker, consumer: Consumer) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(configuration(own_mosquitto.port))
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CONTROLLED, str(path)],
        stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    try:
        wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 20, what="the start")
        os.close(ours)
        consumer.publish_all("plant/pump/temp", NORMAL)
        path.write_text("not a configuration")
        consumer.publish_all("plant/pump/temp", [reading(200, 99.0)])
        wait_until(consumer.events, what="an event")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


CONTROLLED = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal is this process's own: when it is closed, SIGHUP comes
from edge.commands import main
main(["run", sys.argv[1]])
"""
