from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_file import CsvError
from simulators.publish.csv_source import csv_readings, topic_problem


def read(path: Path, text: str, prefix: str = "") -> list[Reading]:
    file = path / "mine.csv"
    file.write_text(text)
    return list(csv_readings(file, prefix))


def test_the_long_form_names_the_sensor_in_each_row(tmp_path: Path) -> None:
    text = "time,sensor,value\n1700000000,a/b,1.5\n2023-11-14T22:14:20Z,a/c,2\n"
    assert read(tmp_path, text) == [Reading("a/b", 1.7e9, 1.5), Reading("a/c", 1.7e9 + 60, 2.0)]


def test_the_wide_form_has_a_column_per_sensor_and_may_have_holes(tmp_path: Path) -> None:
    text = "timestamp,a,b\n1700000000,1,\n1700000060,,2\n"
    assert read(tmp_path, text) == [Reading("a", 1.7e9, 1.0), Reading("b", 1.7e9 + 60, 2.0)]


def test_a_prefix_comes_before_every_topic(tmp_path: Path) -> None:
    assert read(tmp_path, "time,a\n1700000000,1\n", "hall/2")[0].sensor == "hall/2/a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,sensor,value\n1700000000,a,1\nyesterday,a,2\n", "mine.csv:3"),
        ("time,sensor,value\n1700000000,a,warm\n", "mine.csv:2"),
        ("time,sensor,value\n1700000000,a\n", "mine.csv:2"),
        ("sensor,value\na,1\n", "mine.csv:1"),
        ("time,a+b\n1700000000,1\n", "'a\\+b' can't be a topic"),
        ("time,sensor,value\n1700000000,a//b,1\n", "empty level"),
    ],
)
def test_errors_name_the_file_and_the_position(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CsvError, match=words):
        read(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=r"none\.csv"):
        list(csv_readings(tmp_path / "none.csv"))


@pytest.mark.parametrize("topic", ["", "a/+/b", "a/#", "$SYS/a", "/a", "a/", "a\0b", "ä" * 129])
def test_a_topic_that_must_not_be_published_to_is_refused(topic: str) -> None:
    assert topic_problem(topic)


@pytest.mark.parametrize("topic", ["a", "plant/line 1/temperatur", "a.b/c-d"])
def test_other_topics_are_accepted(topic: str) -> None:
    assert topic_problem(topic) is None
