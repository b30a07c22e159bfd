from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from simulators.commands import simulate
from simulators.faults.truth import TruthSummary, from_json, read_truth
from simulators.options import MomentType, Prefix, SpanType
from simulators.run import first_moment
from simulators.signals.label import Fault

START = "2023-11-15T00:00:00Z"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(simulate, [str(each) for each in arguments])


def week(path: Path, *more: str, name: str = "week") -> tuple[bytes, bytes]:
    output, truth = path / f"{name}.csv", path / f"{name}.jsonl"
    result = run("--output", output, "--truth", truth, "--start", START, "--sensors", "8", "--duration", "2d", *more)
    assert result.exit_code == 0, result.output
    return output.read_bytes(), truth.read_bytes()


def test_the_same_seed_and_start_give_the_same_files(tmp_path: Path) -> None:
    assert week(tmp_path) == week(tmp_path, name="again")
    assert week(tmp_path) != week(tmp_path, "--seed", "2", name="other")


def test_the_readings_are_a_csv_file_in_the_long_form(tmp_path: Path) -> None:
    readings, _ = week(tmp_path, "--duration", "1h", "--interval", "10m")
    rows = list(csv.DictReader(readings.decode().splitlines()))
    assert len(rows) == 8 * 6
    assert set(rows[0]) == {"time", "sensor", "value"}
    assert float(rows[0]["time"]) >= 1_700_006_400.0
    assert "plant/line1/pump1/temperature" in {each["sensor"] for each in rows}


def test_the_truth_has_a_line_per_fault_and_a_summary(tmp_path: Path) -> None:
    readings, truth = week(tmp_path)
    lines = [from_json(each) for each in truth.splitlines()]
    summary = lines[-1]
    assert all(isinstance(each, Fault) for each in lines[:-1])
    assert isinstance(summary, TruthSummary)
    assert summary.faults == len(lines) - 1 > 0
    assert summary.readings == len(readings.splitlines()) - 1
    assert read_truth(truth.splitlines()) == lines[:-1]


def test_a_silence_in_the_truth_is_a_gap_in_the_readings(tmp_path: Path) -> None:
    readings, truth = week(tmp_path, "--fault", "silence", "--fault-share", "1", "--duration", "1d")
    faults = read_truth(truth.splitlines())
    assert len(faults) == 8
    for fault in faults:
        times = [
            float(row["time"])
            for row in csv.DictReader(readings.decode().splitlines())
            if row["sensor"] == fault.sensor
        ]
        assert not [each for each in times if fault.start <= each <= fault.end]


def test_without_faults_there_is_only_the_summary(tmp_path: Path) -> None:
    _, truth = week(tmp_path, "--fault-share", "0", "--duration", "2h")
    assert json.loads(truth)["faults"] == 0


def test_a_run_without_room_for_faults_says_so(tmp_path: Path) -> None:
    result = run("--output", tmp_path / "out.csv", "--duration", "15m")
    assert result.exit_code == 0
    assert "too short for faults" in result.output


def test_even_an_hour_has_room_for_a_fault(tmp_path: Path) -> None:
    _, truth = week(tmp_path, "--duration", "1h", "--fault-share", "1")
    assert read_truth(truth.splitlines())


def test_a_file_of_your_own_can_be_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("time,a,b\n1700000000,1,2\n1700000060,3,\n")
    assert run("--csv", mine, "--prefix", "hall", "--output", tmp_path / "long.csv").exit_code == 0
    assert (tmp_path / "long.csv").read_text() == (
        "time,sensor,value\n1700000000.0,hall/a,1.0\n1700000000.0,hall/b,2.0\n1700000060.0,hall/a,3.0\n"
    )


def test_a_bad_row_ends_with_2_and_names_file_and_line(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("time,a\n1700000000,1\n1700000060,hot\n")
    result = run("--csv", mine, "--output", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "mine.csv:3" in result.output
    assert not (tmp_path / "out.csv").exists()


def test_an_output_that_cannot_be_written_ends_with_1(tmp_path: Path) -> None:
    result = run("--output", tmp_path / "nowhere" / "out.csv", "--duration", "1h")
    assert result.exit_code == 1
    assert "nowhere" in result.output


def test_a_password_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    result = run("--username", "me", "--password-file", tmp_path / "none", "--duration", "1h")
    assert result.exit_code == 2
    assert "none" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--csv", "a.csv", "--seed", "2"),
        ("--csv", "a.csv", "--truth", "b"),
        ("--speed", "2"),
        ("--output", "a.csv", "--rate", "5"),
        ("--output", "a.csv", "--qos", "0"),
        ("--pack", "5"),
        ("--ca-file", "a.pem"),
        ("--password-file", "a"),
        ("--interval", "0s"),
        ("--duration", "soon"),
        ("--start", "then"),
        ("--prefix", "a/#"),
        ("--fault", "gremlin"),
        ("--warm-up", "1"),
    ],
)
def test_an_option_without_effect_or_meaning_is_refused(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert arguments[-2] in result.output


def test_every_option_has_a_help_text() -> None:
    assert all(isinstance(each, click.Option) and each.help for each in simulate.params)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("1.5h", 5400.0), ("7d", 604_800.0), ("2w", 1_209_600.0)],
)
def test_a_span_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert SpanType().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["1700006400", START, "2023-11-15T01:00:00+01:00", "2023-11-15"])
def test_a_moment_is_an_epoch_or_a_date(text: str) -> None:
    assert MomentType().convert(text, None, None) == 1_700_006_400.0


def test_a_prefix_is_a_topic() -> None:
    assert Prefix().convert("site/7", None, None) == "site/7"


@pytest.mark.parametrize(("speed", "start"), [(0.0, 400.0), (1.0, 1000.0), (2.0, 700.0), (0.5, 1000.0), (600.0, 401.0)])
def test_a_run_ends_at_its_end_time_and_is_never_ahead(speed: float, start: float) -> None:
    assert first_moment(1000.0, 600.0, speed) == start


def test_the_command_is_loaded_without_the_modules_that_only_a_run_needs() -> None:
    heavy = "('numpy', 'paho')"
    code = f"import sys, simulators.commands; print([each for each in {heavy} if each in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"
