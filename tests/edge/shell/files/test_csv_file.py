from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.core.model.readings.messages import Reading
from edge.shell.files.csv_file import CsvAccount, CsvError, in_order, read_csv
from edge.shell.files.csv_header import HeaderError, read_header

T = 1_700_000_000.0


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "mine.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def read(folder: Path, text: str | bytes, **options: object) -> list[Reading]:
    return list(read_csv(written(folder, text), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_is_detected_from_the_header(tmp_path: Path, separator: str) -> None:
    text = "time,sensor,value\n1700000000,a,1.5\n1700000060,b,-2\n".replace(",", separator)
    assert read(tmp_path, text) == [Reading("a", T, 1.5), Reading("b", T + 60, -2.0)]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas_are_read_where_the_comma_is_not_a_separator(tmp_path: Path, separator: str) -> None:
    text = "time,a,b\n1700000000,1:5,7\n1700000060,-:25,1:5e3\n".replace(",", separator).replace(":", ",")
    values = [each.value for each in read(tmp_path, text)]
    assert values == [1.5, 7.0, -0.25, 1500.0]


@pytest.mark.parametrize("text", ["1.234,5", "1,2,3", ",", "1 234,5"])
def test_thousands_separators_are_not_decimals(tmp_path: Path, text: str) -> None:
    with pytest.raises(CsvError, match="mine.csv:2: a: .* isn't a number"):
        read(tmp_path, f"time;a\n1700000000;{text}\n")


def test_decimal_commas_and_points_in_one_file_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="mine.csv:3: a: '1.500' in a file whose numbers have decimal commas"):
        read(tmp_path, "time;a\n1700000000;1,5\n1700000060;1.500\n")


@pytest.mark.parametrize(
    "time",
    [
        "2023-11-14T22:13:20Z", "2023-11-14 22:13:20", "2023-11-14T23:13:20+01:00", "2023-11-14 22:13:20.000000",
        "14.11.2023 22:13:20", "1700000000", "1700000000.0", "1.7e9", "1700000000000", "1700000000000000",
        "1700000000000000000",
    ],
)  # fmt: skip
def test_a_time_has_many_notations(tmp_path: Path, time: str) -> None:
    assert read(tmp_path, f"ts;a\n{time};1\n") == [Reading("a", T, 1.0)]


def test_an_epoch_may_have_a_decimal_comma_like_the_values(tmp_path: Path) -> None:
    assert read(tmp_path, "ts;a\n1700000000,5;1,5\n") == [Reading("a", T + 0.5, 1.5)]


def test_date_and_time_may_be_two_columns(tmp_path: Path) -> None:
    assert read(tmp_path, "Date,Time,a\n2023-11-14,22:13:20,1\n") == [Reading("a", T, 1.0)]


@pytest.mark.parametrize("name", ["time", "Timestamp", "TS", "t", "date", "DateTime", "_time", "@timestamp", '"time"'])
def test_the_column_of_the_time_has_many_names(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"{name},a\n1700000000,1\n") == [Reading("a", T, 1.0)]


@pytest.mark.parametrize("header", ["time,sensor,value", "Value,Time,Sensor_ID,unit", "time,topic,reading,value_of"])
def test_the_long_form_is_recognised_by_its_columns_in_any_order(header: str) -> None:
    columns = read_header(header)
    assert columns.sensor is not None
    assert len(columns.values) == 1


def test_byte_order_mark_line_ends_comments_and_empty_lines_are_ignored(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf# from the logger\r\n\r\ntime,a\r\n# a break\r\n1700000000,1\r\n\r\n,\r\n1700000060,2\r\n"
    assert [each.value for each in read(tmp_path, text)] == [1.0, 2.0]


def test_cells_without_a_reading_are_counted(tmp_path: Path) -> None:
    account = CsvAccount()
    text = "time,a,b\n1700000000,1,\n1700000060,NaN,2\n1700000120,null,-\n"
    assert len(read(tmp_path, text, account=account)) == 2
    assert (account.readings, account.missing, account.left_out) == (2, 4, 0)
    assert account.bytes_read == len(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "mine.csv:1: only one column"),
        ("time\n", "mine.csv:1: no column besides the time"),
        ("when,a\n", "mine.csv:1: no column for the time"),
        ("time,a,A\n", "mine.csv:1: two columns have the same name, 'a'"),
        ("time,a;time\n", "mine.csv:1: is the separator a comma or semicolon"),
        ("# one\ntime,a\n# three\n1700000000,warm\n", "mine.csv:4: a: 'warm' isn't a number"),
        ("time,a\n1700000000,1\nyesterday,2\n", "mine.csv:3: 'yesterday' isn't a time"),
        ("time,a\n1700000000,1,2\n", "mine.csv:2: 3 cells, the header has 2"),
        ("time,a\n1700000000,inf\n", "mine.csv:2: a: 'inf' isn't a number"),
        ("time,a\n1700000000,1_000\n", "mine.csv:2: a: '1_000' isn't a number"),
        ("time,sensor,value\n1700000000,,1\n", "mine.csv:2: the sensor has no name"),
        ("time,a,label\n1700000000,1,maybe\n", None),
    ],
)
def test_errors_are_reported_with_their_line(tmp_path: Path, text: str, words: str | None) -> None:
    if words is None:
        with pytest.raises(CsvError, match="mine.csv:2: label: 'maybe' is neither 0 nor 1"):
            read(tmp_path, text, on_label=lambda *_: None)
        return
    with pytest.raises(CsvError, match=words):
        read(tmp_path, text)


