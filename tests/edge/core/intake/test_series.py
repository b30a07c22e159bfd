"""Arrays that are readings of one sensor at several times, and times that are no readings."""

from __future__ import annotations

from json_samples import NOON, refusals, samples

from edge.core.intake.decoders import FieldsDecoder


def test_arrays_beside_an_array_of_times_are_series_in_order_of_time() -> None:
    payload = '{"time": [1700000060, 1700000000], "temp": [21.5, "22"], "hum": [48, null], "n": [1, 2, 3], "x": 7}'
    assert samples(payload) == [
        ("temp", 22.0, NOON), ("temp", 21.5, NOON + 60), ("hum", 48.0, NOON + 60),
        ("n/0", 1.0, None), ("n/1", 2.0, None), ("n/2", 3.0, None), ("x", 7.0, None),
    ]  # fmt: skip
    assert samples('{"d": {"ts": ["2023-11-14T22:13:20Z"], "a": [5]}}') == [("d/a", 5.0, NOON)]
    assert samples('{"t": [1, 2], "a": [5, 6]}') == [
        ("t/0", 1.0, None), ("t/1", 2.0, None), ("a/0", 5.0, None), ("a/1", 6.0, None),
    ]  # fmt: skip
    assert samples('{"ts": [1700000000], "a": [5]}', FieldsDecoder(ignore=("a",))) == []
    assert samples('{"timestamps": [1700000060, 1700000000], "values": [5, 6]}') == [
        ("values", 6.0, NOON), ("values", 5.0, NOON + 60),
    ]  # fmt: skip
    assert samples('{"Times": [3, 4], "values": [5, 6]}') == [
        ("Times/0", 3.0, None), ("Times/1", 4.0, None), ("values/0", 5.0, None), ("values/1", 6.0, None),
    ]  # fmt: skip


def test_rows_below_the_names_of_columns_are_a_table() -> None:
    rows = '"values": [[1700000060, 21.5, "on"], [1700000000, 22, null]]'
    assert samples(f'{{"name": "m", "columns": ["time", "temp", "state"], {rows}}}') == [
        ("temp", 21.5, NOON + 60), ("temp", 22.0, NOON),
    ]  # fmt: skip
    assert samples('{"a": {"fields": ["temp", "hum"], "data": [21.5, 48]}}') == [
        ("a/temp", 21.5, None), ("a/hum", 48.0, None),
    ]  # fmt: skip
    assert samples('{"Columns": ["sensor", "temp"], "Rows": [["s1", 1.5], ["s2", 2.5]]}') == [
        ("s1/temp", 1.5, None), ("s2/temp", 2.5, None),
    ]  # fmt: skip
    assert samples('{"columns": ["sensor", "temp"], "rows": [["s1", 1.5]]}') == [("s1/temp", 1.5, None)]
    assert samples('{"columns": ["x"], "rows": [[1.5], [2.5]]}') == [("0/x", 1.5, None), ("1/x", 2.5, None)]
    assert samples('{"columns": ["x", "y"], "values": [1, 2, 3]}') == [
        ("values/0", 1.0, None), ("values/1", 2.0, None), ("values/2", 3.0, None),
    ]  # fmt: skip
    assert refusals('{"columns": ["id", "ts", "x"], "rows": [[7, 1700000000, 1.5], [8, 1700000000, 2]], "y": 1}') == [
        ("no_sender", "")
    ]
    assert samples('{"ts": 1700000000, "columns": ["x", "x"], "values": [[1, 2]]}') == [
        ("values/0/0", 1.0, NOON), ("values/0/1", 2.0, NOON),
    ]  # fmt: skip


def test_pairs_of_a_time_and_a_value_are_a_series() -> None:
    assert samples('{"temp": [[1700000060000, 21.5], [1700000000000, 22]]}') == [
        ("temp", 22.0, NOON), ("temp", 21.5, NOON + 60),
    ]  # fmt: skip
    assert samples("[[1700000000, 21.5], [1700000060, 22]]") == [("", 21.5, NOON), ("", 22.0, NOON + 60)]
    assert samples('{"path": [[13.5, 52.25]]}') == [("path/0/0", 13.5, None), ("path/0/1", 52.25, None)]


def test_a_whole_number_that_identifies_something_is_no_reading() -> None:
    payload = '{"id": 5, "x": {"device_id": 7, "@iot.id": 8}, "node_id": 1.5, "paid": 3, "valid": 1, "temp": 21.5}'
    assert samples(payload) == [
        ("node_id", 1.5, None), ("paid", 3.0, None), ("valid", 1.0, None), ("temp", 21.5, None),
    ]  # fmt: skip


def test_a_number_that_is_a_time_by_its_key_and_size_is_no_reading() -> None:
    payload = '{"temp": 21.5, "last_seen": 1700000000000, "e": {"minute_ts": 1700000000, "total": 5.5}, "upTS": 1.7e9}'
    assert samples(payload, FieldsDecoder(time_keys=())) == [("temp", 21.5, None), ("e/total", 5.5, None)]
    for key in (
        *("minute_ts", "config_updated", "gwts", "windowStart", "window_end", "keepalive"),
        *("boot_time", "rxTS", "lastActive", "lc"),
    ):
        assert samples(f'{{"{key}": 1700000000, "a": 1.5, "b": 2.5, "c": 3.5}}') == [
            ("a", 1.5, None), ("b", 2.5, None), ("c", 3.5, None),
        ]  # fmt: skip
        assert samples(f'{{"{key}": 12.5}}') == [(key, 12.5, None)]
    for key in ("uptime", "watts", "total", "count", "runtime"):
        assert samples(f'{{"{key}": 1700000000}}') == [(key, 1.7e9, None)]


def test_a_version_is_no_reading() -> None:
    assert samples('{"specversion": "1.0", "data": {"temp": 21.5, "fw_version": "2.1"}}') == [("data/temp", 21.5, None)]
    assert samples('{"version": 2, "a": 1.5, "b": 2.5, "c": 3.5, "conversion": 4}') == [
        ("a", 1.5, None), ("b", 2.5, None), ("c", 3.5, None), ("conversion", 4.0, None),
    ]  # fmt: skip
