"""`edgewarden bench` measures a machine; the tests check that its report matches its measurements."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.loading import parse
from edge.capacity import machine
from edge.commands import main
from edge.shell.store import SqliteStore

INPUTS = {
    "json": '[[input]]\ntopic = "plant/+/state"\n',
    "other keys": '[[input]]\ntopic = "a"\nvalue_key = "v"\ntime_keys = ["when"]\nzone = "Europe/Berlin"\n',
    "msgpack": '[[input]]\ntopic = "plant/+/state"\nformat = "msgpack"\n',
    "cbor": '[[input]]\ntopic = "plant/+/state"\nformat = "cbor"\n',
    "senml": '[[input]]\ntopic = "plant/#"\nformat = "senml"\n',
    "senml-cbor": '[[input]]\ntopic = "plant/#"\nformat = "senml-cbor"\n',
    "influx": '[[input]]\ntopic = "plant/#"\nformat = "influx"\nprecision = "ms"\n',
    "sparkplug": '[[input]]\nconvention = "sparkplug"\n',
    "number": '[[input]]\ntopic = "plant/#"\nformat = "number"\nsensor = "{topic}"\n',
}
STORE = '[broker]\nin_flight = 1000\n[store]\npath = "{path}"\ndurability = "process"\n'


def text(kind: str, folder: Path) -> str:
    return STORE.format(path=folder / "edgewarden.db") + INPUTS[kind]


@pytest.mark.parametrize("kind", INPUTS)
def test_every_reading_of_the_plant_goes_through_the_whole_pipeline(kind: str, tmp_path: Path) -> None:
    configuration = parse(text(kind, tmp_path), "test").configuration
    run = machine.run_line(configuration, 20, 200.0, tmp_path, paced=True, seconds=0.5)
    assert run.readings > 0
    assert run.cpu_s > 0
    assert abs(run.readings - 200.0 * run.plant_s) <= 0.02 * 200 + 20
    costs = machine.measure_parts(configuration, 20, tmp_path)
    assert min(costs.link, costs.decode, costs.detect, costs.store) > 0


@pytest.mark.parametrize("kind", INPUTS)
def test_the_plant_sends_the_format_of_the_first_input(kind: str, tmp_path: Path) -> None:
    told = machine.bench_input(parse(text(kind, tmp_path), "test").configuration)
    pipeline = machine.make_pipeline(told)
    plant = machine.LoadPlant(5, 100.0, machine.message_of(told.inputs[0]))
    pipeline.process(plant.until(0.5, 1000))
    availability = kind == "sparkplug"  # of the node
    assert len(pipeline.sensors) == 5 + availability
    assert pipeline.counters.readings_taken - availability == plant.sent == 50
    assert pipeline.counters.balanced


@pytest.mark.long
def test_nothing_is_left_behind_and_an_existing_store_is_not_touched(tmp_path: Path) -> None:
    path, store = tmp_path / "edgewarden.toml", tmp_path / "edgewarden.db"
    path.write_text(text("json", tmp_path))
    SqliteStore(store).close()
    mine = store.read_bytes()
    done = CliRunner().invoke(main, ["bench", str(path), "--sensors", "10", "--seconds", "1"])
    assert done.exit_code == 0, done.output
    assert "readings a second on 50% of a core" in done.output
    assert "To the disk" in done.output
    assert store.read_bytes() == mine
    assert {each.name for each in tmp_path.iterdir()} == {"edgewarden.toml", "edgewarden.db"}


@pytest.mark.long
def test_a_small_window_is_named_as_the_bottleneck(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(text("json", tmp_path).replace("1000", "20"))
    done = CliRunner().invoke(main, ["bench", str(path), "--sensors", "50", "--seconds", "1"])
    assert "broker.in_flight is 20" in done.output


@pytest.mark.long
def test_the_figures_are_available_as_json(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(text("json", tmp_path))
    done = CliRunner().invoke(main, ["bench", str(path), "--sensors", "10", "--seconds", "1", "--json"])
    figures = json.loads(done.output)
    assert figures["sensors"] == 10
    assert figures["busy"]["readings"] > figures["asked"]["readings"]


def test_a_faulty_configuration_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text("[[input]]\n")
    done = CliRunner().invoke(main, ["bench", str(path)])
    assert done.exit_code == 2
    assert "input" in done.output
