"""Answers and identifiers in JSON: numbers that say how a request went, or name something, are no readings."""

from __future__ import annotations

import pytest
from json_samples import NOON, plain, reason, samples


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ('{"code": 200, "data": 41.2}', "data"),
        ('{"code": 0, "msg": "ok", "data": 41.2}', "data"),
        ('{"ErrCode": 1001, "data": {"a": 41.2}, "ts": 1700000000}', "data/a"),
        ('{"status": 200, "result": {"a": 41.2}}', "result/a"),
        ('{"Body": {"a": 41.2}, "Head": {"Status": {"Code": 0, "Reason": ""}}}', "Body/a"),
    ],
)
def test_the_code_of_an_answer_is_no_reading_but_is_counted(payload: str, path: str) -> None:
    assert [each[:2] for each in samples(payload)] == [(path, 41.2)]
    assert plain.decode(payload.encode()).ignored == 1
    assert reason('{"code": 404, "message": "not found"}') == "no_value"


def test_a_code_next_to_readings_is_one_of_them() -> None:
    assert samples('{"temp": 4.5, "code": 17}') == [("temp", 4.5, None), ("code", 17.0, None)]
    assert samples('{"code": 17}') == [("code", 17.0, None)]
    assert samples('{"status": 2, "data": 41.2}') == [("status", 2.0, None), ("data", 41.2, None)]
    assert samples('{"code": 1.5, "data": 41.2}') == [("code", 1.5, None), ("data", 41.2, None)]


@pytest.mark.parametrize(
    "key",
    [
        *("uplinkId", "deviceProfileId", "applicationID", "request_id", "lsid", "c_sunspec_did", "InvSerial", "ident"),
        *("slave_address", "deviceAddress", "clientToken", "productNumber", "seq", "msg_seq", "seqNumber", "eventno"),
        *(
            "measurementSequenceNumber",
            "sequence_number",
            "dataSourceSeqNo",
            "fcnt",
            "f_cnt",
            "FCntUp",
            "n_f_cnt_down",
            "upFrameCounter",
        ),
        *("tmst", "rx_tmst", "mpan", "mprn"),
    ],
)
def test_a_key_that_ends_like_that_of_an_identifier_holds_no_reading(key: str) -> None:
    for value in ("5", '"5"', '"7e5"', '"1dff"'):
        assert samples(f'{{"{key}": {value}, "a": 1.5}}') == [("a", 1.5, None)]


@pytest.mark.parametrize(
    "key",
    [
        "humid",
        "GRID",
        "valid",
        "fluid",
        "RFID",
        "pid",
        "lid",
        "acid",
        "raid",
        "sequence",
        "counter",
        "counter_up",
        "event_count",
        "phaseNo",
    ],
)
def test_a_word_that_ends_in_the_same_letters_does(key: str) -> None:
    assert samples(f'{{"{key}": 5, "ts": 1700000000}}') == [(key, 5.0, NOON)]


@pytest.mark.parametrize("key", ["$version", "lastUpdatedVersion", "MajorVersion", "smr_version", "firmware", "fw_ver"])
def test_a_version_is_no_reading(key: str) -> None:
    assert samples(f'{{"{key}": 7, "a": 1.5}}') == [("a", 1.5, None)]
    assert samples(f'{{"{key}": "7.02", "a": 1.5}}') == [("a", 1.5, None)]


@pytest.mark.parametrize("key", ["conversion", "energyConversion", "diversion"])
def test_a_word_that_ends_like_version_may_be_a_reading(key: str) -> None:
    assert samples(f'{{"{key}": 7.5, "a": 1.5}}') == [(key, 7.5, None), ("a", 1.5, None)]


def test_the_nodes_of_a_radio_message_are_no_readings_but_are_counted() -> None:
    message = '{"from": 2658361180, "to": 4294967295, "rssi": -40, "payload": {"temp": 21.5}}'
    assert samples(message) == [("rssi", -40.0, None), ("payload/temp", 21.5, None)]
    assert plain.decode(message.encode()).ignored == 2


def test_what_flows_from_and_to_something_is_a_reading() -> None:
    assert samples('{"battery": {"from": 120, "to": 0}}') == [("battery/from", 120.0, None), ("battery/to", 0.0, None)]
    assert samples('{"from": 1.5, "to": 0.5, "rssi": 3}')[:2] == [("from", 1.5, None), ("to", 0.5, None)]


def test_a_number_that_looks_like_a_time_under_a_key_that_begins_with_last_is_no_reading() -> None:
    assert samples('{"last_status_store": 1699999988, "a": 1.5}') == [("a", 1.5, None)]
    assert samples('{"last_hour": 3.5, "lastReading": 48}') == [("last_hour", 3.5, None), ("lastReading", 48.0, None)]
