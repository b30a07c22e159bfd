from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from detectors import make
from edge.commands import main
from edge.evaluation import own
from edge.evaluation.csv_files import seconds


def folder(path: Path, label: bool = True) -> Path:
    """One file of 900 rows in a nested folder, shifted in its last 200 rows."""
    values = np.random.default_rng(1).normal(20.0, 1.0, 900)
    values[700:] += 15.0
    lines = ["timestamp,value,label" if label else "timestamp,value"]
    for row, value in enumerate(values.tolist()):
        lines.append(f"{1.4e9 + 300 * row},{value}" + (f",{int(row >= 700)}" if label else ""))
    (path / "line").mkdir(exist_ok=True)
    (path / "line" / "pump.csv").write_text("\n".join(lines) + "\n")
    return path


def test_a_long_anomaly_stays_surprising_to_its_end(tmp_path: Path) -> None:
    (series,) = own.read_folder(folder(tmp_path))
    decades = own.run(make("contextual"), series, 2.75)
    assert np.mean(decades[700:] >= 2.75) > 0.9
    assert series.labels is not None
    assert own.average_precision(decades, series.labels) > 0.9


def test_average_precision_follows_the_definition() -> None:
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    assert own.average_precision(scores, np.array([True, True, False, False])) == 1.0
    assert own.average_precision(scores, np.array([False, True, False, True])) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert own.average_precision(np.zeros(4), np.array([False, True, False, False])) == pytest.approx(1 / 4)


def test_a_time_may_be_a_date_with_or_without_a_zone_or_a_number() -> None:
    assert seconds("2014-04-01 02:00:00") == seconds("2014-04-01T04:00:00+02:00") == seconds("1396317600")


@pytest.mark.parametrize("label", [True, False])
def test_the_command_reports_on_each_file_and_writes_its_scores(tmp_path: Path, label: bool) -> None:
    written = tmp_path / "scores"
    arguments = ["benchmark", "files", str(folder(tmp_path, label) / "line"), "--scores", str(written)]
    result = CliRunner().invoke(main, [*arguments, "--detector", "ewma", "--threshold", "5"])
    assert result.exit_code == 0, result.output
    assert "pump.csv" in result.output
    assert ("precision" in result.output) is label
    assert len((written / "pump.csv").read_text().splitlines()) == 901


def test_a_folder_without_readable_files_is_a_mistake_of_the_operator(tmp_path: Path) -> None:
    for said in ("holds no CSV file", "can't be read"):
        result = CliRunner().invoke(main, ["benchmark", "files", str(tmp_path)])
        assert result.exit_code == 2
        assert said in result.output
        (tmp_path / "odd.csv").write_text("time,value\n1,2\n")
