"""The pages of docs/: their links work, their tables match the code, and their example code runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import get_args

import click
import pytest
from click.testing import CliRunner
from detector_contract import CHECKS
from detector_runs import Subject
from store_examples import event
from write_event_reference import PAGE as EVENTS
from write_event_reference import rewritten

from edge.core.incidents.events.event import Kind, TransitionName
from edge.core.intake.decoders import Decoder
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Refused
from edge.shell.store import SqliteStore

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\[[^]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
DETECTOR, DECODER, COMMAND = (
    ROOT / "docs" / "howto" / f"write-a-{each}.md" for each in ("detector", "decoder", "command")
)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_on_a_page_leads_to_an_existing_file_and_heading(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for path, anchor in LINK.findall(text):
        if "://" in path:
            continue
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), path
        assert not anchor or anchor in anchors(there), f"{path}#{anchor}"


def test_every_page_can_be_reached_from_the_index_or_from_the_list_of_conventions() -> None:
    lists = ROOT / "docs" / "README.md", ROOT / "docs" / "reference" / "conventions.md"
    linked = {
        (page.parent / path).resolve() for page in lists for path, _ in LINK.findall(page.read_text("utf-8")) if path
    }
    assert {page for page in (ROOT / "docs").rglob("*.md") if page != lists[0]} <= linked


def test_the_reference_of_events_matches_the_models() -> None:
    page = EVENTS.read_text("utf-8")
    assert rewritten(page) == page, "run python docs/write_event_reference.py"
    assert "|  |" not in page, "a field without a description"


def test_the_reference_explains_every_kind_and_transition() -> None:
    page = EVENTS.read_text("utf-8")
    explained = {
        word for row in re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
    }
    assert {*get_args(Kind), *get_args(TransitionName)} <= explained


def test_the_page_of_topics_has_every_topic() -> None:
    page = (ROOT / "docs" / "reference" / "topics.md").read_text("utf-8")
    topics = Topics("{base}")
    plain = {getattr(topics, name) for name, kind in vars(Topics).items() if isinstance(kind, property)}
    assert {
        each for each in {*plain, topics.anomaly("{sensor}"), topics.state("{sensor}")} if f"| `{each}` |" not in page
    } == set()
    assert f"| `{topics.command('{name}')}` |" in page


@pytest.fixture
def module(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModuleType]:
    """The first Python block of a page, as a module."""
    path = tmp_path / "from_a_page.py"
    path.write_text(CODE.findall(request.param.read_text("utf-8"))[0])
    spec = spec_from_file_location("from_a_page", path)
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules["from_a_page"] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules["from_a_page"]


@pytest.mark.parametrize("module", [DETECTOR], indirect=True)
@pytest.mark.parametrize("promise", CHECKS)
def test_the_detector_on_the_page_meets_the_contract(module: ModuleType, promise: str) -> None:
    CHECKS[promise](Subject(module.RecordBreak()))


@pytest.mark.parametrize("module", [DECODER], indirect=True)
def test_the_decoder_on_the_page_reads_the_documented_payloads(module: ModuleType) -> None:
    decoder: Decoder = module.PairsDecoder(values={"open": 1.0})
    decoded = decoder.decode(b"temp=21.5;hum=40;door=open;x=wet;=3")
    assert [(each.path, each.value) for each in decoded.samples] == [("temp", 21.5), ("hum", 40.0), ("door", 1.0)]
    assert [each.reason for each in decoded.refusals] == ["malformed", "malformed"]
    for payload in (b"", b"\xff", b"x", b"a=nan", b";" * 1000):
        with pytest.raises(Refused):
            decoder.decode(payload)


@pytest.mark.parametrize("module", [COMMAND], indirect=True)
def test_the_command_on_the_page_lists_the_content_of_the_store(module: ModuleType, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    store.append([event(n)._replace(sensor=sensor) for n, sensor in enumerate("abb", 1)], [], None, now=0.0)
    store.close()
    command: click.Command = module.worst
    result = CliRunner().invoke(command, ["--store", str(store.path)])
    assert result.exit_code == 0
    assert [line.split() for line in result.output.splitlines()] == [["2", "b"], ["1", "a"]]
