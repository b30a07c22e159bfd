"""The arrows of the architecture, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("detectors", "config", "edge", "simulators")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "detectors": {"detectors"},
    "config": {"config", "detectors"},
    "edge": {"edge", "config", "detectors"},
    "simulators": {"simulators", "edge"},
}
PURE = ("detectors", "edge/core")
NOT_IN_THE_CORE = (
    "asyncio http logging multiprocessing os pathlib random secrets selectors shutil signal socket sqlite3 ssl"
    " subprocess tempfile threading time urllib uuid paho sqlite_utils"
)


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_follow_the_arrows(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {each.split(".")[0] for each in imports(path)} & {*PACKAGES, "tests"}
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", [each for each in FILES if name(each).startswith(PURE)], ids=name)
def test_the_core_has_no_socket_file_thread_or_clock(path: Path) -> None:
    assert not {each.split(".")[0] for each in imports(path)} & set(NOT_IN_THE_CORE.split())


def test_detectors_need_nothing_but_numpy() -> None:
    words = "__future__ abc collections dataclasses functools io itertools json math typing types"
    standard = set(words.split())
    for path in FILES:
        if name(path).startswith("detectors/"):
            assert {each.split(".")[0] for each in imports(path)} <= {*standard, "detectors", "numpy"}, path


def test_simulators_know_only_messages_events_and_the_link() -> None:
    allowed = {"edge.core.model.messages", "edge.core.incidents.events", "edge.core.model.topics", "edge.shell"}
    for path in FILES:
        if name(path).startswith("simulators/"):
            ours = {each for each in imports(path) if each.startswith("edge.")}
            assert all(any(each == one or each.startswith(f"{one}.") for one in allowed) for each in ours), (path, ours)


@pytest.mark.parametrize(
    ("module", "places"),
    [
        (
            "paho",
            [
                f"edge/shell/link/{each}.py"
                for each in (
                    "bulk_client",
                    "echo",
                    "failing",
                    "link",
                    "modern",
                    "receiver",
                    "reconnecting",
                    "sender",
                    "subscriber",
                )
            ],
        ),
        ("sqlite3", ["edge/shell/store/database.py"]),
    ],
)
def test_one_place_only_knows_the_library(module: str, places: list[str]) -> None:
    assert [name(each) for each in FILES if module in {one.split(".")[0] for one in imports(each)}] == places


def test_no_file_is_longer_than_one_sitting() -> None:
    long = {name(path): lines for path in FILES if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}
