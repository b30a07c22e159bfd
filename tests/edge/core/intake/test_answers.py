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


@pytest.mark.parametrize("key", ["uplinkId", "deviceProfileId", "applicationID", "request_id"])
def test_a_key_that_ends_like_that_of_an_identifier_holds_no_reading(key: str) -> None:
    for value in ("5", '"5"', '"7e5"', '"1dff"'):
        assert samples(f'{{"{key}": {value}, "a": 1.5}}') == [("a", 1.5, None)]


@pytest.mark.parametrize("key", ["humid", "GRID", "valid", "fluid", "RFID"])
def test_a_word_that_ends_in_the_same_letters_does(key: str) -> None:
    assert samples(f'{{"{key}": 5, "ts": 1700000000}}') == [(key, 5.0, NOON)]
