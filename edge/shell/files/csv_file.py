"""Readings from a CSV file: long (time, sensor, value) or wide (time and one column per sensor).

Supported formats:

- Cells separated by comma, semicolon, tab or bar; with any but the comma, values may use a decimal comma, if all of
  them do.
- Times in RFC 3339, `2026-11-23 05:00:00` or `23.11.2026 05:00:00` (UTC without an offset), or epochs in s, ms, us or
  ns; also in two columns named date and time.
- Empty lines, lines that begin with #, a byte order mark, and both kinds of line ending.
- Empty cells and NaN, which are counted as missing readings.
"""

from __future__ import annotations

import csv
import heapq
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from edge.core.intake.decoders.notation.times import TimeError, read_time
from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_header import Columns, HeaderError, read_header

MISSING = frozenset({"", "nan", "null", "none", "na", "n/a", "-"})
SORTED_AMONG = 100_000
"""Number of readings that `in_order()` buffers for sorting."""

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?|[+-]?\d+,", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[T ]+(.+))?", re.ASCII)
_TRUE, _FALSE = frozenset({"1", "1.0", "1,0", "true", "yes"}), frozenset({"", "0", "0.0", "0,0", "false", "no", "nan"})


class CsvError(Exception):
    """A CSV file can't be read; the message contains the file, the line, and the error."""


@dataclass
class CsvAccount:
    """Progress of reading a file.

    Attributes:
        bytes_read: Number of bytes read, approximately.
        readings: Number of readings.
        missing: Number of cells without a reading.
        left_out: Number of malformed rows skipped, if that is allowed.
        first_left_out: The first error with its line.
        is_long: Whether each row names its sensor.
        has_labels: Whether a column labels anomalies.
    """

    bytes_read: int = 0
    readings: int = 0
    missing: int = 0
    left_out: int = 0
    first_left_out: str = ""
    is_long: bool = False
    has_labels: bool = False


OnLabel = Callable[[str | None, float, bool], None]
"""Called for each row of a file with a label column: sensor (None for all), time, label."""


def read_csv(
    path: Path, *, lenient: bool = False, account: CsvAccount | None = None, on_label: OnLabel | None = None
) -> Iterator[Reading]:
    """Read a file row by row, in its order.

    Args:
        path: The file, UTF-8.
        lenient: Skip malformed rows and count them.
        account: Updated with the progress.
        on_label: Called with the labels, if the file has a label column.

    Yields:
        One reading per row, or one per filled cell in the wide form.

    Raises:
        CsvError: The file doesn't exist, its header doesn't identify the columns, or a row is malformed.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _Reader(path, file, lenient, account or CsvAccount(), on_label).readings()
    except OSError as error:
        raise CsvError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error


def in_order(readings: Iterable[Reading], among: int = SORTED_AMONG) -> Iterator[Reading]:
    """The readings sorted by time within a window of `among` readings; the order of equal times is kept."""
    heap: list[tuple[float, int, Reading]] = []
    for number, reading in enumerate(readings):
        heapq.heappush(heap, (reading.time, number, reading))
        if len(heap) > among:
            yield heapq.heappop(heap)[2]
    while heap:
        yield heapq.heappop(heap)[2]


class _RowError(ValueError):
    """A malformed row; the message contains the reason without the position."""


class _Reader:
    def __init__(self, path: Path, file: TextIO, lenient: bool, account: CsvAccount, on_label: OnLabel | None) -> None:
        self._path = path
        self._file = file
        self._lenient = lenient
        self._account = account
        self._on_label = on_label
        self._line = 0
        self._has_decimal_commas: bool | None = None

    def readings(self) -> Iterator[Reading]:
        lines = self._lines()
        try:
            columns = read_header(next(lines, ""))
        except HeaderError as error:
            raise self._error(str(error), max(1, self._line)) from error
        self._account.is_long = columns.sensor is not None
        self._account.has_labels = columns.label is not None
        rows = csv.reader(lines, delimiter=columns.separator, skipinitialspace=True)
        while True:
            first = self._line + 1
            try:
                cells = next(rows, None)
                if cells is None:
                    return
                if not any(cells):
                    continue
                readings = self._row(cells, columns)
            except (_RowError, csv.Error) as error:
                self._leave_out(str(error), first if isinstance(error, csv.Error) else self._line)
                continue
            self._account.readings += len(readings)
            yield from readings

    def _lines(self) -> Iterator[str]:
        """The lines with data; all lines are counted."""
        for line in self._file:
            self._line += 1
            self._account.bytes_read += len(line)
            if line.strip() and not line.startswith("#"):
                yield line

    def _leave_out(self, problem: str, line: int) -> None:
        error = self._error(problem, line)
        if not self._lenient:
            raise error
        self._account.left_out += 1
        self._account.first_left_out = self._account.first_left_out or str(error)

    def _error(self, problem: str, line: int) -> CsvError:
        return CsvError(f"{self._path}:{line}: {problem}")

    def _row(self, cells: list[str], columns: Columns) -> list[Reading]:
        if len(cells) != len(columns.header):
            raise _RowError(f"{len(cells)} cells, the header has {len(columns.header)}")
        time = _time(" ".join(cells[each].strip() for each in columns.times))
        sensor = None
        if columns.sensor is not None:
            sensor = cells[columns.sensor].strip()
            if not sensor:
                raise _RowError("the sensor has no name")
        readings = []
        for index, name in columns.values:
            value = self._value(cells[index].strip(), name, columns.separator)
            if value is None:
                self._account.missing += 1
            else:
                readings.append(Reading(sensor or name, time, value))
        if columns.label is not None and self._on_label is not None:
            self._on_label(sensor, time, _truth(cells[columns.label].strip(), columns.header[columns.label]))
        return readings

    def _value(self, text: str, name: str, separator: str) -> float | None:
        if text.lower() in MISSING:
            return None
        number = text
        if separator != "," and "," in text and _DECIMAL_COMMA.fullmatch(text):
            number = text.replace(",", ".")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            raise _RowError(f"{name}: {text[:40]!r} isn't a number")
        if not text.lstrip("+-").isdigit():
            self._check_decimal_mark(text, name, has_comma=number is not text)
        return value

    def _check_decimal_mark(self, text: str, name: str, *, has_comma: bool) -> None:
        if not has_comma and "." not in text:
            return
        if self._has_decimal_commas is None:
            self._has_decimal_commas = has_comma
        elif self._has_decimal_commas is not has_comma:
            others = "commas" if self._has_decimal_commas else "points"
            raise _RowError(f"{name}: {text[:40]!r} in a file whose numbers have decimal {others}")


def _time(text: str) -> float:
    try:
        return read_time(text)
    except TimeError:
        pass
    number = text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first:
        day, month, year, rest = day_first.groups()
        number = f"{year}-{int(month):02}-{int(day):02} {rest or '00:00:00'}"
    try:
        return read_time(number)
    except TimeError as error:
        raise _RowError(f"{text[:40]!r} isn't a time") from error


def _truth(text: str, name: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise _RowError(f"{name}: {text[:40]!r} is neither 0 nor 1")
    return lowered in _TRUE
