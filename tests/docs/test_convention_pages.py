"""The page of each convention: its payloads, read by its input, give the listed sensors."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import write_convention_pages

from config.loading import parse
from config.tables.convention import conventions
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.model.sensors.sensors import is_device
from edge.shell.service.assembly.parts import make_pipeline

FOLDER = Path(__file__).parents[2] / "docs" / "howto" / "conventions"
ON = re.compile(r"^On `([^`]+)`(?: \(binary, shown in hexadecimal\))?:$", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]+)` \| (\S+) \|$", re.MULTILINE)
every = pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda each: each.stem)


def block(language: str, text: str, place: int = 0) -> str:
    """A fenced block on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[place]


def sensors_of(configuration: str, topic: str, payload: bytes) -> dict[str, float]:
    pipeline = make_pipeline(parse(configuration).configuration)
    letters: list[DeadLetter] = []
    batch = pipeline.intake.read([Message(topic, payload, 1_700_000_060.0)], letters, [])
    assert letters == []
    names = [pipeline.sensors.names[slot] for slot in batch.slots]
    return {name: value for name, value in zip(names, batch.values.tolist(), strict=True) if not is_device(name)}


def test_each_convention_has_a_page_that_matches_its_toml_file() -> None:
    assert {each.stem for each in FOLDER.glob("*.md")} == conventions().keys()
    for path, text in write_convention_pages.wanted().items():
        assert path.read_text("utf-8") == text, "run: python docs/write_convention_pages.py"


@every
def test_the_payloads_of_a_page_give_the_listed_sensors_with_one_line_and_with_all_keys(page: Path) -> None:
    text = page.read_text("utf-8")
    short, spelled = block("toml", text), block("toml", text, 1)
    begins = [each.start() for each in ON.finditer(text)]
    assert begins
    for begin, end in pairwise([*begins, len(text)]):
        example = text[begin:end]
        said = ON.match(example)
        assert said is not None
        shown = block("text", example).removesuffix("\n")
        payload = bytes.fromhex(shown) if "hexadecimal" in example.splitlines()[0] else shown.encode()
        expected = {name: float(value) for name, value in ROW.findall(example)}
        assert bool(expected) != ("it contains no sensor" in example)
        for configuration in (short, spelled):
            assert sensors_of(configuration, said[1], payload) == expected
