"""The arrows of the architecture, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from draw_architecture import PAGE, imported, imported_rooms, redrawn
from draw_architecture import rooms as drawn_rooms

ROOT = Path(__file__).parent.parent
PACKAGES = ("detectors", "config", "edge", "simulators", "cloud")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "detectors": {"detectors"},
    "config": {"config", "detectors"},
    "edge": {"edge", "config", "detectors"},
    "simulators": {"simulators", "edge"},
    "cloud": {"cloud", "edge"},
}
PURE = ("detectors", "edge/core")

ROOMS = {  # the folders that each may import; nothing points upwards, and there are no cycles
    "detectors": {
        "numeric": "",
        "parameters": "",
        "base": "numeric parameters",
        "state": "base numeric",
        "noise": "base numeric",
        "univariate": "base numeric noise parameters",
        "daily": "base numeric parameters",
        "hours": "base numeric parameters",
        "multivariate": "base numeric parameters",
        "contextual": "base numeric parameters",
        "states": "base numeric parameters",
        "__init__": "base univariate daily hours multivariate contextual states",
    },
    "edge": {
        "version": "",
        "core": "",
        "shell": "core version",
        "evaluation": "core",
        "capacity": "core shell",
        "reports": "core",
        "page": "core shell reports version",
        "discovery": "core shell",
        "fleet": "core shell",
        "commands": "core shell evaluation capacity reports page discovery fleet version",
        "__main__": "commands",
    },
    "edge/core": {
        "model": "",
        "intake": "model",
        "scoring": "model",
        "incidents": "model scoring",
        "engine": "model scoring incidents",
        "operator": "model incidents engine",
        "persistence": "model intake scoring incidents engine operator",
        "pipeline": "model intake scoring incidents engine operator persistence",
        "cells": "model scoring incidents persistence pipeline",
    },
    "edge/shell": {
        "system": "",
        "files": "",
        "store": "",
        "broker": "",
        "link": "",
        "publishing": "link store",
        "onlooker": "link publishing",
        "options": "link onlooker",
        "sinks": "link publishing store",
        "activity": "system link onlooker options publishing store",
        "homeassistant": "onlooker",
        "service": "system broker link onlooker options publishing sinks activity homeassistant store",
    },
    "edge/page": {
        "loop": "",
        "store": "loop",
        "request_handling": "loop",
        "access": "request_handling",
        "views": "loop store request_handling",
        "live": "loop request_handling views",
        "monitoring": "loop store request_handling",
        "server": "loop store request_handling access views live monitoring",
    },
    "simulators": {
        "signals": "",
        "plant": "signals",
        "faults": "signals plant",
        "publish": "signals faults",
        "demo": "signals faults",
        "options": "publish",
        "run": "signals plant faults publish",
        "commands": "signals demo faults options run",
    },
}
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


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_follow_the_arrows(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {each.split(".")[0] for each in imports(path)} & {*PACKAGES, "tests"}
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("house", ROOMS)
def test_folders_import_only_folders_below_them(house: str) -> None:
    rooms = ROOMS[house]
    names = list(rooms)
    for place, (room, below) in enumerate(rooms.items()):
        assert set(below.split()) <= set(names[:place]), f"{room} would point upwards"
    assert {each for each in names if not each.startswith("__")} == {*drawn_rooms(house)}
    for room, below in rooms.items():
        assert imported_rooms(house, room) <= set(below.split()), room


EARLIER = ("edge.core.persistence.snapshot", "edge.core.persistence.earlier_snapshots")
"""Imported when a snapshot turns out to be of an earlier format; it creates one of the current format."""


def test_no_module_imports_itself_through_others() -> None:
    known = {each: path for path in FILES for each in [module_of(path)]}
    below = {module: imported(path) & known.keys() for module, path in known.items()}
    below[EARLIER[0]].discard(EARLIER[1])
    while ends := [module for module, wanted in below.items() if not wanted]:
        for module in ends:
            del below[module]
        for wanted in below.values():
            wanted.difference_update(ends)
    assert below == {}


@pytest.mark.parametrize("path", [each for each in FILES if name(each).startswith(PURE)], ids=name)
def test_the_core_has_no_socket_file_thread_or_clock(path: Path) -> None:
    assert not {each.split(".")[0] for each in imports(path)} & set(NOT_IN_THE_CORE.split())


def test_detectors_need_nothing_but_numpy() -> None:
    words = "__future__ abc collections dataclasses functools io itertools json math mmap typing types"
    standard = set(words.split())
    for path in FILES:
        if name(path).startswith("detectors/"):
            assert {each.split(".")[0] for each in imports(path)} <= {*standard, "detectors", "numpy"}, path


def test_simulators_use_only_messages_events_the_link_and_what_counts_as_found() -> None:
    core = ("model.readings.messages", "incidents.events.event", "model.words.topics")
    allowed = {*(f"edge.core.{each}" for each in core), "edge.shell", "edge.reports.found"}
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
                    "failure_reasons",
                    "link",
                    "receiving/bulk_client",
                    "receiving/echo",
                    "receiving/reason_codes",
                    "receiving/receiver",
                    "reconnecting/comparison",
                    "reconnecting/connection_end",
                    "sending/sender",
                    "subscribing/subscriber",
                    "versions/abilities",
                    "versions/mqtt5",
                )
            ],
        ),
        ("sqlite3", ["edge/shell/store/database.py"]),
        (
            "confluent_kafka",
            [
                "edge/fleet/engines/quix.py",
                "edge/fleet/engines/quix_packer.py",
                "edge/fleet/heartbeat.py",
                "edge/shell/link/kafka/consuming.py",
                "edge/shell/sinks/kafka.py",
                "simulators/publish/kafka_outlet.py",
            ],
        ),
        ("quixstreams", ["edge/fleet/engines/quix.py"]),
        (
            "pyspark",
            [f"edge/fleet/engines/spark{each}.py" for each in ("", "_cells", "_checkpoint", "_division")],
        ),
        ("pandas", ["edge/fleet/engines/spark_cells.py", "edge/fleet/engines/spark_division.py"]),
        ("pyarrow", ["edge/fleet/engines/spark_cells.py"]),
        ("pika", ["edge/shell/sinks/rabbitmq.py"]),
        ("apprise", ["edge/shell/sinks/notify.py"]),
    ],
)
def test_only_one_place_knows_the_library(module: str, places: list[str]) -> None:
    assert [name(each) for each in FILES if module in {one.split(".")[0] for one in imports(each)}] == places


def test_no_file_is_longer_than_the_limit() -> None:
    long = {name(path): lines for path in FILES if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_the_drawings_of_the_architecture_match_the_imports() -> None:
    page = PAGE.read_text("utf-8")
    assert redrawn(page) == page, "run python docs/draw_architecture.py"


def test_no_two_classes_have_the_same_name() -> None:
    names: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                names.setdefault(node.name, []).append(name(path))
    assert {each: places for each, places in names.items() if len(places) > 1} == {}


CROWDED = {"edge/commands": "one file a command", "config/conventions": "one file a convention"}


def test_no_folder_lists_more_than_a_dozen_entries() -> None:
    folders = {path.parent for path in [*FILES, *(ROOT / "config").rglob("*.toml")]}
    things = {name(each): [one for one in each.iterdir() if not one.name.startswith("__")] for each in folders}
    assert {each: len(inside) for each, inside in things.items() if len(inside) > 12 and each not in CROWDED} == {}


@pytest.mark.parametrize("house", sorted({name(path.parent) for path in FILES if path.parent.parent != ROOT}))
def test_no_two_folders_of_a_package_need_each_other(house: str) -> None:
    below = {room: imported_rooms(house, room) for room in drawn_rooms(house)}
    for room, (asker, wanted) in EARLIER_ROOMS.items():
        if house == room:
            below[asker].discard(wanted)
    while ends := [room for room, wanted in below.items() if not wanted]:
        for room in ends:
            del below[room]
        for wanted in below.values():
            wanted.difference_update(ends)
    assert below == {}


EARLIER_ROOMS = {"edge/core/persistence": ("snapshot", "earlier_snapshots")}
