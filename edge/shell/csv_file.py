"""Readings from a CSV file: long (time, sensor, value) or wide (time and a column for each sensor)."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

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


def _read(path: Path, file: TextIO) -> Iterator[Reading]:
    first = file.readline()
    separator = max(",;\t", key=first.count)
    header = [each.strip() for each in next(csv.reader([first], delimiter=separator), [])]
    lowered = [each.lower() for each in header]
    time_column = next((lowered.index(each) for each in TIME_COLUMNS if each in lowered), None)
    if time_column is None:
        raise CsvError(f"{path}:1: no column for the time; one must be called {', '.join(TIME_COLUMNS)}")
    if len(set(lowered)) != len(lowered):
        raise CsvError(f"{path}:1: two columns have the same name")
    rows = csv.reader(file, delimiter=separator)
    long_form = "sensor" in lowered and "value" in lowered
    if not long_form and len(header) < 2:
        raise CsvError(f"{path}:1: no column beside the time")
    sensors = [(index, name) for index, name in enumerate(header) if index != time_column]
    try:
        for cells in rows:
            if not cells:
                continue
            place = f"{path}:{rows.line_num + 1}"
            if len(cells) != len(header):
                raise CsvError(f"{place}: {len(cells)} cells, the header has {len(header)}")
            time = _time(cells[time_column], place)
            if long_form:
                sensors = [(lowered.index("value"), cells[lowered.index("sensor")].strip())]
                if not sensors[0][1]:
                    raise CsvError(f"{place}: the sensor has no name")
            for index, name in sensors:
                value = _value(cells[index], f"{place}: {header[index]}")
                if value is not None:
                    yield Reading(name, time, value)
    except csv.Error as error:
        raise CsvError(f"{path}:{rows.line_num + 1}: {error}") from error


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
