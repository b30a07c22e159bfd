"""The CSV files of benchmarks, and the result files that are written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path


class BenchmarkError(Exception):
    """A benchmark's folder can't be read; says which file, and what is wrong with it."""


def read_rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a file, by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a file, and the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def seconds(stamp: str) -> float:
    """A timestamp in seconds since the epoch; one without a zone is UTC, a plain number is seconds already."""
    try:
        return float(stamp)
    except ValueError:
        found = datetime.fromisoformat(stamp)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
