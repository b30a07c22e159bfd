"""Comparison of configurations over files and a journal, with labels of every kind."""

from __future__ import annotations

import builtins
import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from config.loading import load
from edge.commands import main
from edge.core.model.readings.messages import Reading
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore

START = 1_700_000_000
FAULTS = (300, 500)
COUNT = 600
LAST = 5
CONFIGURATION = '[[input]]\ntopic = "#"\n[incidents]\nthreshold = {threshold}\n'


def values(seed: int = 4, count: int = COUNT) -> list[float]:
    noise = random.Random(seed)
    return [
        round(noise.gauss(20, 0.5) + (30 if any(each <= index < each + LAST for each in FAULTS) else 0), 3)
        for index in range(count)
    ]


def time(index: int) -> int:
    return START + 60 * index


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folders for data and reports."""
    lines = [f"{time(index)},p/a,{each}" for index, each in enumerate(values())]
    (tmp_path / "plant.csv").write_text("time,sensor,value\n" + "\n".join(lines) + "\n")
    wrong = [int(any(each <= index < each + LAST for each in FAULTS)) for index in range(COUNT)]
    rows = [f"{time(index)};{each};{wrong[index]}" for index, each in enumerate(values())]
    (tmp_path / "labelled.csv").write_text("time;p/a;anomaly\n" + "\n".join(rows) + "\n")
    truth = [
        {"type": "fault", "sensor": "p/a", "kind": "spike", "start": time(each), "end": time(each + LAST - 1)}
        for each in FAULTS
    ]
    (tmp_path / "truth.jsonl").write_text("".join(json.dumps(each) + "\n" for each in truth))
    (tmp_path / "deaf.toml").write_text(CONFIGURATION.format(threshold=100.0))
    (tmp_path / "wide-awake.toml").write_text(CONFIGURATION.format(threshold=5.0))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def backtest(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["backtest", *map(str, arguments)], catch_exceptions=False)


def table(result: Result) -> list[list[str]]:
    return [line.split() for line in result.stdout.split("\n\n")[0].splitlines()]


@pytest.mark.usefixtures("folder")
def test_without_labels_incidents_are_counted() -> None:
    result = backtest("plant.csv")
    assert result.exit_code == 0
    header, row = table(result)
    assert header[:2] == ["configuration", "incidents"]
    assert row[:2] == ["shipped", "defaults"]
    assert int(row[2]) >= 2
    assert "incidents with a budget a sensor-day of" in result.stdout
    assert Path("backtest.html").read_text().startswith("<!doctype html>")


@pytest.mark.usefixtures("folder")
def test_configurations_are_compared_with_the_truth() -> None:
    result = backtest(
        *("plant.csv", "--labels", "truth.jsonl", "--output", "out.html"),
        *("--config", "deaf.toml", "--config", "wide-awake.toml", "--budget", "0.2"),
    )
    assert result.exit_code == 0
    _, deaf, awake = table(result)
    assert deaf[:6] == ["deaf", "0", "0", "of", "2", "2"]
    assert awake[0] == "wide-awake"
    assert awake[2:6] == ["2", "of", "2", "0"]
    text = Path("out.html").read_text()
    assert "deaf" in text
    assert "0.2 a sensor-day" in text
    assert not list(Path().glob(".out.html*"))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["truth.jsonl", "windows.json", "table.csv", "column"])
def test_every_kind_of_label_gives_the_same_result(folder: Path, kind: str) -> None:
    windows = [[time(each), time(each + LAST - 1)] for each in FAULTS]
    (folder / "windows.json").write_text(json.dumps({"data/plant.csv": windows, "other.csv": []}))
    (folder / "table.csv").write_text("sensor,start,end\n" + "".join(f"p/a,{a},{b}\n" for a, b in windows))
    given = ["labelled.csv"] if kind == "column" else ["plant.csv", "--labels", kind]
    result = backtest(*given, "--config", "wide-awake.toml")
    assert result.exit_code == 0
    assert table(result)[1][2:6] == ["2", "of", "2", "0"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "l.jsonl",
            '{"sensor":"p/a","start":1700000000,"end":1700000060}\n{"sensor":"p/b","start":1,"end":2}\n',
            "l.jsonl:2: there is no sensor 'p/b' in the data; did you mean p/a?",
        ),
        ("l.csv", "sensor,start,end\np/a,1600000000,1600000060\n", "l.csv:2: there is no data at 2020-09-13 12:26:40"),
        ("l.json", '{"x.csv": [[1700000000, 1700000060]]}', "l.json: none of its entries (x.csv)"),
        ("l.json", '{"plant.csv": [[1600000000, 1600000060]]}', "l.json: plant.csv[0]: there is no data at 2020-09-13"),
        ("l.json", '{"plant.csv": [[1]]}', "l.json: plant.csv[0]: not a window"),
    ],
)
def test_labels_that_match_nothing_are_reported(folder: Path, name: str, text: str, words: str) -> None:
    (folder / name).write_text(text)
    result = backtest("plant.csv", "--labels", name)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (folder / "backtest.html").exists()


@pytest.mark.long
@pytest.mark.usefixtures("folder")
def test_files_are_separate_plants_unless_they_are_joined() -> None:
    lines = Path("plant.csv").read_text().splitlines()
    Path("one.csv").write_text("\n".join(lines[: COUNT // 2 + 1]) + "\n")
    Path("two.csv").write_text("\n".join([lines[0], *lines[COUNT // 2 + 1 :]]) + "\n")
    whole = backtest("plant.csv", "--output", "whole.html")
    joined = backtest("one.csv", "two.csv", "--joined", "--output", "joined.html")
    apart = backtest("one.csv", "two.csv", "--output", "apart.html")
    assert table(joined) == table(whole)
    assert "Backtest of one.csv and 1 more" in Path("joined.html").read_text()
    assert f"{COUNT:,} readings of 2 sensors" in Path("apart.html").read_text()
    assert apart.exit_code == 0


@pytest.mark.long
def test_a_journal_is_replayed_like_a_file(folder: Path) -> None:
    configuration = load(folder / "wide-awake.toml")
    pipeline, store = make_pipeline(configuration), SqliteStore(folder / "kept.db", "process")
    readings = [Reading("p/a", float(time(index)), each) for index, each in enumerate(values())]
    for start in range(0, len(readings), 250):
        step = pipeline.process_readings(readings[start : start + 250])
        assert step.journal is not None
        store.append(step.events, [], pack([step.journal]), now=float(time(start)))
    store.close()
    given = ["--labels", "truth.jsonl", "--config", "wide-awake.toml"]
    assert table(backtest("--journal", "kept.db", *given)) == table(backtest("plant.csv", *given))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give CSV files, or --journal STORE"),
        (["none.csv"], "none.csv: there is no such file"),
        (["plant.csv", "--output", "nowhere/x.html"], "there is no folder nowhere"),
        (["plant.csv", "--config", "none.toml"], "none.toml"),
        (["plant.csv", "--labels", "none.json"], "none.json: No such file"),
        (["plant.csv", "--budget", "0"], "--budget"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_contradictory_options_are_refused(arguments: list[str], words: str) -> None:
    result = backtest(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_refused_readings_are_reported(folder: Path) -> None:
    lines = (folder / "plant.csv").read_text().splitlines()
    (folder / "odd.csv").write_text("\n".join([*lines[:500], lines[499], "soon,p/a,1", *lines[500:], "1,p/a,\n"]))
    strict = backtest("odd.csv")
    assert strict.exit_code == 2
    assert "odd.csv:502: 'soon' isn't a time" in strict.stderr
    lenient = backtest("odd.csv", "--lenient")
    assert lenient.exit_code == 0
    assert "odd.csv: 1 readings refused: duplicate; 1 rows left out, the first odd.csv:502" in lenient.stderr
    assert "1 empty cells" in lenient.stderr


@pytest.mark.long
@pytest.mark.usefixtures("folder")
def test_a_report_is_the_same_whenever_it_is_created() -> None:
    backtest("plant.csv", "--labels", "truth.jsonl", "--output", "x.html")
    first = Path("x.html").read_bytes()
    backtest("plant.csv", "--labels", "truth.jsonl", "--output", "x.html")
    assert Path("x.html").read_bytes() == first


@pytest.mark.usefixtures("folder")
def test_without_matplotlib_pictures_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **others: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    result = backtest("plant.csv", "--png", "pictures")
    assert result.exit_code == 2
    assert "pip install 'edgewarden[plot]'" in result.stderr
    assert not Path("backtest.html").exists()


@pytest.mark.long
@pytest.mark.usefixtures("folder")
def test_pictures_are_drawn_on_request() -> None:
    pytest.importorskip("matplotlib")
    result = backtest("plant.csv", "--labels", "truth.jsonl", "--png", "pictures")
    assert result.exit_code == 0
    assert [each.name for each in Path("pictures").iterdir()] == ["001-plant-p-a.png"]
    assert Path("pictures/001-plant-p-a.png").read_bytes().startswith(b"\x89PNG")
