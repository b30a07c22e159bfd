"""Conventions: each is an input without faults that makes of its examples the sensors that it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from configurations import faults_of

from config.convention import Convention, conventions
from config.loading import parse
from edge.commands import main
from edge.commands.check import stands_for
from edge.core.model.messages import Message
from edge.shell.service.assembly import make_pipeline

PAGE = (Path(__file__).parents[2] / "docs" / "conventions.md").read_text("utf-8")
every = pytest.mark.parametrize("convention", conventions().values(), ids=lambda each: each.name)


def configured(name: str, more: str = "") -> str:
    return f'[[input]]\nconvention = "{name}"\n{more}'


@every
def test_one_line_is_an_input_without_faults_and_doubts(convention: Convention) -> None:
    inspection = parse(configured(convention.name))
    (given,) = inspection.configuration.inputs
    assert given.topic == convention.keys["topic"]
    assert inspection.doubts == ()


@every
def test_check_says_what_it_stands_for(convention: Convention, tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(configured(convention.name))
    said = CliRunner().invoke(main, ["check", str(path)], catch_exceptions=False)
    assert said.exit_code == 0
    assert f'convention = "{convention.name}" stands for {convention.title}' in said.stdout


@every
def test_its_examples_make_the_sensors_that_it_says_and_no_others(convention: Convention) -> None:
    assert convention.examples
    for example in convention.examples:
        pipeline = make_pipeline(parse(configured(convention.name)).configuration)
        batch = pipeline.intake.read([Message(example.topic, example.payload.encode(), 1_700_000_060.0)], [], [])
        names = [pipeline.sensors.names[slot] for slot in batch.slots]
        assert dict(zip(names, batch.values.tolist(), strict=True)) == example.sensors
        assert pipeline.counters.readings_refused.total() == 0


@every
def test_the_page_tells_its_input_its_payload_and_what_becomes_of_it(convention: Convention) -> None:
    chapter = PAGE.partition(f"## `{convention.name}`: {convention.title}\n")[2].partition("\n## ")[0]
    assert convention.note in chapter
    assert convention.source in chapter
    for key in convention.keys:
        assert f"\n{key} = " in chapter
    for example in convention.examples:
        assert example.topic in chapter
        assert example.payload in chapter
        for name, value in example.sensors.items():
            assert f"| `{name}` | {value:g} |" in chapter


def test_each_key_of_a_convention_can_be_overridden_and_check_says_so() -> None:
    (given,) = parse(configured("tasmota", 'topic = "home/+/SENSOR"\n')).configuration.inputs
    assert (given.topic, given.sensor, given.time) == ("home/+/SENSOR", "{1}/{field}", "arrival")
    lines = stands_for(given)
    assert '  topic = "home/+/SENSOR"  # your own' in lines
    assert '  time = "arrival"' in lines


def test_an_unknown_convention_is_a_fault_that_offers_the_nearest() -> None:
    (fault,) = faults_of(configured("tasmotta", 'topic = "a"\n'))
    assert (fault.key, fault.message) == (
        "input[0].convention",
        'is no convention; did you mean tasmota?, is "tasmotta"',
    )


def test_the_readings_are_those_of_an_input_that_spells_out_the_same_keys() -> None:
    (short,) = parse(configured("esphome")).configuration.inputs
    keys = 'format = "number"\nsensor = "{1}/{2}"\nno_value = ["nan", "NaN", "unknown", "unavailable"]'
    (spelled,) = parse(f'[[input]]\ntopic = "+/sensor/+/state"\n{keys}\n').configuration.inputs
    assert short.decisive() == spelled.decisive()
