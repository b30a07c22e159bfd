"""The readings kept in the store can be replayed, also with another configuration, and exported."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.loading import load
from edge.commands import main
from edge.core.model.readings.messages import Reading
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore

START = 1_700_000_000.0
CONFIGURATION = """
[gateway]
name = "gw"
[incidents]
threshold = {threshold}
[[input]]
topic = "plant/#"
"""


def some_readings(count: int = 3000) -> list[Reading]:
    noise = random.Random(5)
    return [
        Reading(
            f"plant/s{index % 3}",
            START + index / 3,
            round(20 + noise.gauss(0, 0.2) + (9 if index % 500 > 490 else 0), 3),
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, a store written by a service, and the events of that run."""
    folder = tmp_path_factory.mktemp("recorded")
    file = folder / "edgewarden.toml"
    file.write_text(CONFIGURATION.format(threshold=6.0))
    configuration = load(file)
    pipeline = make_pipeline(configuration, tells_of_sensors=True)
    store = SqliteStore(configuration.store.path, "process")
    readings = some_readings()
    with (folder / "live.jsonl").open("w") as live:
        for start in range(0, len(readings), 100):
            step = pipeline.process_readings(readings[start : start + 100])
            assert step.journal is not None
            store.append(step.events, [], pack([step.journal]), now=START + start)
            live.writelines(event.payload.decode() + "\n" for event in step.events)
            if start == 1500:
                store.remember(pipeline.save("digest"), "digest", START)
    store.close()
    return folder


def edgewarden(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_the_journal_gives_the_original_events(folder: Path) -> None:
    result = edgewarden("replay", "--journal", "--config", str(folder / "edgewarden.toml"))
    assert result.exit_code == 0
    assert result.stdout == (folder / "live.jsonl").read_text()
    assert "3,000 readings of 3 sensors" in result.stderr


def test_another_configuration_gives_its_own_incidents(folder: Path) -> None:
    other = folder / "other.toml"
    other.write_text(CONFIGURATION.format(threshold=90.0))
    result = edgewarden("replay", "--journal", str(folder / "edgewarden.db"), "--config", str(other))
    raised = [line for line in (folder / "live.jsonl").read_text().splitlines() if '"raised"' in line]
    assert raised
    assert sum('"transition":"raised"' in line for line in result.stdout.splitlines()) < len(raised)


def test_only_readings_since_a_time(folder: Path) -> None:
    result = edgewarden(
        *("replay", "--journal", "--config", str(folder / "edgewarden.toml"), "--since", "2023-11-14T22:38:20Z")
    )
    assert "1,500 readings of 3 sensors" in result.stderr


def test_replaying_the_export_gives_the_same_events(folder: Path) -> None:
    config = str(folder / "edgewarden.toml")
    exported = edgewarden("export", "--config", config, "--output", str(folder / "out.csv"))
    assert exported.exit_code == 0
    rows = list(csv.reader((folder / "out.csv").read_text().splitlines()))
    assert rows[0] == ["time", "sensor", "value"]
    assert [(sensor, float(value)) for _, sensor, value in rows[1:]] == [(r.sensor, r.value) for r in some_readings()]
    replayed = edgewarden("replay", str(folder / "out.csv"), "--config", config)
    assert [json.loads(line)["id"] for line in replayed.stdout.splitlines()] == [
        json.loads(line)["id"] for line in (folder / "live.jsonl").read_text().splitlines()
    ]


def test_an_export_of_one_sensor_and_a_period(folder: Path) -> None:
    result = edgewarden(
        *("export", str(folder / "edgewarden.db"), "--sensor", "*/s1"),
        *("--since", "2023-11-14T22:13:21Z", "--until", "2023-11-14T22:13:24Z"),
    )
    assert [line.split(",")[:2] for line in result.stdout.splitlines()[1:]] == [
        ["2023-11-14T22:13:21.333333Z", "plant/s1"],
        ["2023-11-14T22:13:22.333333Z", "plant/s1"],
        ["2023-11-14T22:13:23.333333Z", "plant/s1"],
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("replay",), "give a CSV file, or --journal"),
        (("replay", "x.csv", "--since", "24h"), "--since needs --journal"),
    ],
)
def test_contradictory_options_are_refused(arguments: tuple[str, ...], words: str) -> None:
    result = edgewarden(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_missing_store_is_reported(tmp_path: Path) -> None:
    result = edgewarden("export", str(tmp_path / "nothing.db"))
    assert result.exit_code == 1
    assert "no such file" in result.stderr
