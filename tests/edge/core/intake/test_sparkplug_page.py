"""docs/howto/sparkplug.md: its messages give the sensors in its table, and its reasons match the code."""

from __future__ import annotations

import re
from pathlib import Path

from google.protobuf import json_format
from sparkplug_schema import CLASSES

from config.loading import parse
from edge.core.model.readings.messages import REASONS, Message
from edge.shell.service.assembly.parts import make_pipeline

PAGE = (Path(__file__).parents[4] / "docs" / "howto" / "sparkplug.md").read_text("utf-8")
ARRIVAL = 1_700_000_010.0
ROW = re.compile(r"^\| `([^`]+)` \| ([\d.]+|arrival) \| (-?[\d.]+) \|$", re.MULTILINE)
MESSAGE = re.compile(r"`(spBv1\.0/[^`]+)`.*?```json\n(.*?)```", re.DOTALL)


def test_its_messages_give_the_sensors_in_its_table() -> None:
    messages = [
        Message(topic, json_format.Parse(text, CLASSES["Payload"]()).SerializeToString(), ARRIVAL)
        for topic, text in MESSAGE.findall(PAGE.partition("## How messages become readings")[2])
    ]
    assert [each.topic.split("/")[2] for each in messages] == ["NBIRTH", "DBIRTH", "DDATA", "NDEATH"]
    pipeline = make_pipeline(parse('[[input]]\nconvention = "sparkplug"\n').configuration)
    batch = pipeline.intake.read(messages, [], [])
    names = [pipeline.sensors.names[slot] for slot in batch.slots]
    found = zip(names, batch.times.tolist(), batch.values.tolist(), strict=True)
    told = [
        (name, ARRIVAL if time == "arrival" else float(time), float(value)) for name, time, value in ROW.findall(PAGE)
    ]
    assert list(found) == told
    assert told[-1] == ("plant1/line1/", ARRIVAL, 0.0)
    assert pipeline.counters.readings_refused.total() == 0
    supply = pipeline.sensors.find("plant1/line1/supply")
    assert supply is not None
    assert pipeline.intake.units.of(supply) == "V"
    assert len(pipeline.intake.mistimed) == 1


def test_its_tables_of_inputs_are_valid_configurations() -> None:
    tables = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    more = 'topic = "spBv1.0/plant1/#"\nvalues = { Running = 1, Stopped = 0 }\n'
    found = [parse(each + more).configuration.inputs[0] for each in tables]
    assert [(each.format, each.host_id) for each in found] == [("sparkplug", None), ("sparkplug", "edgewarden")]


def test_it_names_existing_reasons() -> None:
    rows = PAGE.partition("## What is refused")[2]
    named = re.findall(r"\| `(\w+)` \|$", rows, re.MULTILINE)
    assert len(named) == 10
    assert set(named) <= REASONS.keys()
