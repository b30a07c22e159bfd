"""The sentences about a whole plant, with faults of every kind, never contradict each other."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edge.commands import main

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    readings = tmp_path_factory.mktemp("plant") / "readings.csv"
    made = [
        "simulate", "--sensors", "40", "--fault-share", "0.6", "--duration", "3d", "--interval", "5m", "--seed", "4",
        "--start", "2026-03-02T00:00:00Z", "--output", str(readings),
    ]  # fmt: skip
    assert CliRunner().invoke(main, made).exit_code == 0
    told = CliRunner().invoke(main, ["replay", str(readings)])
    assert told.exit_code == 0
    told_of = [json.loads(line)["data"] for line in told.stdout.splitlines()]
    return [each for each in told_of if "incident" in each]


def test_the_value_is_outside_the_expected_range_while_an_incident_is_open(
    events: list[dict[str, float]],
) -> None:
    quoted = [each for each in events if each["active"] and None not in (each["lower"], each["upper"])]
    assert len(quoted) > 30
    assert not [each["message"] for each in quoted if each["lower"] <= each["value"] <= each["upper"]]
