from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.commands import main
from edge.evaluation.csv_files import BenchmarkError
from edge.evaluation.field_cases import Wanted, cases_in, prepared, read_wanted
from edge.evaluation.field_judging import JudgedCase, ToldIncident, contradicts_itself, judge

DAY = 86_400.0
START = 1_767_225_600
LABELS = "sensor,start,end,kind,within_s\n"


def told(raised: float, ended: float = math.inf, sensor: str = "line/pump", **more: object) -> ToldIncident:
    return ToldIncident(sensor, raised, "it is wrong", 300, contradicts=False, ended=ended, **more)  # type: ignore[arg-type]


def judged(wanted: Wanted, *incidents: ToldIncident) -> JudgedCase:
    return judge([wanted], incidents, sensors=2, first=0.0, last=10 * DAY)


FAULT = Wanted("line/pump", 5 * DAY, 5 * DAY + 7200.0, "leak", 600.0)


@pytest.mark.parametrize(
    ("incidents", "verdict"),
    [
        ([], "missed"),
        ([told(FAULT.start + 600.0)], "found"),
        ([told(FAULT.start + 601.0)], "late"),
        ([told(FAULT.end + 600.0)], "late"),
        ([told(FAULT.end + 601.0)], "missed"),
        ([told(FAULT.start - 2.0)], "masked"),
        ([told(FAULT.start - 2.0, ended=FAULT.start - 1.0)], "missed"),
        ([told(FAULT.start - 9.0, kinds={"spike": FAULT.start - 9.0, "drift": FAULT.start + 60.0})], "found"),
        ([told(FAULT.start - 9.0, kinds={"spike": FAULT.start - 9.0, "drift": FAULT.end})], "late"),
        ([told(FAULT.start, sensor="line/valve")], "missed"),
        ([told(FAULT.start, sensor="line/")], "found"),
        ([told(FAULT.start, sensor="hall/valve", sensors={"line/pump", "hall/valve"})], "found"),
    ],
)
def test_what_was_wanted_is_found_late_masked_or_missed(incidents: list[ToldIncident], verdict: str) -> None:
    (window,) = judged(FAULT, *incidents).windows
    assert window.verdict == verdict
    assert math.isnan(window.delay_s) is (verdict in {"masked", "missed"})


def test_a_label_may_be_about_several_sensors() -> None:
    assert judged(replace(FAULT, sensor="line/*"), told(FAULT.start, sensor="line/valve")).count("found") == 1


@pytest.mark.parametrize(
    ("ended", "quits"), [(FAULT.end, 0), (FAULT.end - 3600.0, 0), (FAULT.end - 3601.0, 1), (math.inf, 0)]
)
def test_an_incident_that_ends_long_before_its_cause_quits(ended: float, quits: int) -> None:
    assert judged(FAULT, told(FAULT.start, ended)).quits == quits


def test_an_incident_that_is_followed_by_another_doesnt_quit() -> None:
    assert judged(FAULT, told(FAULT.start, FAULT.start + 60.0), told(FAULT.start + 90.0, FAULT.end)).quits == 0


def test_everything_else_is_unwanted_and_open_until_it_ends_or_the_readings_do() -> None:
    early, other = told(2 * DAY, 2 * DAY + 3600.0), told(9 * DAY, sensor="line/valve")
    case = judged(FAULT, early, told(FAULT.start), other)
    assert case.unwanted == [early, other]
    assert (case.unwanted_later, case.open_h, case.incidents) == (1, 25.0, 3)
    assert (case.sensor_days, case.later_days) == (20.0, 14.0)
    total = JudgedCase()
    total.add(case)
    total.add(case)
    assert (total.open_h, len(total.windows), total.later_days) == (50.0, 2, 28.0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"kind": "spike", "value": 5.0, "lower": 4.0, "upper": 6.0}, True),
        ({"kind": "spike", "value": 7.0, "lower": 4.0, "upper": 6.0}, False),
        ({"kind": "spike", "value": 6.0, "lower": 4.0, "upper": 6.0}, False),
        ({"kind": "missing", "value": 5.0, "lower": 4.0, "upper": 6.0}, False),
        ({"kind": "spike", "value": 5.0, "lower": None, "upper": 6.0}, False),
    ],
)
def test_a_value_within_the_range_that_was_expected_contradicts_it(data: dict[str, object], expected: bool) -> None:
    assert contradicts_itself(data) is expected


def readings(steady: bool) -> str:
    """Six days of a pump with a reading every ten minutes; unless it is steady, it is far too hot for two hours."""
    values = np.random.default_rng(5).normal(60.0, 0.5, 864)
    if not steady:
        values[720:732] += 30.0
    lines = [f"{START + 600 * row},line/pump,{value:.2f}" for row, value in enumerate(values.tolist())]
    return "\n".join(["time,sensor,value", *lines, ""])


