"""CSV files of benchmarks, and result files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path


class BenchmarkError(Exception):
    """A benchmark's folder can't be read; the message contains the file and the error."""


def read_rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a file, by the names of its columns; a byte order mark, as of a spreadsheet, is none of the name."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a file, creating its directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def seconds(stamp: str) -> float:
    """A timestamp in seconds since the epoch; without a time zone it is UTC, a plain number is already in seconds."""
    try:
        return float(stamp)
    except ValueError:
        found = datetime.fromisoformat(stamp)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
