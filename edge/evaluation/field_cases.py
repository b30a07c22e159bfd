"""Field cases: recorded situations together with what a person would want to be told about them.

A case is a folder with

- `readings.csv`: the readings, with the columns `time`, `sensor` and `value`, in the order of their arrival;
- `labels.csv`: the times in which something was wrong, with the columns `sensor`, `start`, `end`, `kind` and
  `within_s`: the number of seconds after the start within which it should be reported; `sensor` may contain `*` and
  `?`;
- or, instead of these two, `make.py`: a program that writes them into the folder given as its only argument;
- optionally `expert.toml`: the configuration that somebody who knows the plant would write.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge.core.intake.decoders.notation.times import TimeError, read_time
from edge.evaluation.csv_files import BenchmarkError, read_rows

READINGS, LABELS, PROGRAM, EXPERT = "readings.csv", "labels.csv", "make.py", "expert.toml"
COLUMNS = ("sensor", "start", "end", "kind", "within_s")

MAKING_S = 600.0
"""Time that a case's program may take."""


@dataclass(frozen=True)
class Wanted:
    """Something that should be reported.

    Attributes:
        sensor: Name of the sensor, which may contain `*` and `?`.
        start: When it begins, in seconds since the epoch, UTC.
        end: When it ends.
        kind: What is wrong, in the label's own words.
        within_s: Seconds after the start within which it should be reported.
    """

    sensor: str
    start: float
    end: float
    kind: str
    within_s: float


class FieldCase(NamedTuple):
    """One case.

    Attributes:
        name: Name of its folder.
        folder: The folder.
    """

    name: str
    folder: Path

    @property
    def expert(self) -> Path | None:
        """The configuration of somebody who knows the plant; None if the case has none."""
        path = self.folder / EXPERT
        return path if path.is_file() else None


def cases_in(folder: Path, names: Sequence[str] = ()) -> list[FieldCase]:
    """The cases in a folder, by name.

    Args:
        folder: A folder with one folder per case.
        names: The cases to choose; empty for all.

    Raises:
        BenchmarkError: There are none, or one of `names` isn't among them.
    """
    if not folder.is_dir():
        raise BenchmarkError(f"{folder}: there is no such folder")
    found = [FieldCase(each.name, each.resolve()) for each in sorted(folder.iterdir()) if _is_case(each)]
    if not found:
        raise BenchmarkError(f"{folder}: no folder in it has {READINGS} and {LABELS}, or {PROGRAM}")
    known = {each.name for each in found}
    for name in names:
        if name not in known:
            raise BenchmarkError(f"{folder}: there is no case {name}; known: {', '.join(sorted(known))}")
    return [each for each in found if not names or each.name in names]


@contextmanager
def prepared(case: FieldCase) -> Iterator[Path]:
    """The folder with a case's readings and labels, which its program writes into a temporary one.

    Raises:
        BenchmarkError: The program failed, took too long, or didn't write them.
    """
    if _has_files(case.folder):
        yield case.folder
        return
    with tempfile.TemporaryDirectory() as written:
        command = [sys.executable, str(case.folder / PROGRAM), written]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAKING_S)
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"{command[1]}: took more than {MAKING_S:g} s") from error
        if done.returncode:
            reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise BenchmarkError(f"{command[1]}: {reason[0]}")
        if not _has_files(Path(written)):
            raise BenchmarkError(
                f"{command[1]}: didn't write {READINGS} and {LABELS} into the folder that it was given"
            )
        yield Path(written)


def read_wanted(path: Path) -> list[Wanted]:
    """Read a case's labels.

    Raises:
        BenchmarkError: A column is missing, or a cell is malformed; the message contains the line.
    """
    try:
        rows = read_rows(path)
    except (OSError, UnicodeDecodeError) as error:
        raise BenchmarkError(f"{path}: can't be read: {error}") from error
    return [_wanted(f"{path}:{line}", row) for line, row in enumerate(rows, start=2)]


def _wanted(place: str, row: dict[str, str]) -> Wanted:
    missing = next((each for each in COLUMNS if row.get(each) is None), None)
    if missing is not None:
        raise BenchmarkError(f"{place}: has no {missing}; the columns are {', '.join(COLUMNS)}")
    start, end = _time(place, row["start"]), _time(place, row["end"])
    try:
        within_s = float(row["within_s"])
    except ValueError as error:
        raise BenchmarkError(f"{place}: within_s: {row['within_s']!r} isn't a number") from error
    if not (start <= end and 0 <= within_s < math.inf):
        raise BenchmarkError(f"{place}: ends before it starts, or has a within_s below 0")
    return Wanted(row["sensor"], start, end, row["kind"], within_s)


def _time(place: str, text: str) -> float:
    try:
        return read_time(text)
    except TimeError as error:
        raise BenchmarkError(f"{place}: {text[:40]!r} isn't a time") from error


def _is_case(folder: Path) -> bool:
    return folder.is_dir() and (_has_files(folder) or (folder / PROGRAM).is_file())


def _has_files(folder: Path) -> bool:
    return (folder / READINGS).is_file() and (folder / LABELS).is_file()
