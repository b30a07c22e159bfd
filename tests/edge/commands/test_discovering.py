"""`edgewarden discover` against a real broker."""

from __future__ import annotations

import logging
from pathlib import Path

import mqtt_bytes as mqtt
import pytest
from click.testing import CliRunner, Result
from paho.mqtt import publish
from stub_broker import Client, StubBroker

from config.loading import load
from edge.commands import discover as module
from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker

TASMOTA = '{"Time": "2023-11-14T23:13:20", "BME280": {"Temperature": 21.5, "Humidity": 48}, "TempUnit": "C"}'


@pytest.fixture
def folder(own_mosquitto: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for topic, payload in (("tele/boiler/SENSOR", TASMOTA), ("lab/b", "21,5"), ("lab/e", "1;2.5;ok")):
        publish.single(topic, payload, retain=True, port=own_mosquitto.port)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def discover(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["discover", "--seconds", "1", *arguments], catch_exceptions=False)


def test_it_lists_what_it_receives_and_writes_a_new_configuration(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    found = discover("--port", str(own_mosquitto.port), "--write")
    assert found.exit_code == 0
    shown = (
        "tasmota: Tasmota, 1 topic",
        "Sensors (3)",
        "boiler/BME280/Temperature",
        "lab/e: not JSON but numbers in a row",
        "decimal =",
    )
    for words in shown:
        assert words in found.stdout
    configuration = load(folder / "edgewarden.toml")
    assert configuration.inbound.port == own_mosquitto.port
    assert [(each.convention, each.topic) for each in configuration.inputs] == [
        ("tasmota", "tele/+/SENSOR"),
        (None, "lab/b"),
    ]


def test_it_says_at_once_how_long_it_listens(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    found = discover("--port", str(own_mosquitto.port))
    assert found.stderr.startswith(f"Listening to 127.0.0.1:{own_mosquitto.port} for 1 s\n")
    assert found.stdout.startswith("Heard 3 messages on 3 topics of ")


def test_it_says_why_nothing_is_readable(
    own_mosquitto: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for topic, payload in (("cam/a", b"\xff\xd8\xff\xe0"), ("gw/uptime", "3600")):
        publish.single(topic, payload, retain=True, port=own_mosquitto.port)
    found = discover("--port", str(own_mosquitto.port))
    assert (found.exit_code, "nothing readable was received" in found.stderr) == (1, True)
    assert "cam/a: not JSON; looks like a JPEG image" in found.stdout
    assert "gw/uptime: contains only information about its sender" in found.stdout


def test_a_missing_configuration_is_an_error_unless_the_broker_is_given(
    own_mosquitto: EmbeddedBroker, folder: Path
) -> None:
    missing = discover("--config", str(folder / "typo.toml"), "--write")
    assert (missing.exit_code, f"{folder / 'typo.toml'}: there is no such file" in missing.stderr) == (2, True)
    port = str(own_mosquitto.port)
    assert discover("--config", str(folder / "new.toml"), "--port", port, "--write").exit_code == 0
    assert [path.name for path in folder.glob("*.toml")] == ["new.toml"]


def test_a_broker_that_refuses_the_password_is_not_reported_as_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "CONNECTING_S", 1.0)
    monkeypatch.setattr(logging.getLogger("edgewarden"), "propagate", False)  # as outside of tests
    with StubBroker(refusing) as broker:
        refused = discover("--port", str(broker.port))
    assert refused.exit_code == 1
    why = f"no connection to the broker 127.0.0.1:{broker.port}: Not authorized: see username and the password, "
    assert refused.stderr.splitlines()[-1].startswith(f"Error: {why}")
    assert "connect_refused" not in refused.stderr + capfd.readouterr().err


def refusing(client: Client) -> None:
    client.read()
    client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x87\x00"))


def test_without_the_option_write_nothing_is_written(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    assert discover("--port", str(own_mosquitto.port)).exit_code == 0
    assert not (folder / "edgewarden.toml").exists()


def test_the_broker_of_a_configuration_can_not_be_given_again(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    (folder / "edgewarden.toml").write_text(f'[broker]\nport = {own_mosquitto.port}\n[[input]]\ntopic = "x"\n')
    refused = discover("--port", "1883")
    assert (refused.exit_code, "change host and port in its [broker] table" in refused.stderr) == (2, True)
    assert discover("--write").exit_code == 0
    assert [each.topic for each in load(folder / "edgewarden.toml").inputs] == ["x", "tele/+/SENSOR", "lab/b"]


def test_a_configuration_without_inputs_gets_the_inputs_found(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    text = f"\ufeff[broker]\nport = {own_mosquitto.port}\n"  # as some editors save it
    (folder / "edgewarden.toml").write_text(text, encoding="utf-8")
    assert discover("--write").exit_code == 0
    assert [each.topic for each in load(folder / "edgewarden.toml").inputs] == ["tele/+/SENSOR", "lab/b"]


def test_an_existing_input_is_not_written_again(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    written = f'[broker]\nport = {own_mosquitto.port}\n[[input]]\ntopic = "lab/b"\nformat = "number"\n'
    (folder / "edgewarden.toml").write_text(written)
    found = discover("--write")
    assert found.exit_code == 0
    assert "has an input for lab/b already" in found.stdout
    inputs = load(folder / "edgewarden.toml").inputs
    assert [(each.topic, each.decimal) for each in inputs] == [("lab/b", "."), ("tele/+/SENSOR", ".")]


def test_nothing_is_written_if_every_input_exists(own_mosquitto: EmbeddedBroker, folder: Path) -> None:
    inputs = '[[input]]\nconvention = "tasmota"\n[[input]]\ntopic = "lab/b"\ndecimal = ","\nformat = "number"\n'
    (folder / "edgewarden.toml").write_text(f"[broker]\nport = {own_mosquitto.port}\n{inputs}")
    before = (folder / "edgewarden.toml").read_text()
    assert discover("--write").exit_code == 0
    assert (folder / "edgewarden.toml").read_text() == before
