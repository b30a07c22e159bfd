"""The Numenta Anomaly Benchmark: its folder, and a detector's run over it.

The folder contains `data/<category>/<file>.csv` with the columns `timestamp` and `value`, and the windows of the
anomalies in `labels/combined_windows.json`, as in NAB's repository, or in `windows.json`.

All files are processed in parallel, one sensor each, with one row of every file per round; since detectors never
combine sensors, the result is the same as file by file. Nothing is known of a file before its rows arrive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.base import Detector
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from edge.evaluation.csv_files import BenchmarkError, read_rows, seconds, write_rows
from edge.evaluation.nab_scoring import Truth, truth

SCORE_COLUMNS = ("timestamp", "value", "anomaly_score")
WINDOWS = ("labels/combined_windows.json", "windows.json")

THRESHOLD = 2.75
"""Default decades of surprise at which a row is a detection."""

REST_SHARE, REST_LEAST, REST_MOST = 0.04, 20.0, 200.0
"""Rows after a detection that belong to the same incident: this share of all rows so far, within these bounds."""

PUBLISHED = (
    ("ARTime", (74.9, 65.1, 80.4)),
    ("Numenta HTM", (70.1, 63.1, 74.3)),
    ("CAD OSE", (69.9, 67.0, 73.2)),
)
"""The top of the leaderboard over all 58 files, by `nab_scoring.PROFILES`, each at its best threshold. All three know
the whole file's range of values in advance."""


@dataclass(frozen=True)
class NabSeries:
    """One file of the benchmark.

    Attributes:
        name: `<category>/<file>.csv`.
        stamps: Timestamps as in the file.
        times: Timestamps in seconds since the epoch, shape (rows,).
        values: The values, shape (rows,).
        truth: The value of detections in each row.
    """

    name: str
    stamps: list[str]
    times: Floats
    values: Floats
    truth: Truth


def read_folder(folder: Path) -> list[NabSeries]:
    """Read all files with windows.

    Raises:
        BenchmarkError: The folder isn't a copy of NAB, or a file in it is damaged.
    """
    labels = next((folder / each for each in WINDOWS if (folder / each).is_file()), None)
    if labels is None:
        raise BenchmarkError(f"{folder}: holds neither {' nor '.join(WINDOWS)}")
    try:
        windows = json.loads(labels.read_text("utf-8"))
        names = [(name, folder / "data" / name) for name in sorted(windows)]
        return [_read(name, path, windows[name]) for name, path in names if path.is_file()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BenchmarkError(f"{folder}: can't be read as NAB's: {error}") from error


def _read(name: str, path: Path, windows: Sequence[Sequence[str]]) -> NabSeries:
    rows = read_rows(path)
    stamps = [row["timestamp"] for row in rows]
    times = np.array([seconds(each) for each in stamps])
    values = np.array([float(row["value"]) for row in rows])
    spans = [(_first_at(times, begin), _last_at(times, end)) for begin, end in windows]
    return NabSeries(name, stamps, times, values, truth(len(rows), spans))


def _first_at(times: Floats, stamp: str) -> int:
    return int(np.flatnonzero(times == seconds(stamp))[0])


def _last_at(times: Floats, stamp: str) -> int:
    return int(np.flatnonzero(times == seconds(stamp))[-1])


def run(detector: Detector, series: Sequence[NabSeries]) -> list[Floats]:
    """Decades of surprise of every row of every file, each based on the rows before it; NaN becomes 0."""
    table = StateTable(detector, len(series))
    decades = [np.zeros(len(each.values)) for each in series]
    longest = max((len(each.values) for each in series), default=0)
    for row in range(longest):
        slots = np.array([slot for slot, each in enumerate(series) if row < len(each.values)], dtype=np.intp)
        values = np.array([series[slot].values[row] for slot in slots])
        times = np.array([series[slot].times[row] for slot in slots])
        scores = table.update(slots, values, times).score
        for slot, score in zip(slots, scores, strict=True):
            decades[slot][row] = 0.0 if np.isnan(score) else score
    return decades


def detections(decades: Floats, threshold: float) -> Floats:
    """A file's scores in [0, 1) as required by NAB: 0.5 and more is a detection.

    NAB compares detections with its windows row by row, whereas an incident is one alert however long it lasts. A row
    that follows a detection too closely therefore scores 0.

    Args:
        decades: Surprise of each row, shape (rows,).
        threshold: Decades of a detection.
    """
    scores: Floats = -np.expm1(-np.log(2.0) * decades / threshold)
    again = -1.0
    for row in np.flatnonzero(decades >= threshold).tolist():
        if row <= again:
            scores[row] = 0.0
        else:
            again = row + min(max(REST_SHARE * row, REST_LEAST), REST_MOST)
            scores[row] = max(scores[row], 0.5)
    return scores


def write_scores(folder: Path, series: Sequence[NabSeries], scores: Sequence[Floats]) -> None:
    """Write `<category>/<file>.csv` for each file: timestamp, value, anomaly_score."""
    for each, column in zip(series, scores, strict=True):
        rows = zip(each.stamps, each.values.tolist(), map(repr, column.tolist()), strict=True)
        write_rows(folder / each.name, SCORE_COLUMNS, rows)
