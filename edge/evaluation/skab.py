"""The Skoltech Anomaly Benchmark, version 0.9: one water loop, eight sensors that belong together.

A folder contains `<group>/<n>.csv`, or `data/<group>/<n>.csv` as in its repository, separated by semicolons, with the
columns `datetime`, `anomaly`, `changepoint` and one for each sensor. The first 400 rows of a file are its warm-up.

The service's device detectors are applied to the loop's sensors row by row, and learn nothing from outlier rows.
Outliers are judged row by row, as in SKAB's leaderboard. Changes are judged by NAB's rules, with a window of 60 seconds
after each labelled change: earlier detections score higher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.multivariate.base import VectorDetector
from detectors.multivariate.correlation import Correlation
from detectors.multivariate.shift import Shift
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from edge.evaluation.csv_files import BenchmarkError, read_rows, seconds, write_rows
from edge.evaluation.nab_scoring import PROFILES, Result, at_threshold, truth

WARM_UP = 400
THRESHOLD = 6.0
"""Decades of surprise of an outlier row."""

CHANGE = 2.65
"""Decades of surprise of a reported change."""

REST = 30
"""Number of rows after a change in which no other is reported, because it still affects the means."""

NOT_SENSORS = frozenset({"datetime", "anomaly", "changepoint"})
WITHOUT_FAULT = "anomaly-free"
WINDOW_S = 60.0

PUBLISHED = (
    ("Conv-AE", 0.78, 13.6, 28.0),
    ("MSET", 0.78, 39.7, 14.1),
    ("everything flagged", 0.70, 100.0, 0.0),
)
"""The leaderboard's top over all 34 files: F1, false alarms and missed, in percent; and what F1 is worth alone."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Experiment:
    """One file of the benchmark.

    Attributes:
        name: `<group>/<n>.csv`.
        stamps: Times as in the file.
        times: Seconds since the epoch, shape (rows,).
        rows: Readings, shape (rows, sensors).
        faulty: Whether each row is faulty, shape (rows,).
        changed: Whether the fault begins or ends at each row, shape (rows,).
    """

    name: str
    stamps: list[str]
    times: Floats
    rows: Floats
    faulty: Flags
    changed: Flags


class Judged(NamedTuple):
    """The detector's result for a file.

    Attributes:
        score: Decades of surprise, 0 in the warm-up, shape (rows,).
        outliers: Whether each row is an outlier, shape (rows,).
        changes: Whether a change is reported at each row, shape (rows,).
    """

    score: Floats
    outliers: Flags
    changes: Flags


class Figures(NamedTuple):
    """SKAB's figures over all files.

    Attributes:
        f1: Harmonic mean of precision and recall.
        false_alarms: Share of the ordinary rows that were flagged, in percent.
        missed: Share of the faulty rows that weren't, in percent.
    """

    f1: float
    false_alarms: float
    missed: float


def read_folder(folder: Path) -> list[Experiment]:
    """Read all files with a fault.

    Raises:
        BenchmarkError: The folder isn't a copy of SKAB, or a file in it is damaged.
    """
    top = folder / "data" if (folder / "data").is_dir() else folder
    paths = [each for each in sorted(top.glob("*/*.csv")) if each.parent.name != WITHOUT_FAULT]
    if not paths:
        raise BenchmarkError(f"{folder}: holds no <group>/<n>.csv")
    try:
        return [_read(path) for path in paths]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BenchmarkError(f"{folder}: can't be read as SKAB's: {error}") from error


def _read(path: Path) -> Experiment:
    lines = read_rows(path, ";")
    sensors = [each for each in lines[0] if each not in NOT_SENSORS]
    rows = np.array([[float(line[each]) for each in sensors] for line in lines])
    stamps = [line["datetime"] for line in lines]
    faulty, changed = (np.array([float(line[each]) > 0 for line in lines]) for each in ("anomaly", "changepoint"))
    times = np.array([seconds(each) for each in stamps])
    return Experiment(f"{path.parent.name}/{path.name}", stamps, times, rows, faulty, changed)


