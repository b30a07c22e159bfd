from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.commands import main
from edge.evaluation import skab
from edge.evaluation.skab import REST, THRESHOLD, moments


def folder(path: Path, top: str = "data") -> Path:
    """A copy of SKAB with two files of 700 rows, faulty from row 500 on, and one without faults."""
    for name in ("valve1/0.csv", "other/2.csv", "anomaly-free/anomaly-free.csv"):
        rng = np.random.default_rng(1)
        cause = rng.normal(size=700)
        rows = np.column_stack([cause, 2 * cause, -cause]) + 0.2 * rng.normal(size=(700, 3))
        rows[500:, 1] += 6.0
        file = path / top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="") as opened:
            writer = csv.writer(opened, delimiter=";")
            writer.writerow(["datetime", "A", "B", "C", "anomaly", "changepoint"])
            for index, row in enumerate(rows.tolist()):
                writer.writerow(
                    [f"2020-03-09 10:{index // 60:02}:{index % 60:02}", *row, float(index >= 500), float(index == 500)]
                )
    return path


@pytest.mark.parametrize("top", ["data", "."])
def test_a_folder_is_read_without_the_file_that_has_no_fault(tmp_path: Path, top: str) -> None:
    one, two = skab.read_folder(folder(tmp_path, top))
    assert (one.name, two.name) == ("other/2.csv", "valve1/0.csv")
    assert one.rows.shape == (700, 3)
    assert np.flatnonzero(one.faulty)[0] == 500


def experiment(faulty: np.ndarray, changed: np.ndarray) -> skab.Experiment:
    """A thousand rows, one per second."""
    return skab.Experiment("a/1.csv", [""] * 1000, np.arange(1000.0), np.zeros((1000, 2)), faulty, changed)


def test_a_change_is_reported_within_a_minute_or_it_is_false() -> None:
    changed = np.isin(np.arange(1000), [100, 500, 800])
    told = np.isin(np.arange(1000), [505, 561, 861])
    result = skab.changes([experiment(changed, changed)], [skab.Judged(np.zeros(1000), told, told)])[0]
    assert (result.hits, result.windows, result.false_rows) == (1, 2, 2)


def test_the_figures_are_pooled_over_the_rows_after_the_warm_ups() -> None:
    faulty = np.arange(1000) >= 700
    one = experiment(faulty, faulty & False)
    flags = np.zeros(1000, dtype=bool)
    flags[:400] = True
    flags[[500, 501, 502]] = True
    flags[700:850] = True
    told = skab.figures([one], [skab.Judged(np.zeros(1000), flags, flags & False)])
    assert told.false_alarms == pytest.approx(1.0)
    assert told.missed == pytest.approx(50.0)
    assert told.f1 == pytest.approx(150 / (150 + (3 + 150) / 2))


def test_the_command_prints_the_figures_and_writes_the_outliers(tmp_path: Path) -> None:
    written = tmp_path / "scores"
    result = CliRunner().invoke(main, ["benchmark", "skab", str(folder(tmp_path)), "--scores", str(written)])
    assert result.exit_code == 0, result.output
    assert "outliers in 2 files" in result.output
    assert "MSET, published" in result.output
    assert "2/2 told" in result.output
    with (written / "valve1" / "0.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    flags = [int(row["outlier"]) for row in rows]
    assert any(int(row["changepoint"]) for row in rows[500:510])
    assert not any(int(row["changepoint"]) for row in rows[:400])
    assert all((float(row["score"]) >= THRESHOLD) == (row["outlier"] == "1") for row in rows)
    assert len(flags) == 700
    assert sum(flags[400:500]) == 0
    assert all(flags[550:])


def test_an_invalid_skab_folder_is_a_mistake_of_the_operator(tmp_path: Path) -> None:
    for damage in (lambda: None, lambda: (folder(tmp_path) / "data/valve1/0.csv").write_text("datetime;A\nx;y\n")):
        damage()
        result = CliRunner().invoke(main, ["benchmark", "skab", str(tmp_path)])
        assert result.exit_code == 2
        assert str(tmp_path) in result.output


def test_a_file_that_is_shorter_than_its_warm_up_has_nothing_to_judge(tmp_path: Path) -> None:
    short = folder(tmp_path) / "data/valve1/0.csv"
    short.write_text("".join(short.read_text().splitlines(keepends=True)[:4]))
    judged = skab.judge(skab.read_folder(tmp_path)[1])
    assert judged.score.tolist() == [0.0, 0.0, 0.0]
    assert not judged.outliers.any()


def test_no_two_changes_are_reported_within_a_rest() -> None:
    told = np.flatnonzero(moments(np.full(200, 9.0)))
    assert (np.diff(told) == REST).all()
