"""A CSV file as a source: its readings, and the topics to publish them on.

Long form (columns for the time, `sensor` and `value`) or wide form (the time and one column per sensor), read by
`edge.shell.files.csv_file`, which replays use too, so that both get the same readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_file import CsvError, read_csv

LONGEST_TOPIC = 256
"""Maximum length of a topic in bytes, the limit of some cloud brokers."""


def csv_readings(path: Path, prefix: str = "") -> Iterator[Reading]:
    """The readings of a file in its order, with sensors' names converted to topics.

    Args:
        path: The file.
        prefix: First level of all topics; empty for none.

    Raises:
        CsvError: The file can't be read, or a sensor's name isn't a valid topic; the message contains the file, and the
            line if there is one.
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
    """Why a topic is invalid for publishing, or None."""
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
