"""`edgewarden shelved`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from paho.mqtt import publish

from edge.commands import main
from edge.shell.broker.embedded import EmbeddedBroker


def test_the_clock_of_the_readings_is_not_shown_as_the_age_of_the_list(
    own_mosquitto: EmbeddedBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewarden.toml").write_text(f'[broker]\nport = {own_mosquitto.port}\n[[input]]\ntopic = "plant/#"\n')
    listing = '{"time": "2026-11-28T09:18:15.672Z", "shelved": [], "maintenance": [], "sensors_quiet": 2}'
    publish.single("edgewarden/gateway/shelved", listing, retain=True, port=own_mosquitto.port)
    shown = CliRunner().invoke(main, ["shelved"], catch_exceptions=False)
    assert (shown.exit_code, shown.stdout) == (0, "2 sensors are quiet\n")
