"""The header of a CSV file: its separator and the meaning of its columns."""

from __future__ import annotations

import csv
from typing import NamedTuple

TIME_COLUMNS = (
    "time", "timestamp", "ts", "t", "datetime", "date_time", "@timestamp", "_time", "time_utc", "epoch", "date",
)  # fmt: skip
SENSOR_COLUMNS = ("sensor", "sensor_id", "sensor_name", "tag", "topic")
VALUE_COLUMNS = ("value", "reading")
LABEL_COLUMNS = ("label", "anomaly", "is_anomaly")
"""Columns with 1 for an anomaly and 0 otherwise, which aren't sensors."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


class HeaderError(ValueError):
    """A header doesn't identify the columns."""


class Columns(NamedTuple):
    """The layout of a file.

    Attributes:
        separator: The character between cells.
        header: Names of the columns.
        times: The column of the time, or the columns of date and time of day.
        sensor: The column of the sensor's name in the long form; None in the wide form.
        values: Value columns with their names: one in the long form, one per sensor in the wide form.
        label: The label column, or None.
    """

    separator: str
    header: list[str]
    times: tuple[int, ...]
    sensor: int | None
    values: list[tuple[int, str]]
    label: int | None


def read_header(line: str) -> Columns:
    """Interpret a header; exactly one of the separators must give a valid result.

    Args:
        line: The first line of a file that is neither empty nor a comment.

    Raises:
        HeaderError: It doesn't identify the columns.
    """
    readings = {each: _cells(line, each) for each in SEPARATORS}
    sensible = [each for each, cells in readings.items() if len(cells) > 1 and _times([c.lower() for c in cells])]
    if len(sensible) > 1:
        words = " or ".join(SEPARATORS[each] for each in sensible)
        raise HeaderError(f"is the separator a {words}? Both match the header")
    if not sensible:
        if all(len(cells) < 2 for cells in readings.values()):
            found = _times([line.strip().strip('"').lower()])
            known = ", ".join(SEPARATORS.values())
            raise HeaderError("no column besides the time" if found else f"only one column; separators are {known}")
        raise HeaderError(f"no column for the time; one must be called {', '.join(TIME_COLUMNS)}")
    return _columns(sensible[0], readings[sensible[0]])


def _cells(line: str, separator: str) -> list[str]:
    return [each.strip() for each in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]


def _times(lowered: list[str]) -> tuple[int, ...]:
    if "date" in lowered and "time" in lowered:
        return lowered.index("date"), lowered.index("time")
    return next(((lowered.index(each),) for each in TIME_COLUMNS if each in lowered), ())


def _columns(separator: str, header: list[str]) -> Columns:
    lowered = [each.lower() for each in header]
    twice = next((name for index, name in enumerate(lowered) if name and name in lowered[:index]), None)
    if twice is not None:
        raise HeaderError(f"two columns have the same name, {header[lowered.index(twice)]!r}")
    times = _times(lowered)
    label = _first(lowered, LABEL_COLUMNS)
    sensor, value = _first(lowered, SENSOR_COLUMNS), _first(lowered, VALUE_COLUMNS)
    if sensor is not None and value is not None:
        return Columns(separator, header, times, sensor, [(value, header[value])], label)
    values = [(index, name) for index, name in enumerate(header) if index not in {*times, label} and name]
    if not values:
        raise HeaderError("no column besides the time")
    return Columns(separator, header, times, None, values, label)


def _first(lowered: list[str], names: tuple[str, ...]) -> int | None:
    return next((lowered.index(each) for each in names if each in lowered), None)
