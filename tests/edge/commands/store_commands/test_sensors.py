"""`edgewarden sensors`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from owned_stores import HOUR_AGO, edgewarden, json_lines

from config.loading import load
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore


def test_sensors_are_listed_with_the_journal_since_the_snapshot(store: Path) -> None:
    fan, oven = sorted(json_lines(edgewarden("sensors", "--json")), key=lambda each: each["sensor"])
    assert (fan["sensor"], fan["value"], fan["readings"], fan["interval_s"]) == ("plant/fan", 7.0, 5, 10.0)
    assert (oven["value"], oven["readings"], oven["interval_s"]) == (200.0, 100, 10.0)
    assert oven["age_s"] == pytest.approx(time.time() - HOUR_AGO - 990, abs=60)
    assert (fan["learned"], oven["learned"]) == ("new", "learning")


def test_sensors_list_their_detectors(store: Path) -> None:
    fan, oven = sorted(json_lines(edgewarden("sensors", "--json")), key=lambda each: each["sensor"])
    assert (oven["rule"], oven["unit"], oven["limits"]) == ("plant/oven", "Cel", {"high": 250.0})
    assert "limits" in oven["detectors"]
    assert (fan["rule"], fan["unit"], fan["limits"]) == (None, "", None)
    assert "ewma" in fan["detectors"]


def test_sensors_have_the_units_of_their_payloads_unless_a_rule_gives_one(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    kept = SqliteStore(configuration.store.path)

    def say(number: int, **units: str) -> None:
        messages = [
            Message(f"plant/{name}", f'{{"value": {number}, "unit": "{unit}"}}'.encode(), HOUR_AGO + number)
            for name, unit in units.items()
        ]
        step = pipeline.process(messages)
        assert step.journal is not None
        kept.append(step.events, [], pack([step.journal]), now=HOUR_AGO + number)

    say(1, fan="1/min", oven="degF")
    kept.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    say(2, pump="bar", fan="1/min")
    kept.close()
    units = {each["sensor"]: each["unit"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert units == {"plant/fan": "1/min", "plant/oven": "Cel", "plant/pump": "bar"}
    for command in (["sensors"], ["sensors", "--long"], ["top", "--once"]):
        text = " ".join(edgewarden(*command).output.split())
        assert [each in text for each in ("2 1/min", "1 Cel", "2 bar")] == [True, True, True], command


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_list_of_sensors_truncates_nothing(store: Path, columns: int) -> None:
    result = edgewarden("sensors", columns=columns)
    text = " ".join(result.stdout.split())
    assert text.startswith("2 sensors; the service is not running")
    assert "plant/oven 200 Cel" in text
    assert "limits (high 250)" in text
    assert max(map(len, result.stdout.splitlines())) <= columns


def test_one_sensor_with_all_details(store: Path) -> None:
    text = " ".join(edgewarden("sensors", "--long", "plant/oven").stdout.split())
    assert "learned learning: 100 readings" in text
    assert "limits high 250" in text
    assert "interval 10 s" in text


@pytest.mark.long
def test_machines_list_their_states(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    for minute in range(3000):
        pump = 3.2 if minute % 40 < 8 else 0.0
        values = {"plant/noise": float(minute % 7), "plant/oven": pump, "plant/pump": pump}
        time_s = HOUR_AGO - 200_000.0 + 60.0 * minute
        pipeline.process([Message(name, str(value).encode(), time_s) for name, value in values.items()])
    store = SqliteStore(configuration.store.path)
    store.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    store.close()
    rows = {each["sensor"]: each["states"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert rows == {"plant/noise": [], "plant/pump": [0, 3.2], "plant/oven": [0, 3.2]}
    assert "states 0, 3.2" in " ".join(edgewarden("sensors", "--long", "plant/pump").stdout.split())
    assert "0, 3.2" in edgewarden("sensors").stdout


def test_counters_give_the_reason_and_their_rate(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    for minute in range(1600):
        values = {"plant/noise": float(minute % 7), "plant/water": 10.0 * minute + minute * minute % 13 / 4}
        time_s = HOUR_AGO - 200_000.0 + 60.0 * minute
        pipeline.process([Message(name, str(value).encode(), time_s) for name, value in values.items()])
    store = SqliteStore(configuration.store.path)
    store.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    store.close()
    rows = {each["sensor"]: each["counter"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert rows["plant/noise"] is None
    assert rows["plant/water"] == {"by": "it only rises", "unit": "1/min", "stretch_s": 60.0}
    text = " ".join(edgewarden("sensors", "--long", "plant/water").stdout.split())
    assert "since it only rises, except for resets; monitored by its pace in 1/min over 1 min" in text


def test_sensors_of_a_store_without_configuration_show_what_is_known(
    store: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    result = edgewarden("sensors", "--store", str(store))
    assert result.exit_code == 0
    assert "plant/oven" in result.stdout
    assert "name it with --config" in result.stderr


def test_a_sensor_says_with_which_others_it_is_compared(store: Path) -> None:
    path = Path("edgewarden.toml")
    path.write_text(path.read_text() + '[[rule]]\nsensors = "plant/*"\npeers = ["plant/*"]\n')
    rows = {each["sensor"]: each["peers"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert rows == {"plant/fan": [], "plant/oven": []}  # the first rule for the oven has no peers
    path.write_text(path.read_text().replace("[[rule]]", '[[rule]]\npeers = ["plant/*"]', 1))
    assert "companions fan" in " ".join(edgewarden("sensors", "-l", "plant/oven").stdout.split())
    path.write_text(path.read_text().replace("[[rule]]", "[[rule]]\ncompanions = false", 1))
    companions = {each["sensor"]: each["companions"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert companions == {"plant/fan": [], "plant/oven": []}
    assert "peers plant/fan (too few to compare)" in " ".join(edgewarden("sensors", "-l", "plant/oven").stdout.split())


def test_an_unknown_sensor_is_an_error_that_suggests_the_nearest(store: Path) -> None:
    result = edgewarden("sensors", "plant/ovne")
    assert result.exit_code == 1
    assert "the nearest are plant/oven" in result.stderr


def test_only_one_glob_is_accepted(store: Path) -> None:
    assert json_lines(edgewarden("sensors", "--sensor", "*/fan", "--json"))[0]["sensor"] == "plant/fan"
    assert edgewarden("sensors", "*/fan", "--sensor", "*/oven").exit_code == 2
