"""Notifications to a service manager, with a real socket and a real service."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import Mosquitto
from running import RunningService, configuration
from service_manager import ServiceManager

from edge.shell.service.supervisor import EXTEND_EVERY_S, Supervisor
from edge.shell.system.notify import notify

MakeService = Callable[[str], RunningService]


@pytest.mark.parametrize("abstract", [False, True], ids=["a_file", "the_abstract_namespace"])
def test_notifications_arrive_at_a_socket(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ServiceManager(None if abstract else tmp_path) as manager:
        monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
        supervisor = Supervisor()
        supervisor.status("relearning")
        supervisor.ready()
        supervisor.alive()
        supervisor.stopping()
        assert manager.states() == ["STATUS=relearning", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_nothing_happens_without_a_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


def test_nothing_is_sent_twice_in_a_row() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    for _ in range(3):
        supervisor.ready()
        supervisor.status("connected")
    assert said == ["READY=1", "STATUS=connected"]


def test_a_reload_is_notified_at_its_beginning_and_end() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, lambda: 12.5)
    supervisor.ready()
    supervisor.reloading()
    supervisor.ready()
    assert said == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=12500000", "READY=1"]


def test_long_work_requests_more_time_regularly() -> None:
    said: list[str] = []
    now = 0.0
    supervisor = Supervisor(said.append, lambda: now)
    for _ in range(100):
        supervisor.working()
        now += EXTEND_EVERY_S / 10
    assert said == ["EXTEND_TIMEOUT_USEC=60000000\nWATCHDOG=1"] * 10


def test_a_service_is_ready_while_no_broker_answers_and_names_it(
    free_port: int, tmp_path: Path, make_service: MakeService, start_mosquitto: Callable[..., Mosquitto]
) -> None:
    broker = start_mosquitto()
    with ServiceManager(tmp_path) as manager:
        upstream = f'host = "127.0.0.1"\nport = {free_port}'
        service = make_service(configuration(broker.port, upstream=upstream)).start(NOTIFY_SOCKET=manager.address)
        manager.wait_for("READY=1")
        connected = f"STATUS=readings from 127.0.0.1:{broker.port} connected; events to 127.0.0.1:{free_port} NOT"
        at = manager.wait_for(connected)
        broker.kill()
        at = manager.wait_for(f"STATUS=readings from 127.0.0.1:{broker.port} NOT connected", at)
        broker.start()
        manager.wait_for(connected, at)
        manager.wait_for("WATCHDOG=1")
        assert service.end(signal.SIGTERM) == 0
        assert manager.states()[-1] == "STOPPING=1"
        assert manager.states().count("READY=1") == 1
