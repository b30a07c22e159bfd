"""The pages about formats: each example gives the documented result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline

DOCS = Path(__file__).parents[4] / "docs" / "howto"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \| ([\d.]+) \| (-?[\d.]+) \|$", re.MULTILINE)
PAGES = {
    "senml.md": ("json", "plant/line1/senml"),
    "influx.md": ("influx", "telegraf/gw7/metrics"),
    "text.md": ("pairs", "weather/roof"),
}
"""The language of the page's payload, and the topic on which it arrives."""


@pytest.mark.parametrize("page", PAGES)
def test_the_example_of_a_page_gives_the_sensors_of_its_table(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    language, topic = PAGES[page]
    blocks = BLOCK.findall(text)
    configuration = next(body for kind, body in blocks if kind == "toml")
    payload = next(body for kind, body in blocks if kind == language)
    pipeline = make_pipeline(parse(configuration, page).configuration)
    batch = pipeline.intake.read([Message(topic, payload.encode(), 1_700_000_060.0)], [], [])
    found = [
        (pipeline.sensors.names[slot], time, value)
        for slot, time, value in zip(batch.slots.tolist(), batch.times.tolist(), batch.values.tolist(), strict=True)
    ]
    told = [(name, float(time), float(value)) for name, time, value in ROW.findall(text)]
    assert len(told) > 2
    assert sorted(found) == sorted(told)
    assert pipeline.counters.readings_refused.total() == 0
