"""`edgewarden discover` against a real broker."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from paho.mqtt import publish

from config.loading import load
from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker

TASMOTA = '{"Time": "2023-11-14T23:13:20", "BME280": {"Temperature": 21.5, "Humidity": 48}, "TempUnit": "C"}'


@pytest.fixture
def folder(own_mosquitto: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for topic, payload in (("tele/boiler/SENSOR", TASMOTA), ("lab/b", "21,5"), ("lab/e", "1;2")):
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
    (folder / "edgewarden.toml").write_text(f"[broker]\nport = {own_mosquitto.port}\n")
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
