"""The Skoltech Anomaly Benchmark, version 0.9: one water loop, eight sensors that belong together.

A folder holds `<group>/<n>.csv`, or `data/<group>/<n>.csv` as in its repository, separated by semicolons, with the
columns `datetime`, `anomaly`, `changepoint` and one for each sensor. The first 400 rows of a file are its warm-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.multivariate import THRESHOLD, excess, learn
from edge.benchmarks.csv_files import BenchmarkError, read_rows, write_rows

WARM_UP = 400
NOT_SENSORS = frozenset({"datetime", "anomaly", "changepoint"})
WITHOUT_FAULT = "anomaly-free"

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Experiment:
    """One file.

    Attributes:
        name: `<group>/<n>.csv`.
        stamps: The times as they stand in the file.
        rows: Readings, shape (rows, sensors).
        faulty: Rows of the fault, shape (rows,).
    """

    name: str
    stamps: list[str]
    rows: Floats
    faulty: Flags


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
    """Read all files that hold a fault.

    Raises:
        BenchmarkError: The folder isn't one of SKAB's, or a file in it is damaged.
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
    faulty = np.array([float(line["anomaly"]) > 0 for line in lines])
    return Experiment(f"{path.parent.name}/{path.name}", [line["datetime"] for line in lines], rows, faulty)


def flag(experiment: Experiment, threshold: float = THRESHOLD) -> Flags:
    """Rows that are outliers, each judged by the warm-up and the rows before it; shape (rows,).

    Raises:
        BenchmarkError: The warm-up shows too little to judge by.
    """
    try:
        usual = learn(experiment.rows[:WARM_UP])
    except ValueError as error:
        raise BenchmarkError(f"{experiment.name}: {error}") from error
    flags: Flags = excess(usual, experiment.rows) >= threshold
    return flags


def figures(experiments: Sequence[Experiment], flags: Sequence[Flags]) -> Figures:
    """SKAB's figures, pooled over the rows of all files behind their warm-ups."""
    faulty = np.concatenate([each.faulty[WARM_UP:] for each in experiments])
    flagged = np.concatenate([each[WARM_UP:] for each in flags])
    hits, false = int((faulty & flagged).sum()), int((~faulty & flagged).sum())
    missed = int((faulty & ~flagged).sum())
    ordinary = max(int((~faulty).sum()), 1)
    f1 = hits / max(hits + (false + missed) / 2, 0.5)
    return Figures(f1, 100 * false / ordinary, 100 * missed / max(hits + missed, 1))


def write_flags(folder: Path, experiments: Sequence[Experiment], flags: Sequence[Flags]) -> None:
    """Write `<group>/<n>.csv` for each file: datetime, outlier."""
    for each, column in zip(experiments, flags, strict=True):
        rows = zip(each.stamps, column.astype(int).tolist(), strict=True)
        write_rows(folder / each.name, ("datetime", "outlier"), rows)
