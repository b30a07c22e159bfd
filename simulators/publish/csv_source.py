"""A user's CSV file as a source: its readings, and the topics that they are published on.

Long form (a column for the time, `sensor` and `value`) or wide form (the time and one column a sensor), as
`edge.shell.files.csv_file` reads it for replays too, so that both see the same readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_file import CsvError, read_csv

LONGEST_TOPIC = 256
"""Bytes of a topic; some brokers of the cloud take no longer one."""


def csv_readings(path: Path, prefix: str = "") -> Iterator[Reading]:
    """The readings of a file in its order, the sensors' names made topics.

    Args:
        path: The file.
        prefix: Level that all topics begin with; empty for none.

    Raises:
        CsvError: The file can't be read, or a sensor's name can't be a topic; names the file, and the line
            where there is one.
    """
    topics: dict[str, str] = {}
    for sensor, time, value in read_csv(path):
        topic = topics.get(sensor)
        if topic is None:
            topic = topics[sensor] = f"{prefix}/{sensor}" if prefix else sensor
            problem = topic_problem(topic)
            if problem:
                raise CsvError(f"{path}: the sensor {sensor[:80]!r} can't be a topic: {problem}")
        yield Reading(topic, time, value)


def topic_problem(topic: str) -> str | None:
    """Why nothing can be published to a topic, or None."""
    if not topic:
        return "it is empty"
    if any(each in topic for each in "+#\0"):
        return "it holds +, # or a NUL character"
    if topic.startswith("$"):
        return "topics that begin with $ are the broker's own"
    if not all(topic.split("/")):
        return "it has an empty level"
    if len(topic.encode()) > LONGEST_TOPIC:
        return f"it has more than {LONGEST_TOPIC} bytes"
    return None