def judge(experiment: Experiment, threshold: float = THRESHOLD) -> Judged:
    """Judge every row based on the warm-up and the rows before it."""
    channels = max(2, experiment.rows.shape[1])
    score = _surprise(Correlation(channels=channels, warm_up=WARM_UP), experiment, threshold)
    moved = _surprise(Shift(channels=channels, warm_up=WARM_UP), experiment, CHANGE)
    return Judged(score, score >= threshold, moments(moved))


def moments(surprise: Floats) -> Flags:
    """Rows at which a change is reported, at least `REST` rows apart, shape (n,)."""
    marked = np.zeros(len(surprise), dtype=bool)
    again = 0
    for row in np.flatnonzero(surprise >= CHANGE).tolist():
        if row >= again:
            marked[row] = True
            again = row + REST
    return marked


def _surprise(detector: VectorDetector, experiment: Experiment, threshold: float) -> Floats:
    """Decades of surprise, 0 in the warm-up, shape (rows,); rows after one beyond the threshold aren't learned."""
    table, slot = StateTable(detector, rows=1), np.zeros(1, dtype=np.intp)
    rows = np.full((len(experiment.rows), detector.channels), np.nan)
    rows[:, : experiment.rows.shape[1]] = experiment.rows
    surprise = np.zeros(len(rows))
    for row, time in enumerate(experiment.times):
        held = surprise[row - 1 : row] >= threshold
        scores = table.update(slot, rows[row : row + 1], np.array([time]), held if len(held) else None)
        surprise[row] = np.nan_to_num(scores.score[0])
    surprise[:WARM_UP] = 0.0
    return surprise


def figures(experiments: Sequence[Experiment], judged: Sequence[Judged]) -> Figures:
    """SKAB's figures, pooled over the rows of all files after their warm-ups."""
    faulty = np.concatenate([each.faulty[WARM_UP:] for each in experiments])
    flagged = np.concatenate([each.outliers[WARM_UP:] for each in judged])
    hits, false = int((faulty & flagged).sum()), int((~faulty & flagged).sum())
    missed = int((faulty & ~flagged).sum())
    ordinary = max(int((~faulty).sum()), 1)
    f1 = hits / max(hits + (false + missed) / 2, 0.5)
    return Figures(f1, 100 * false / ordinary, 100 * missed / max(hits + missed, 1))


def changes(experiments: Sequence[Experiment], judged: Sequence[Judged]) -> list[Result]:
    """The score of changepoint detection by NAB's rules, one result for each of `PROFILES`."""
    files = [
        (truth(len(each.rows), _windows(each)), found.changes.astype(np.float64))
        for each, found in zip(experiments, judged, strict=True)
    ]
    return [at_threshold(files, 1.0, profile) for profile in PROFILES]


def _windows(experiment: Experiment) -> list[tuple[int, int]]:
    """First and last row in which each labelled change after the warm-up may be reported, without overlap."""
    starts = [row for row in np.flatnonzero(experiment.changed).tolist() if row >= WARM_UP]
    until = [*starts[1:], len(experiment.rows)]
    return [
        (start, min(int(np.searchsorted(experiment.times, experiment.times[start] + WINDOW_S, side="right")), end) - 1)
        for start, end in zip(starts, until, strict=True)
    ]


def write_scores(folder: Path, experiments: Sequence[Experiment], judged: Sequence[Judged]) -> None:
    """Write `<group>/<n>.csv` for each file: datetime, score, outlier, changepoint."""
    for each, found in zip(experiments, judged, strict=True):
        columns = (map(repr, found.score.tolist()), found.outliers.astype(int), found.changes.astype(int))
        rows = zip(each.stamps, *columns, strict=True)
        write_rows(folder / each.name, ("datetime", "score", "outlier", "changepoint"), rows)
