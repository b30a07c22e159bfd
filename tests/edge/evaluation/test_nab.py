from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from detectors import make
from edge.commands import main
from edge.evaluation import nab
from edge.evaluation.nab_scoring import PROFILES, at_threshold, best_threshold, truth

STANDARD, LOW_FP, LOW_FN = PROFILES


def scored(rows: list[int], windows: list[tuple[int, int]], length: int = 1000) -> tuple[object, np.ndarray]:
    scores = np.zeros(length)
    scores[rows] = 1.0
    return truth(length, windows), scores


def test_no_detections_score_zero() -> None:
    for profile in PROFILES:
        assert at_threshold([scored([], [(500, 550)])], 0.5, profile).score == 0.0


def test_finding_every_window_at_its_first_row_is_perfect() -> None:
    files = [scored([500, 800], [(500, 550), (800, 900)]), scored([300], [(300, 400)])]
    for profile in PROFILES:
        assert at_threshold(files, 0.5, profile).score == pytest.approx(100.0)


def test_the_earliest_detection_in_a_window_counts_and_the_others_cost_nothing() -> None:
    once = at_threshold([scored([520], [(500, 599)])], 0.5, STANDARD)
    often = at_threshold([scored([520, 530, 540, 599], [(500, 599)])], 0.5, STANDARD)
    assert once.score == often.score
    position = 2 / (1 + np.exp(5 * -0.8)) - 1
    whole = 2 / (1 + np.exp(-5.0)) - 1
    assert once.score == pytest.approx(100 * (position / whole + 1) / 2)


def test_a_false_alarm_costs_by_the_profile_and_less_right_after_a_window() -> None:
    far = at_threshold([scored([500, 990], [(500, 550)])], 0.5, STANDARD)
    assert far.score == pytest.approx(100 * (2 - 0.11) / 2)
    assert at_threshold([scored([500, 990], [(500, 550)])], 0.5, LOW_FP).score == pytest.approx(100 * (2 - 0.22) / 2)
    near = at_threshold([scored([500, 552], [(500, 550)])], 0.5, STANDARD)
    assert far.score < near.score < 100.0
    assert (far.false_rows, far.hits, far.windows) == (1, 1, 1)


def test_the_first_rows_are_never_scored() -> None:
    assert truth(1000, []).probation == 150
    assert truth(50_000, []).probation == 750
    assert at_threshold([scored([10, 140], [(500, 550)])], 0.5, STANDARD).score == 0.0


def test_a_miss_costs_more_where_misses_matter() -> None:
    files = [scored([500], [(500, 550), (700, 750)])]
    assert at_threshold(files, 0.5, STANDARD).score == pytest.approx(50.0)
    assert at_threshold(files, 0.5, LOW_FN).score == pytest.approx(100 * (1 - 2 + 4) / (2 + 4))


def test_the_best_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(1)
    files = [(truth(400, [(200, 230), (300, 340)]), np.round(rng.random(400), 2)) for _ in range(3)]
    for profile in PROFILES:
        tried = [at_threshold(files, each, profile).score for each in [*np.arange(0, 1.01, 0.01).round(2), 2.0]]
        assert best_threshold(files, profile).score == pytest.approx(max(tried))


def test_rows_that_follow_a_detection_too_closely_are_not_detections() -> None:
    decades = np.zeros(2000)
    decades[[100, 110, 121, 1500, 1555, 1570]] = 5.0
    scores = nab.detections(decades, 3.0)
    assert np.flatnonzero(scores >= 0.5).tolist() == [100, 121, 1500, 1570]
    assert (scores < 1).all()


def folder(path: Path, labels: str = "labels/combined_windows.json") -> Path:
    """A copy of NAB with two files of 700 rows, the first with an anomaly."""
    start = datetime(2014, 4, 1, tzinfo=UTC)
    stamps = [(start + timedelta(minutes=5 * row)).strftime("%Y-%m-%d %H:%M:%S") for row in range(700)]
    for name, jump in (("real/one.csv", 40.0), ("real/two.csv", 0.0)):
        values = np.random.default_rng(2).normal(20, 1, 700)
        values[600:620] += jump
        file = path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(["timestamp", "value"])
            writer.writerows(zip(stamps, values.tolist(), strict=True))
    windows = {
        "real/one.csv": [[f"{stamps[590]}.000000", f"{stamps[640]}.000000"]],
        "real/two.csv": [],
        "no/file.csv": [],
    }
    (path / labels).parent.mkdir(exist_ok=True)
    (path / labels).write_text(json.dumps(windows))
    return path


@pytest.mark.parametrize("labels", nab.WINDOWS)
def test_a_folder_is_read_with_its_windows(tmp_path: Path, labels: str) -> None:
    one, two = nab.read_folder(folder(tmp_path, labels))
    assert (one.name, two.name) == ("real/one.csv", "real/two.csv")
    assert np.flatnonzero(one.truth.window == 0).tolist() == list(range(590, 641))
    assert two.truth.windows == 0
    assert one.times[1] - one.times[0] == 300.0


def test_files_side_by_side_are_judged_independently(tmp_path: Path) -> None:
    series = nab.read_folder(folder(tmp_path))
    detector = make("contextual", size="light")
    together = nab.run(detector, series)
    for each, decades in zip(series, together, strict=True):
        (alone,) = nab.run(detector, [each])
        assert alone.tolist() == decades.tolist()


def test_the_command_prints_the_scores_and_writes_them(tmp_path: Path) -> None:
    written = tmp_path / "scores"
    result = CliRunner().invoke(main, ["benchmark", "nab", str(folder(tmp_path)), "--scores", str(written)])
    assert result.exit_code == 0, result.output
    for profile in PROFILES:
        assert profile.name in result.output
    assert "ARTime" in result.output
    with (written / "real" / "one.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 700
    assert rows[0].keys() == {"timestamp", "value", "anomaly_score"}
    found = [index for index, row in enumerate(rows) if float(row["anomaly_score"]) >= 0.5]
    assert 600 in found


def test_the_command_takes_parameters_from_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "edgewarden.toml"
    config.write_text('[[input]]\ntopic = "a"\n[[rule]]\nsensors = "**"\ndetectors.contextual.size = "light"\n')
    arguments = ["benchmark", "nab", str(folder(tmp_path)), "--config", str(config)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    refused = CliRunner().invoke(main, [*arguments, "--detector", "limits"])
    assert refused.exit_code == 2
    assert "doesn't use limits" in refused.output


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: (path / "labels/combined_windows.json").unlink(), "holds neither"),
        (lambda path: (path / "labels/combined_windows.json").write_text("[1"), "can't be read"),
        (lambda path: (path / "data/real/one.csv").write_text("timestamp,value\nnow,1\n"), "can't be read"),
        (lambda path: (path / "data/real/one.csv").write_text("time,value\n"), "can't be read"),
    ],
)
def test_an_invalid_nab_folder_is_a_mistake_of_the_operator(tmp_path: Path, damage, said: str) -> None:
    damage(folder(tmp_path))
    result = CliRunner().invoke(main, ["benchmark", "nab", str(tmp_path)])
    assert result.exit_code == 2
    assert said in result.output


def test_an_unknown_detector_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["benchmark", "nab", str(tmp_path), "--detector", "nonsense"])
    assert result.exit_code == 2
    assert "no detector nonsense" in result.output