def test_text_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="not UTF-8"):
        read(tmp_path, b"time,temp\xe9rature\n1700000000,1\n")


def test_unreadable_rows_are_skipped_and_counted_on_request(tmp_path: Path) -> None:
    account = CsvAccount()
    text = "time,a\nyesterday,1\n1700000000,2\n1700000060\n1700000120,x\n1700000180,3\n"
    found = read(tmp_path, text, lenient=True, account=account)
    assert [each.value for each in found] == [2.0, 3.0]
    assert account.left_out == 3
    assert account.first_left_out.endswith("mine.csv:2: 'yesterday' isn't a time")


def test_a_header_is_never_skipped(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="no column for the time"):
        read(tmp_path, "when,a\n1,2\n", lenient=True)


def test_a_column_of_labels_is_not_a_sensor(tmp_path: Path) -> None:
    said: list[tuple[str | None, float, bool]] = []
    text = "time;a;anomaly\n1700000000;1;0.0\n1700000060;2;1.0\n"
    found = read(tmp_path, text, on_label=lambda *row: said.append(row))
    assert {each.sensor for each in found} == {"a"}
    assert said == [(None, T, False), (None, T + 60, True)]


def test_in_the_long_form_a_label_belongs_to_its_sensor(tmp_path: Path) -> None:
    said: list[tuple[str | None, float, bool]] = []
    read(tmp_path, "time,sensor,value,label\n1700000000,a,1,1\n", on_label=lambda *row: said.append(row))
    assert said == [("a", T, True)]


def test_readings_are_sorted_within_the_window() -> None:
    readings = [Reading("a", float(index), 0.0) for index in range(500)]
    mixed = sorted(readings, key=lambda each: each.time + random.Random(each.time).uniform(-20, 20))
    assert mixed != readings
    assert list(in_order(mixed, among=50)) == readings
    assert list(in_order(reversed(readings), among=500)) == readings
    assert list(in_order(reversed(readings), among=10)) != readings


def test_readings_of_one_time_keep_their_order() -> None:
    readings = [Reading("b", 1.0, 2.0), Reading("a", 1.0, 1.0), Reading("a", 1.0, 0.0)]
    assert list(in_order(readings)) == readings


def test_a_header_with_quoted_separators_is_read() -> None:
    columns = read_header('time,"temperature, inside",b')
    assert [name for _, name in columns.values] == ["temperature, inside", "b"]
    with pytest.raises(HeaderError):
        read_header('"time;a"')
