"""Conventions: each is a valid input that turns its examples into the listed sensors."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from configurations import faults_of

from config.loading import parse
from config.tables.convention import Convention, conventions
from edge.commands import main
from edge.commands.explanation.inputs import stands_for
from edge.core.intake.routes import match
from edge.core.model.readings.messages import Message
from edge.core.model.sensors.sensors import is_device
from edge.shell.service.assembly.parts import make_pipeline, subscriptions_of

every = pytest.mark.parametrize("convention", conventions().values(), ids=lambda each: each.name)


def configured(name: str, more: str = "") -> str:
    return f'[[input]]\nconvention = "{name}"\n{more}'


@every
def test_one_line_is_an_input_without_errors_and_warnings(convention: Convention) -> None:
    inspection = parse(configured(convention.name))
    (given,) = inspection.configuration.inputs
    assert given.topic == convention.keys["topic"]
    assert inspection.doubts == ()


@every
def test_check_explains_its_meaning(convention: Convention, tmp_path: Path) -> None:
    path = tmp_path / "edgewarden.toml"
    path.write_text(configured(convention.name))
    said = CliRunner().invoke(main, ["check", str(path)], catch_exceptions=False)
    assert said.exit_code == 0
    assert f'convention = "{convention.name}" stands for {convention.title}' in said.stdout


@every
def test_its_examples_give_exactly_the_listed_sensors(convention: Convention) -> None:
    assert convention.examples
    for example in convention.examples:
        pipeline = make_pipeline(parse(configured(convention.name)).configuration)
        batch = pipeline.intake.read([Message(example.topic, example.to_bytes(), 1_700_000_060.0)], [], [])
        names = [pipeline.sensors.names[slot] for slot in batch.slots]
        found = zip(names, batch.values.tolist(), strict=True)
        assert {name: value for name, value in found if not is_device(name)} == example.sensors
        assert pipeline.counters.readings_refused.total() == 0


def test_each_key_of_a_convention_can_be_overridden_and_check_says_so() -> None:
    (given,) = parse(configured("tasmota", 'topic = "home/+/SENSOR"\n')).configuration.inputs
    assert (given.topic, given.sensor, given.time) == ("home/+/SENSOR", "{1}/{field}", "arrival")
    lines = stands_for(given)
    assert '  topic = "home/+/SENSOR"  # your own' in lines
    assert '  time = "arrival"' in lines


def test_an_unknown_convention_is_an_error_that_suggests_the_nearest() -> None:
    (fault,) = faults_of(configured("tasmotta", 'topic = "a"\n'))
    assert (fault.key, fault.message) == (
        "input[0].convention",
        'isn\'t a convention; did you mean tasmota?, is "tasmotta"',
    )


def test_the_readings_equal_those_of_an_input_with_the_same_keys_written_out() -> None:
    (short,) = parse(configured("esphome")).configuration.inputs
    keys = 'format = "number"\nsensor = "{1}/{2}"\nno_value = ["nan", "NaN", "unknown", "unavailable"]'
    (spelled,) = parse(f'[[input]]\ntopic = "+/sensor/+/state"\n{keys}\n').configuration.inputs
    assert short.decisive() == spelled.decisive()


def test_a_device_of_a_convention_that_reports_itself_offline_is_one_incident() -> None:
    for convention in conventions().values():
        if "availability" not in convention.keys:
            continue
        pipeline = make_pipeline(parse(configured(convention.name)).configuration)
        example = convention.examples[0]
        pipeline.process([Message(example.topic, example.payload.encode(), 1_700_000_060.0)])
        stands_for = match(convention.keys["topic"].split("/"), example.topic.split("/")) or []
        of = convention.keys["availability"]
        first = stands_for[0] if "{1}" in of else example.topic.partition("/")[0]
        topic = of.replace("{1}", first)
        words = [Message(topic, word, 1_700_000_070.0, retained=True) for word in (b"offline", b'{"state":"online"}')]
        events = [event for word in words for event in pipeline.process([word]).events]
        assert [(each.transition, each.sensor) for each in events] == [
            ("raised", f"{first}/"),
            ("cleared", f"{first}/"),
        ]
        assert pipeline.intake.input_of(topic) == convention.keys["topic"]


def test_the_availability_of_a_convention_is_dropped_where_it_no_longer_fits() -> None:
    (given,) = parse(configured("tasmota", 'topic = "tele/boiler/SENSOR"\nsensor = "{field}"\n')).configuration.inputs
    assert given.availability is None
    (own,) = faults_of(configured("tasmota", 'sensor = "{field}"\navailability = "tele/{1}/LWT"\n'))
    assert own.key == "input[0].availability"
    assert own.message.startswith('needs sensors whose names begin with their device, such as sensor = "{1}/{field}"')


@pytest.mark.parametrize(
    ("keys", "key", "message"),
    [
        ('availability = "a/{2}"', "availability", "asks for {2}, but the topic tele/+/SENSOR has 1 wildcards"),
        ('availability = "a/+"', "availability", "may hold placeholders such as {1} as whole levels, and no wildcards"),
        ('availability = "{1}/{1}"', "availability", "holds {1} twice"),
        ('available = ["up"]\nunavailable = ["UP"]', "unavailable", "holds 'up', which available holds too"),
    ],
)
def test_impossible_values_are_errors(keys: str, key: str, message: str) -> None:
    (fault,) = faults_of(configured("tasmota", f"{keys}\n"))
    assert (fault.key, fault.message.partition(", is ")[0]) == (f"input[0].{key}", message)


def test_availability_states_can_be_added_and_changed() -> None:
    keys = 'available = ["up"]\nunavailable = ["Ready"]\n'
    pipeline = make_pipeline(parse(configured("tasmota", keys)).configuration)
    (example,) = conventions()["tasmota"].examples
    pipeline.process([Message(example.topic, example.payload.encode(), 1_700_000_060.0)])
    words = (b"READY", b"Up", b"Offline", b"online")
    said = [Message("tele/boiler/LWT", word, 1_700_000_070.0 + place) for place, word in enumerate(words)]
    transitions = [event.transition for each in said for event in pipeline.process([each]).events]
    assert transitions == ["raised", "cleared", "raised", "cleared"]


def test_the_topic_of_availability_is_subscribed_to_unless_an_input_covers_it() -> None:
    def filters(text: str) -> list[str]:
        return [each.filter for each in subscriptions_of(parse(text).configuration)]

    assert "tele/+/LWT" in filters(configured("tasmota"))
    assert [each for each in filters(configured("zigbee2mqtt")) if "zigbee" in each] == ["zigbee2mqtt/#"]
    assert filters(configured("esphome") + configured("esphome-binary")).count("+/status") == 1


def test_a_topic_that_another_input_covers_is_not_subscribed_to_twice() -> None:
    inputs = ("lab/b/temp", 1), ("lab/#", 0), ("homeassistant/sensor/+/state", 1), ("+/sensor/+/state", 0), ("x/+", 0)
    text = "".join(f'[[input]]\ntopic = "{topic}"\nqos = {qos}\n' for topic, qos in inputs)
    wanted = subscriptions_of(parse(f"{text}\n[commands]\nenabled = false\n").configuration)
    assert wanted == [("lab/#", 1), ("+/sensor/+/state", 1), ("x/+", 0)]
