"""Readings from a CSV file: long (time, sensor, value) or wide (time and a column for each sensor)."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from edge.core.decoders.times import TimeError, read_time
from edge.core.messages import Reading

TIME_COLUMNS = ("time", "timestamp", "ts", "t", "datetime", "date")
MISSING = frozenset({"", "nan", "null", "none", "na", "n/a"})


class CsvError(Exception):
    """A CSV file can't be read; says the file, the line, and what is wrong with it."""


def read_csv(path: Path) -> Iterator[Reading]:
    """Read a file row by row, in its order.

    The separator (comma, semicolon or tab) follows from the header. Times are RFC 3339 or epochs in s, ms, us or ns;
    cells that are empty or say NaN hold no reading.

    Args:
        path: The file, UTF-8.

    Yields:
        One reading a row, or one a filled cell in the wide form.

    Raises:
        CsvError: There is no such file, its header doesn't say which columns hold what, or a cell can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _read(path, file)
    except OSError as error:
        raise CsvError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error


class _Columns(NamedTuple):
    """Where a file holds what; `sensors` is None in the long form, else the columns and names of the wide one."""

    width: int
    time: int
    sensor: int
    value: int
    sensors: list[tuple[int, str]] | None


def _columns(path: Path, header: list[str]) -> _Columns:
    lowered = [each.lower() for each in header]
    time_column = next((lowered.index(each) for each in TIME_COLUMNS if each in lowered), None)
    if time_column is None:
        raise CsvError(f"{path}:1: no column for the time; one must be called {', '.join(TIME_COLUMNS)}")
    if len(set(lowered)) != len(lowered):
        raise CsvError(f"{path}:1: two columns have the same name")
    if "sensor" in lowered and "value" in lowered:
        return _Columns(len(header), time_column, lowered.index("sensor"), lowered.index("value"), None)
    if len(header) < 2:
        raise CsvError(f"{path}:1: no column beside the time")
    sensors = [(index, name) for index, name in enumerate(header) if index != time_column]
    return _Columns(len(header), time_column, -1, -1, sensors)


def _read(path: Path, file: TextIO) -> Iterator[Reading]:
    first = file.readline()
    separator = max(",;\t", key=first.count)
    header = [each.strip() for each in next(csv.reader([first], delimiter=separator), [])]
    columns = _columns(path, header)
    rows = csv.reader(file, delimiter=separator)
    try:
        for cells in rows:
            if cells:
                yield from _row(cells, columns, header, f"{path}:{rows.line_num + 1}")
    except csv.Error as error:
        raise CsvError(f"{path}:{rows.line_num + 1}: {error}") from error


def _row(cells: list[str], columns: _Columns, header: list[str], place: str) -> Iterator[Reading]:
    if len(cells) != columns.width:
        raise CsvError(f"{place}: {len(cells)} cells, the header has {columns.width}")
    time = _time(cells[columns.time], place)
    sensors = columns.sensors
    if sensors is None:
        sensors = [(columns.value, cells[columns.sensor].strip())]
    for index, name in sensors:
        if not name:
            raise CsvError(f"{place}: the sensor has no name")
        value = _value(cells[index], f"{place}: {header[index]}")
        if value is not None:
            yield Reading(name, time, value)


def _time(text: str, place: str) -> float:
    try:
        return read_time(text.strip())
    except TimeError as error:
        raise CsvError(f"{place}: {text.strip()[:40]!r} is no time") from error


def _value(text: str, place: str) -> float | None:
    if text.strip().lower() in MISSING:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise CsvError(f"{place}: {text.strip()[:40]!r} is no number")
    return value