def folder_of(path: Path) -> Path:
    """A case in files, a case of a program, and a folder that isn't a case."""
    hot, calm = path / "hot", path / "calm"
    for each in (hot, calm, path / "notes"):
        each.mkdir()
    (hot / "readings.csv").write_text(readings(steady=False))
    (hot / "labels.csv").write_text(f"{LABELS}line/pump,{START + 600 * 720},{START + 600 * 731},too hot,1200\n")
    rule = "{sensors = '**', preset = 'limits_only', detectors.limits.high = 80}"
    (hot / "expert.toml").write_text(f"input = [{{topic = '#'}}]\nrule = [{rule}]\n")
    (calm / "readings.txt").write_text(readings(steady=True))
    (calm / "make.py").write_text(
        "import pathlib, sys\n"
        "here, there = pathlib.Path(__file__).parent, pathlib.Path(sys.argv[1])\n"
        "(there / 'readings.csv').write_text((here / 'readings.txt').read_text())\n"
        f"(there / 'labels.csv').write_text({LABELS!r})\n"
    )
    return path


def test_the_command_judges_files_and_what_a_program_writes(tmp_path: Path) -> None:
    command = ["benchmark", "field", str(folder_of(tmp_path))]
    result = CliRunner().invoke(main, [*command, "--details", "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "2 field cases" in result.output
    assert "found    2026-01-06 00:00:00  line/pump too hot; after 0 s" in result.output
    assert "1 wanted: found in time 1, late 0, masked 0, missed 0; quits 0" in result.output
    assert "contradicting themselves 0" in result.output
    whole = json.loads(CliRunner().invoke(main, [*command, "--json"]).output)
    assert whole["total"]["found"] == 1
    assert whole["cases"]["calm"]["unwanted_incidents"] == []
    assert "90" in whole["cases"]["hot"]["windows"][0]["message"]
    assert list(tmp_path.glob("calm/*.csv")) == []


def test_the_experts_configuration_is_used_where_there_is_one(tmp_path: Path) -> None:
    command = ["benchmark", "field", str(folder_of(tmp_path)), "--json", "--workers", "1"]
    whole = json.loads(CliRunner().invoke(main, [*command, "--expert"]).output)
    assert list(whole["cases"]) == ["hot"]
    assert "limit of 80" in whole["cases"]["hot"]["windows"][0]["message"]
    both = CliRunner().invoke(main, [*command, "--expert", "--config", str(tmp_path / "hot" / "expert.toml")])
    assert both.exit_code == 2
    assert "either --config or --expert" in both.output
    config = CliRunner().invoke(main, [*command, "hot", "--config", str(tmp_path / "hot" / "expert.toml")])
    assert json.loads(config.output)["total"] == whole["total"]


def test_a_wrong_configuration_is_named_before_anything_is_run(tmp_path: Path) -> None:
    wrong = folder_of(tmp_path) / "hot" / "expert.toml"
    wrong.write_text("input = [{topic = '#', quality = 3}]\n")
    result = CliRunner().invoke(main, ["benchmark", "field", str(tmp_path), "--expert"])
    assert result.exit_code == 2
    assert "input[0].quality" in result.output
    assert "field cases" not in result.output


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("line/pump,1970-01-06,1970-01-07,leak", "labels.csv:2: has no within_s"),
        ("line/pump,yesterday,1970-01-07,leak,60", "labels.csv:2: 'yesterday'"),
        ("line/pump,1970-01-07,1970-01-06,leak,60", "labels.csv:2: ends before it starts"),
        ("line/pump,1970-01-06,1970-01-07,leak,soon", "labels.csv:2: within_s: 'soon' isn't a number"),
    ],
)
def test_a_malformed_label_is_a_mistake_with_its_line(tmp_path: Path, label: str, said: str) -> None:
    (tmp_path / "labels.csv").write_text(f"{LABELS}{label}\n")
    with pytest.raises(BenchmarkError) as error:
        read_wanted(tmp_path / "labels.csv")
    assert said in str(error.value)


def test_labels_that_a_spreadsheet_has_saved_are_read(tmp_path: Path) -> None:
    label = "line/pump,1970-01-06,1970-01-07,leak,60\n"
    (tmp_path / "labels.csv").write_text(f"\ufeff{LABELS}{label}", encoding="utf-8")
    assert [each.sensor for each in read_wanted(tmp_path / "labels.csv")] == ["line/pump"]


@pytest.mark.parametrize(
    ("program", "said"),
    [("raise SystemExit('no disk')", "no disk"), ("import sys; sys.exit(3)", "exit code 3"), ("", "didn't write")],
)
def test_a_program_that_fails_is_a_mistake_with_its_reason(tmp_path: Path, program: str, said: str) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "make.py").write_text(program)
    (case,) = cases_in(tmp_path)
    with pytest.raises(BenchmarkError) as error, prepared(case):
        pass
    assert said in str(error.value)


def test_a_folder_without_cases_is_a_mistake_of_the_operator(tmp_path: Path) -> None:
    folder_of(tmp_path)
    for path, names, said in (
        (tmp_path / "none", [], "there is no such folder"),
        (tmp_path / "notes", [], "no folder in it has readings.csv and labels.csv, or make.py"),
        (tmp_path, ["warm"], "there is no case warm; known: calm, hot"),
    ):
        result = CliRunner().invoke(main, ["benchmark", "field", str(path), *names])
        assert result.exit_code == 2
        assert said in result.output
    (tmp_path / "hot" / "readings.csv").write_text("time,sensor,value\n")
    result = CliRunner().invoke(main, ["benchmark", "field", str(tmp_path), "hot"])
    assert result.exit_code == 2
    assert "hot: readings.csv holds no reading" in result.output
