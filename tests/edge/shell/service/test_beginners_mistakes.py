"""Beginners' mistakes: each ends the service with a line that says what is wrong and what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokers import Mosquitto
from click.testing import CliRunner
from running import ROOT, Consumer, RunningService, configuration, wait_until

from edge.commands import main
from edge.shell.broker.embedded import BrokerError, EmbeddedBroker

MakeService = Callable[[str], RunningService]

POWERS = "-dac_override,-dac_read_search"


@pytest.fixture
def powerless() -> list[str]:
    """The prefix of a command that makes file permissions apply, whichever user runs the tests."""
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        pytest.skip("root needs setpriv to go without its powers")
    return [program, f"--bounding-set={POWERS}", f"--inh-caps={POWERS}"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that isn't writable."""
    made = tmp_path / "closed"
    made.mkdir()
    made.chmod(0o555)
    yield made
    made.chmod(0o755)


def ended(command: list[str], folder: Path) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=20, check=False, text=True)
    return done.returncode, done.stderr


def test_a_folder_that_is_not_writable_is_named_and_not_waited_for(
    folder: Path, tmp_path: Path, powerless: list[str], free_port: int
) -> None:
    path = tmp_path / "edgewarden.toml"
    store = f'durability = "process"\npath = "{folder / "edgewarden.db"}"'
    path.write_text(configuration(free_port, store=store))
    code, said = ended([*powerless, sys.executable, "-m", "edge", "run", str(path)], tmp_path)
    assert code == 1
    assert f"the folder {folder} can't be written by user " in said
    assert "chown" in said
    assert list(folder.iterdir()) == []


def test_an_unreadable_password_file_is_named(tmp_path: Path, powerless: list[str], free_port: int) -> None:
    path, password = tmp_path / "edgewarden.toml", tmp_path / "password"
    password.write_text("secret")
    password.chmod(0)
    path.write_text(configuration(free_port, broker=f'port = {free_port}\nusername = "me"\npassword_file = "password"'))
    code, said = ended([*powerless, sys.executable, "-m", "edge", "run", str(path)], tmp_path)
    assert code == 2
    assert f"broker.password_file: the file {password} can't be read by this user" in said
    assert not (tmp_path / "edgewarden.db").exists()


def test_a_password_file_in_an_inaccessible_folder_is_named(
    tmp_path: Path, powerless: list[str], free_port: int
) -> None:
    path, closed = tmp_path / "edgewarden.toml", tmp_path / "closed"
    closed.mkdir()
    (closed / "password").write_text("secret")
    closed.chmod(0)
    path.write_text(
        configuration(free_port, broker=f'port = {free_port}\nusername = "me"\npassword_file = "closed/password"')
    )
    code, said = ended([*powerless, sys.executable, "-m", "edge", "run", str(path)], tmp_path)
    closed.chmod(0o755)
    assert code == 2
    assert "closed/password can't be read by this user" in said


@pytest.mark.long
def test_an_embedded_broker_whose_port_is_in_use_is_reported(
    start_mosquitto: Callable[..., Mosquitto], make_service: MakeService, tmp_path: Path
) -> None:
    port = start_mosquitto().port
    service = make_service(configuration(port, broker=f"port = {port}\nembedded = true")).start()
    assert service.process is not None
    assert service.process.wait(60) == 1
    assert f"port {port} of 127.0.0.1 is taken" in service.log.read_text()
    assert "leave out broker.embedded" in service.log.read_text()
    assert not (tmp_path / "edgewarden.db").exists()


@pytest.mark.long
def test_a_port_that_becomes_free_in_time_is_used(start_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> None:
    other = start_mosquitto()
    broker = EmbeddedBroker(tmp_path / "broker", port=other.port, moves=False)
    with pytest.raises(BrokerError, match="is taken"):
        broker.start()
    other.stop()
    broker.start()
    assert broker.port == other.port
    broker.stop()


@pytest.mark.long
def test_the_configuration_written_by_init_reads_a_typical_house(
    tmp_path: Path, start_mosquitto: Callable[..., Mosquitto], make_service: MakeService
) -> None:
    broker = start_mosquitto()
    house = Consumer(broker.port, "edgewarden/#")
    house.publish("homeassistant/sensor/x/config", json.dumps({"expire_after": 60, "name": "x"}), retain=True)
    written = CliRunner().invoke(main, ["init", str(tmp_path / "made.toml"), "--port", str(broker.port)])
    assert written.exit_code == 0, written.output
    service = make_service((tmp_path / "made.toml").read_text()).start()
    wait_until(lambda: (house.latest("/status") or {}).get("state") == "online", what="the start")
    house.publish("zigbee2mqtt/kitchen", json.dumps({"temperature": 21.3, "battery": 97, "action": None}))
    house.publish("tele/plug/SENSOR", json.dumps({"Time": "2026-01-01T00:00:00", "ENERGY": {"Power": 17}}))
    house.publish("esp/sensor/attic/state", "19.5")
    house.publish("zigbee2mqtt/bridge/state", "online")
    health = wait_until(
        lambda: (latest := house.latest("/health")) and latest["readings_taken"] >= 4 and latest, what="readings"
    )
    assert health["sensors"] == 4
    house.close()
    assert service.end() == 0
