"""Labels: periods in which something was wrong, according to people or a simulator.

Three file formats are distinguished by content:

- `{"file.csv": [["2014-04-10 07:15:00", "2014-04-11 16:45:00"]]}`: windows by data file, as in NAB.
- JSON lines with `sensor`, `start` and `end`, as `edgewarden simulate --truth` writes them.
- CSV with the columns sensor, start and end, and optionally kind. An empty sensor matches any.

A data file can contain its own labels in a column of 0 and 1: see `LabelRuns`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, NamedTuple

from edge.core.intake.decoders.notation.times import TimeError, read_time


class LabelError(Exception):
    """Labels can't be read, or don't match the data; the message contains the file, and the line or entry."""


class Label(NamedTuple):
    """A labelled period.

    Attributes:
        start: Time of the first reading concerned, seconds since the epoch, UTC.
        end: Time of the last reading concerned.
        sensor: Name of the sensor; None for any sensor of its file.
        kind: A description in the label's own words; may be empty.
        place: File and line of the label, for messages.
    """

    start: float
    end: float
    sensor: str | None = None
    kind: str = ""
    place: str = ""


class Labels(NamedTuple):
    """The contents of a label file.

    Attributes:
        windows: Labels by the name of the data file, if given in that form; else None.
        spans: Labels of sensors, for any data.
    """

    windows: dict[str, list[Label]] | None
    spans: list[Label]


def read_labels(name: str, text: str) -> Labels:
    """Parse a label file.

    Args:
        name: Name of the file, for messages.
        text: Its contents.

    Raises:
        LabelError: It has none of the three formats, or a label in it is malformed.
    """
    beginning = text.lstrip("\ufeff \t\r\n")
    if not beginning.startswith("{"):
        return Labels(None, list(_table(name, text.lstrip("\ufeff"))))
    try:
        whole = json.loads(beginning)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise LabelError(f"{name}:{error.lineno}: no JSON: {error.msg}") from error
        whole = None
    if isinstance(whole, dict) and all(isinstance(each, list) for each in whole.values()):
        return Labels({key: list(_windows(name, key, given)) for key, given in whole.items()}, [])
    return Labels(None, list(_lines(name, text)))


def windows_for(windows: dict[str, list[Label]], path: PurePath) -> list[Label] | None:
    """The windows of a data file, matched by the end of its path or else its name; None if there is no entry."""
    whole = f"/{path.as_posix()}"
    for key, found in windows.items():
        if whole.endswith(f"/{key.lstrip('/')}"):
            return found
    named = [found for key, found in windows.items() if PurePath(key).name == path.name]
    return named[0] if len(named) == 1 else None


class LabelRuns:
    """Labels from a column of 0 and 1: each run of readings marked 1 is one label.

    Args:
        name: Name of the data file, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: dict[str | None, tuple[float, float]] = {}
        self.labels: list[Label] = []

    def note(self, sensor: str | None, time: float, is_wrong: bool) -> None:
        """Record a row: its sensor (None for all of the file's), its time, and its label."""
        run = self._open.get(sensor)
        if is_wrong:
            self._open[sensor] = (time, time) if run is None else (min(run[0], time), max(run[1], time))
        elif run is not None:
            self._end(sensor)

    def finish(self) -> list[Label]:
        """All labels in order of their starts, after the last row."""
        for sensor in list(self._open):
            self._end(sensor)
        self.labels.sort(key=lambda each: (each.start, each.end, each.sensor or ""))
        return self.labels

    def _end(self, sensor: str | None) -> None:
        start, end = self._open.pop(sensor)
        self.labels.append(Label(start, end, sensor, place=self._name))


def _windows(name: str, key: str, given: list[Any]) -> Iterator[Label]:
    for number, window in enumerate(given):
        place = f"{name}: {key}[{number}]"
        if not isinstance(window, list) or len(window) != 2:
            raise LabelError(f"{place}: not a window: it should be [start, end]")
        yield _label(place, window[0], window[1])


def _lines(name: str, text: str) -> Iterator[Label]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabelError(f"{place}: no JSON: {error.msg}") from error
        if not isinstance(entry, dict):
            raise LabelError(f"{place}: not a label: it should be an object with sensor, start and end")
        if entry.get("type", "fault") != "fault":
            continue
        missing = next((key for key in ("sensor", "start", "end") if key not in entry), None)
        if missing is not None:
            raise LabelError(f"{place}: the label has no {missing}")
        yield _label(place, entry["start"], entry["end"], str(entry["sensor"]), str(entry.get("kind", "")))


def _table(name: str, text: str) -> Iterator[Label]:
    lines = text.splitlines()
    header = [each.strip().lower() for each in next(csv.reader(lines[:1], delimiter=_separator(lines)), [])]
    missing = next((each for each in ("sensor", "start", "end") if each not in header), None)
    if missing is not None:
        raise LabelError(f"{name}:1: no column {missing}; labels are a CSV file with sensor, start, end, or JSON")
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [each.strip() for each in next(csv.reader([line], delimiter=_separator(lines)))]
        if len(cells) != len(header):
            raise LabelError(f"{name}:{number}: {len(cells)} cells, the header has {len(header)}")
        row = dict(zip(header, cells, strict=True))
        sensor = row["sensor"] or None
        yield _label(f"{name}:{number}", row["start"], row["end"] or row["start"], sensor, row.get("kind", ""))


def _separator(lines: list[str]) -> str:
    return max(",;\t|", key=lines[0].count) if lines else ","


def _label(place: str, start: object, end: object, sensor: str | None = None, kind: str = "") -> Label:
    times = []
    for given in (start, end):
        try:
            times.append(read_time(given))
        except TimeError as error:
            raise LabelError(f"{place}: {str(given)[:40]!r} isn't a time") from error
    if times[1] < times[0]:
        raise LabelError(f"{place}: ends before it starts")
    return Label(times[0], times[1], sensor, kind, place)
