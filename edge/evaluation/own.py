"""Own files: a detector's score of every row, as in the service.

A folder contains CSV files, at any depth, with the columns `timestamp` and `value`, and optionally `label`, 1 for
anomalous rows and 0 for others. As in the service, nothing is learned while an incident is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from edge.evaluation.csv_files import BenchmarkError, read_rows, seconds, write_rows
from edge.evaluation.nab import SCORE_COLUMNS

CLEAR_SHARE = 0.5
CLEAR_ROWS = 5
"""Number of consecutive rows below this share of the threshold that end an incident."""


@dataclass(frozen=True)
class OwnSeries:
    """One file of the folder.

    Attributes:
        name: Path relative to the folder.
        stamps: Timestamps as in the file.
        times: Timestamps in seconds since the epoch, shape (rows,).
        values: The values, shape (rows,).
        labels: Whether each row is anomalous, shape (rows,); None if unknown.
    """

    name: str
    stamps: list[str]
    times: Floats
    values: Floats
    labels: NDArray[np.bool_] | None


def read_folder(folder: Path) -> list[OwnSeries]:
    """Read all CSV files.

    Raises:
        BenchmarkError: There are none, or one can't be read.
    """
    paths = sorted(folder.rglob("*.csv"))
    if not paths:
        raise BenchmarkError(f"{folder}: holds no CSV file")
    series = []
    for path in paths:
        try:
            series.append(_read(folder, path))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise BenchmarkError(f"{path}: can't be read: {error}") from error
    return series


def _read(folder: Path, path: Path) -> OwnSeries:
    rows = read_rows(path)
    stamps = [row["timestamp"] for row in rows]
    times = np.array([seconds(each) for each in stamps])
    values = np.array([float(row["value"] or "nan") for row in rows])
    labelled = bool(rows) and "label" in rows[0]
    labels = np.array([float(row["label"]) > 0 for row in rows]) if labelled else None
    return OwnSeries(path.relative_to(folder).as_posix(), stamps, times, values, labels)


def run(detector: Detector, series: OwnSeries, threshold: float) -> Floats:
    """Decades of surprise of every row, without learning while an incident is open; NaN becomes 0."""
    table, slot = StateTable(detector, 1), np.array([0])
    decades = np.zeros(len(series.values))
    is_open, calm = np.array([False]), 0
    for row in range(len(decades)):
        rows = slice(row, row + 1)
        score = float(np.nan_to_num(table.update(slot, series.values[rows], series.times[rows], is_open).score[0]))
        calm = 0 if score >= CLEAR_SHARE * threshold else calm + 1
        is_open[0] = score >= threshold or (is_open[0] and calm < CLEAR_ROWS)
        decades[row] = score
    return decades


def average_precision(scores: Floats, labels: NDArray[np.bool_]) -> float:
    """Area under the precision-recall curve: at best 1, by chance the share of anomalous rows."""
    order = np.argsort(-scores, kind="stable")
    found, truth = scores[order], labels[order]
    ends = np.flatnonzero(np.append(found[1:] != found[:-1], True))  # equal scores are treated together
    hits = np.cumsum(truth)[ends]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / (ends + 1)).sum() / max(int(labels.sum()), 1))


def write_scores(folder: Path, series: OwnSeries, decades: Floats) -> None:
    """Write a file under its name in `folder`: timestamp, value, anomaly_score in decades."""
    rows = zip(series.stamps, series.values.tolist(), map(repr, decades.tolist()), strict=True)
    write_rows(folder / series.name, SCORE_COLUMNS, rows)
