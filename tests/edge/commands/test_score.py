"""Every reading of a file gives one row, in the order of the file."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge.commands import main

START = 1_700_000_000


def edgewarden(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], catch_exceptions=False)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    noise = random.Random(2)
    lines = [
        f"{START + index},s{index % 2},{noise.gauss(20, 0.5) + ((-30, 30)[index % 2] if 800 <= index < 810 else 0):.3f}"
        for index in range(1000)
    ]
    file = tmp_path / "long.csv"
    file.write_text("time,sensor,value\n" + "\n".join(lines) + "\n")
    return file


def test_there_is_a_row_for_each_reading_in_the_order_of_the_file(long_file: Path) -> None:
    result = edgewarden("score", long_file)
    assert result.exit_code == 0
    found, given = rows_of(result.stdout), rows_of(long_file.read_text())
    assert list(found[0]) == [
        *("time", "sensor", "value", "score", "threshold", "expected", "lower", "upper", "detector", "incident")
    ]
    assert [(each["sensor"], float(each["value"])) for each in found] == [
        (each["sensor"], float(each["value"])) for each in given
    ]
    assert found[0]["time"] == "2023-11-14T22:13:20Z"
    assert "1000 readings of 2 sensors; 2 incidents" in result.stderr


def test_there_is_no_score_before_the_end_of_the_warm_up(long_file: Path) -> None:
    found = rows_of(edgewarden("score", long_file).stdout)
    assert (found[0]["score"], found[0]["detector"], found[0]["incident"]) == ("", "", "")
    assert float(found[-1]["score"]) < float(found[-1]["threshold"])
    assert float(found[-1]["lower"]) < float(found[-1]["expected"]) < float(found[-1]["upper"])


@pytest.mark.long
def test_the_incident_equals_that_in_the_events(long_file: Path) -> None:
    found = rows_of(edgewarden("score", long_file).stdout)
    shown = {each["incident"] for each in found} - {""}
    replayed = edgewarden("replay", long_file).stdout
    assert len(shown) == 2
    assert all(f'"correlationid":"{each}"' in replayed for each in shown)
    assert found[800]["incident"]
    assert float(found[800]["score"]) >= float(found[800]["threshold"])


def test_one_detector_alone(long_file: Path) -> None:
    found = rows_of(edgewarden("score", long_file, "--detector", "rate").stdout)
    assert {each["detector"] for each in found} == {"", "rate"}


def test_an_unknown_detector_is_refused_with_a_suggestion(long_file: Path) -> None:
    result = edgewarden("score", long_file, "--detector", "rat")
    assert result.exit_code == 2
    assert "there is no detector rat; did you mean rate?" in result.stderr


@pytest.mark.long
def test_a_configuration_determines_the_threshold(long_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('[[input]]\ntopic = "#"\n[incidents]\nthreshold = 9.5\n')
    for more in ([], ["--detector", "ewma"]):
        found = rows_of(edgewarden("score", long_file, "--config", config, *more).stdout)
        assert {each["threshold"] for each in found} == {"9.5000"}


def test_a_wide_file_has_a_row_for_each_filled_cell(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    file.write_text(f"ts;a;b\n{START};1,5;2\n{START + 60};;2,5\n")
    result = edgewarden("score", file)
    assert [(each["sensor"], each["value"]) for each in rows_of(result.stdout)] == [
        ("a", "1.5"),
        ("b", "2.0"),
        ("b", "2.5"),
    ]
    assert "1 empty cells" in result.stderr


@pytest.mark.long
@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_an_unsorted_file_gives_the_scores_of_the_sorted_one(long_file: Path, tmp_path: Path, order: str) -> None:
    header, *lines = long_file.read_text().splitlines()
    mixed = lines[::-1] if order == "reversed" else random.Random(1).sample(lines, len(lines))
    file = tmp_path / "mixed.csv"
    file.write_text("\n".join([header, *mixed]) + "\n")
    result = edgewarden("score", file)
    plain = edgewarden("score", long_file).stdout.splitlines()
    assert sorted(result.stdout.splitlines()) == sorted(plain)
    assert [line.split(",")[1] for line in result.stdout.splitlines()[1:]] == [line.split(",")[1] for line in mixed]


def test_a_refused_reading_has_a_row_without_a_score(long_file: Path, tmp_path: Path) -> None:
    lines = long_file.read_text().splitlines()
    file = tmp_path / "doubled.csv"
    file.write_text("\n".join([*lines[:501], lines[500], *lines[501:]]) + "\n")
    result = edgewarden("score", file)
    found = rows_of(result.stdout)
    assert len(found) == 1001
    assert found[499]["score"]
    assert not found[500]["score"]
    assert "1 readings refused as late or repeated" in result.stderr


@pytest.mark.long
def test_readings_held_back_for_sorting_get_their_scores(long_file: Path, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('[[input]]\ntopic = "#"\n[limits]\nreorder_s = 300\n')
    held = edgewarden("score", long_file, "--config", config).stdout
    assert held == edgewarden("score", long_file).stdout


def test_an_unreadable_row_ends_the_command_with_its_line_and_no_output(long_file: Path, tmp_path: Path) -> None:
    file, output = tmp_path / "bad.csv", tmp_path / "out.csv"
    file.write_text(long_file.read_text().replace(",s1,", ",s1,x", 1))
    result = edgewarden("score", file, "--output", output)
    assert result.exit_code == 2
    assert "bad.csv:3: value: 'x" in result.stderr
    assert not output.exists()
    result = edgewarden("score", file, "--output", output, "--lenient")
    assert result.exit_code == 0
    assert len(rows_of(output.read_text())) == 999
    assert "1 rows left out, the first" in result.stderr


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    result = edgewarden("score", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "none.csv: No such file" in result.stderr


def test_an_empty_file_with_a_header_gives_a_header(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text("time,a\n")
    result = edgewarden("score", file)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["time,sensor,value,score,threshold,expected,lower,upper,detector,incident"]
