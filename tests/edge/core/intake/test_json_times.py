"""Times in JSON: which fields are times, in which notations, and what happens to unreadable ones."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from json_samples import NOON, TASMOTA, plain, refusals, samples

from edge.core.intake.decoders import FieldsDecoder


def test_zigbee2mqtt_can_send_when_a_device_was_last_seen() -> None:
    decoder = FieldsDecoder(time_keys=("last_seen",))
    assert samples('{"temperature": 1, "last_seen": 1700000000000}', decoder) == [("temperature", 1.0, NOON)]
    assert samples('{"temperature": 1, "last_seen": "2023-11-14T23:13:20+01:00"}', decoder) == [
        ("temperature", 1.0, NOON)
    ]


@pytest.mark.parametrize("key", ["ts", "TS", "Ts", "time", "Time", "timestamp", "Timestamp", "t", "T"])
def test_the_case_of_a_time_key_does_not_matter(key: str) -> None:
    assert samples(f'{{"a": 1, "{key}": 1700000000}}') == [("a", 1.0, NOON)]


def test_the_first_time_key_counts_and_the_others_are_fields() -> None:
    assert samples('{"t": 21.5, "Time": 1700000000}') == [("t", 21.5, NOON)]
    assert samples('{"t": 21.5, "TS": 1700000000, "time": 5}') == [("t", 21.5, NOON), ("time", 5.0, NOON)]


def test_without_time_keys_every_field_is_a_reading() -> None:
    assert samples('{"t": 21.5, "h": 60}', FieldsDecoder(time_keys=())) == [
        ("t", 21.5, None),
        ("h", 60.0, None),
    ]


def test_a_time_inside_an_object_applies_to_that_object() -> None:
    payload = '{"ts": 1700000000, "a": 1, "b": {"ts": 1700000060, "x": 2, "c": {"y": 3}}, "d": {"z": 4}}'
    expected = [("a", 1.0, NOON), ("b/x", 2.0, NOON + 60), ("b/c/y", 3.0, NOON + 60), ("d/z", 4.0, NOON)]
    assert samples(payload) == expected


def test_a_time_without_an_offset_is_in_the_configured_zone() -> None:
    decoder = FieldsDecoder(zone=ZoneInfo("Europe/Berlin"))
    assert samples('{"Time": "2019-11-03T19:34:28", "a": 1}', decoder) == [("a", 1.0, TASMOTA - 3600)]
    assert samples('{"Time": "2019-11-03T19:34:28Z", "a": 1}', decoder) == [("a", 1.0, TASMOTA)]


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ('"yesterday"', "bad_time"),
        ("true", "bad_time"),
        ("NaN", "bad_time"),
        ("1e300", "time_in_future"),
        ("9" * 500, "time_in_future"),
        ("-1e300", "time_implausible"),
    ],
)
def test_an_unusable_time_affects_only_itself(time: str, why: str) -> None:
    assert refusals(f'{{"ts": {time}, "value": 1}}') == [(why, "ts")]
    assert samples(f'{{"ts": {time}, "a": 1, "b": 2}}') == [("a", 1.0, None), ("b", 2.0, None)]
    assert samples(f'{{"ts": 1700000000, "a": 1, "b": {{"ts": {time}, "x": 2}}}}') == [
        ("a", 1.0, NOON),
        ("b/x", 2.0, NOON),
    ]
    assert refusals(f'{{"a": 1, "b": {{"ts": {time}, "x": 2}}}}') == [(why, "b/ts")]


@pytest.mark.parametrize("none", ["null", '""'])
def test_null_and_an_empty_text_mean_that_there_is_no_time(none: str) -> None:
    assert samples(f'{{"ts": {none}, "value": 1}}') == [("", 1.0, None)]
    assert refusals(f'{{"ts": {none}, "value": 1}}') == []
    assert samples(f'{{"ts": {none}, "time": 1700000000, "a": 1}}') == [("a", 1.0, NOON)]


def test_the_first_readable_time_key_counts() -> None:
    assert samples('{"time": "09:59:59", "timestamp": "2023-11-14T22:13:20Z", "a": 1}') == [("a", 1.0, NOON)]
    assert refusals('{"time": "09:59:59", "timestamp": "2023-11-14T22:13:20Z", "a": 1}') == []
    assert samples('{"ts": 5, "time": 1700000000, "a": 1}') == [("ts", 5.0, NOON), ("a", 1.0, NOON)]


def test_an_object_or_a_list_is_not_a_time_but_contains_readings() -> None:
    assert samples('{"T": {"Temperature": 20.5}, "Time": {"a": [1]}}') == [
        ("T/Temperature", 20.5, None),
        ("Time/a/0", 1.0, None),
    ]


def test_t_is_a_time_only_if_it_looks_like_one() -> None:
    assert samples('{"t": 21.5, "h": 60}') == [("t", 21.5, None), ("h", 60.0, None)]
    assert samples('{"T": 21.5, "a": 1.5, "b": 2.5, "c": 3.5}') == [
        ("T", 21.5, None), ("a", 1.5, None), ("b", 2.5, None), ("c", 3.5, None),
    ]  # fmt: skip
    assert samples('{"t": 1700000000.0, "h": 60.5}') == [("h", 60.5, NOON)]


def test_with_the_time_of_arrival_a_time_is_left_out_only_if_it_looks_like_one() -> None:
    decoder = FieldsDecoder(by_arrival=True)
    assert samples('{"ts": 1700000000, "time": 12.5, "a": 1}', decoder) == [("time", 12.5, NOON), ("a", 1.0, NOON)]
    assert samples('{"time": "12:00:01", "value": 3.5}', decoder) == [("", 3.5, None)]
    assert refusals('{"time": "12:00:01", "value": 3.5}', decoder) == []


@pytest.mark.parametrize("never", ["0", '"0001-01-01T00:00:00Z"', '"0000-00-00 00:00:00"', '"1970-01-01T00:00:00Z"'])
def test_a_time_of_zeros_says_that_there_is_none(never: str) -> None:
    assert samples(f'{{"ts": {never}, "value": 1.5}}') == [("", 1.5, None)]
    assert samples(f'{{"ts": {never}, "a": 1.5, "b": 2.5, "c": 3.5, "d": 4.5}}') == [
        ("a", 1.5, None), ("b", 2.5, None), ("c", 3.5, None), ("d", 4.5, None),
    ]  # fmt: skip
    assert refusals(f'{{"ts": {never}, "value": 1.5}}') == []


@pytest.mark.parametrize(
    "time", ['{"seconds": 1700000000, "nanos": 0}', '{"_seconds": "1700000000"}', '{"$date": "2023-11-14T22:13:20Z"}',
             '{"$date": {"$numberLong": "1700000000000"}}', '{"sec": 1700000000, "nanosec": 0}',
             '{"secs": 1699999999, "usec": 1000000}'],
)  # fmt: skip
def test_an_object_of_seconds_or_a_date_is_a_time(time: str) -> None:
    assert samples(f'{{"ts": {time}, "a": 1.5}}') == [("a", 1.5, NOON)]


def test_an_object_without_a_time_has_the_one_of_its_header() -> None:
    assert samples('{"header": {"stamp": {"sec": 1700000000, "nanosec": 0}}, "v": {"x": 1.5}}') == [("v/x", 1.5, NOON)]
    assert samples('{"Body": {"a": 1.5}, "Head": {"Timestamp": "2023-11-14T22:13:20Z", "Status": 3}}') == [
        ("Body/a", 1.5, NOON), ("Head/Status", 3.0, NOON),
    ]  # fmt: skip
    assert samples('{"ts": 1700000060, "meta": {"ts": 1700000000}, "a": 1}') == [("a", 1.0, NOON + 60)]
    assert samples('{"meta": {"created_at": 1700000000, "t": 5}, "a": 1}') == [("meta/t", 5.0, NOON), ("a", 1.0, None)]
    assert samples('{"header": {"when": 1700000000}, "a": 1}', FieldsDecoder(time_keys=("when",))) == [("a", 1.0, NOON)]
    assert samples('{"battery": {"ts": 1700000000, "b": 2}, "a": 1}') == [("battery/b", 2.0, NOON), ("a", 1.0, None)]


@pytest.mark.parametrize("time", ["-5", "12345", '"1970-01-01T00:00:10"'])
def test_plausibility_of_a_time_is_not_checked_here(time: str) -> None:
    (sample,) = plain.decode(f'{{"ts": {time}, "value": 1}}'.encode()).samples
    assert sample.time is not None


@pytest.mark.parametrize(
    "key", ["measuredAt", "observedAt", "last-seen", "Date Time", "Recorded At", "sentOn", "loggedAt", "Systimestamp"]
)
def test_separators_in_a_further_time_key_do_not_matter(key: str) -> None:
    assert samples(f'{{"a": 1, "{key}": "2023-11-14T22:13:20Z"}}') == [("a", 1.0, NOON)]
    assert samples(f'{{"a": 1, "{key}": 5}}') == [("a", 1.0, None), (key, 5.0, None)]
    assert refusals(f'{{"a": 1, "{key}": "never"}}', FieldsDecoder(time_keys=("ts",))) == [("not_a_number", key)]


def test_the_time_of_a_measurement_counts_before_that_of_its_record() -> None:
    assert samples('{"created_at": 1700000003, "tst": 1700000000, "a": 1}') == [("a", 1.0, NOON)]


@pytest.mark.parametrize(
    "fields",
    [
        '"date": "20231114", "time": "221320"', '"date": 20231114, "time": 221320',
        '"Date": "14.11.2023", "Time": "22:13:20"', '"date": "2023-11-14", "time": "10:13:20 PM"',
        '"time": "2213", "day": "20231114", "s": 20',
    ],
)  # fmt: skip
def test_a_day_and_a_time_of_day_are_one_time(fields: str) -> None:
    found = samples(f'{{{fields}, "a": 1, "b": 2, "c": 3}}')
    assert [(path, time) for path, _, time in found if path != "s"] == [
        (each, NOON if '"s"' not in fields else NOON - 20) for each in "abc"
    ]


@pytest.mark.parametrize("key", ["date", "when", "Date"])
def test_a_date_with_a_time_of_day_is_the_time_if_there_is_no_other(key: str) -> None:
    given = '"2023-11-14T22:13:20Z"', "1700000000", '"2023-11-14 23:13:20 +0100"'
    for each in given:
        assert samples(f'{{"{key}": {each}, "a": 1, "b": 2}}') == [("a", 1.0, NOON), ("b", 2.0, NOON)]
    assert samples(f'{{"{key}": "2023-11-14T22:13:20Z", "ts": 1700000060, "a": 1}}') == [("a", 1.0, NOON + 60)]
    assert samples(f'{{"{key}": "2023-11-14", "a": 1}}') == [("a", 1.0, None)]
    assert samples(f'{{"{key}": 12, "a": 1}}') == [(key, 12.0, None), ("a", 1.0, None)]


@pytest.mark.parametrize("key", ["time_of_day", "utcTime"])
def test_the_time_of_day_may_be_under_another_key(key: str) -> None:
    assert samples(f'{{"date": "2023-11-14", "{key}": "22:13:20", "a": 1}}') == [("a", 1.0, NOON)]
    assert samples(f'{{"{key}": "22:13:20", "a": 1}}') == [("a", 1.0, None)]


def test_a_date_without_an_offset_counts_if_it_is_near_the_arrival_and_is_refused_otherwise() -> None:
    for text, arrived, told in (
        ("2023-11-14 22:13:20", NOON + 2, []),
        ("2023-11-14 23:13:20", NOON + 2, [("bad_time", "date")]),
    ):
        decoded = plain.decode(f'{{"date": "{text}", "a": 1}}'.encode(), arrived)
        assert [each.time for each in decoded.samples] == [None if told else NOON]
        assert [(each.reason, each.path) for each in decoded.refusals] == told
        assert all("zone = " in each.detail for each in decoded.refusals)


def test_a_day_beside_another_number_is_left_alone() -> None:
    assert samples('{"day": 14, "time": 1700000000, "a": 1}') == [("day", 14.0, NOON), ("a", 1.0, NOON)]
    assert samples('{"date": "2023-11-14", "t": 2130, "a": 1}') == [("t", 2130.0, None), ("a", 1.0, None)]
    assert refusals('{"date": "2023-11-14", "a": 1}') == [("not_a_number", "date")]


@pytest.mark.parametrize("key", ["date_max_temp", "time_of_last_rain"])
def test_a_date_of_something_is_no_reading(key: str) -> None:
    assert samples(f'{{"a": 1, "{key}": 1699990000}}') == [("a", 1.0, None)]
    assert samples(f'{{"a": 1, "{key}": 12}}') == [("a", 1.0, None), (key, 12.0, None)]


@pytest.mark.parametrize(
    "key", ["utc", "time_utc", "sysTime", "rtc", "gatewayTime", "enqueuedTime", "lastUpdate", "last_updated", "_time"]
)
def test_clocks_of_devices_and_gateways_are_times_as_text_and_as_number(key: str) -> None:
    for time in ('"2023-11-14T22:13:20Z"', "1700000000", "1700000000000"):
        (sample,) = plain.decode(f'{{"a": 1, "{key}": {time}}}'.encode(), NOON + 10).samples
        assert sample == ("a", 1.0, NOON)
    assert samples(f'{{"a": 1, "{key}": 5}}') == [("a", 1.0, None), (key, 5.0, None)]


def test_an_update_long_before_its_arrival_is_that_of_something_else() -> None:
    for time in ('"2023-11-14T22:13:20Z"', "1700000000.0"):
        read = plain.decode(f'{{"a": 1.5, "lastUpdate": {time}}}'.encode(), NOON + 100_000)
        assert list(read.samples) == [("a", 1.5, None)]
        assert [(each.reason, each.path) for each in read.refusals] == [("bad_time", "lastUpdate")]


def test_seconds_and_nanoseconds_of_a_cloud_are_a_time() -> None:
    time = '{"timeInSeconds": 1700000000, "offsetInNanos": 500000000}'
    assert samples(f'{{"value": {{"doubleValue": 38.5}}, "timestamp": {time}}}', FieldsDecoder(value_key="v")) == [
        ("value/doubleValue", 38.5, NOON + 0.5)
    ]


@pytest.mark.parametrize("time", ["231114221320", '"231114221320"', '"231114221320W"', '"231114221320S"'])
def test_a_smart_meter_writes_its_date_without_the_century(time: str) -> None:
    assert samples(f'{{"timestamp": {time}, "a": 1}}') == [("a", 1.0, NOON)]
    assert samples('{"ts": "1231114221320", "a": 1}') == [("a", 1.0, 1_231_114_221.32)]
    assert samples('{"gas_timestamp": 231114220000, "a": 1, "b": 250000000000}') == [
        ("a", 1.0, None), ("b", 2.5e11, None),
    ]  # fmt: skip
