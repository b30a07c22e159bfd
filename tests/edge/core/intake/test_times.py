"""Reading times."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders.notation.times import TimeError, read_time

BERLIN = ZoneInfo("Europe/Berlin")


@seed(4)
@settings(max_examples=250, database=None)
@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - the zone is drawn beside it
    minutes=st.integers(-14 * 60, 14 * 60),
)
def test_an_instant_is_read_the_same_in_every_form(moment: datetime, minutes: int) -> None:
    instant = moment.replace(tzinfo=UTC)
    micros = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    local = instant.astimezone(timezone(timedelta(minutes=minutes)))
    forms: list[object] = [
        micros,
        micros * 1000,
        str(micros),
        str(micros * 1000),
        f" {micros // 10**6}.{micros % 10**6:06d} ",
        micros / 10**6,
        instant.isoformat(),
        instant.isoformat().replace("+00:00", "Z"),
        instant.isoformat().replace("+00:00", "z").replace("T", "t"),
        instant.isoformat(sep=" "),
        local.isoformat(),
        instant.replace(tzinfo=None).isoformat(),
        instant.isoformat(timespec="microseconds").replace("+00:00", "999Z"),
    ]
    if micros % 1000 == 0:
        forms += [micros // 1000, str(micros // 1000)]
    if micros % 10**6 == 0:
        forms += [micros // 10**6, float(micros // 10**6)]
    assert {read_time(form) for form in forms} == {micros / 10**6}


@seed(5)
@settings(max_examples=200, database=None)
@given(seconds=st.integers(946_684_800, 4_102_444_800))
def test_whole_seconds_are_read_the_same_in_every_unit(seconds: int) -> None:
    assert {read_time(seconds * per_second) for per_second in (1, 10**3, 10**6, 10**9)} == {float(seconds)}


@pytest.mark.parametrize(
    ("given_time", "seconds"),
    [
        (0, 0.0),
        (-1, -1.0),
        (0.5, 0.5),
        (99_999_999_999, 99_999_999_999.0),
        (100_000_000_000, 100_000_000.0),
        (99_999_999_999_999, 99_999_999_999.999),
        (100_000_000_000_000, 100_000_000.0),
        (99_999_999_999_999_999, 99_999_999_999.999999),
        (100_000_000_000_000_000, 100_000_000.0),
        (-1_700_000_000_000, -1_700_000_000.0),
        ("0", 0.0),
        ("1700000000.5", 1_700_000_000.5),
        ("1.7e9", 1_700_000_000.0),
        ("1700000000000", 1_700_000_000.0),
        ("2019-11-03", 1_572_739_200.0),
        ("2019-11-03T19:34:28", 1_572_809_668.0),
        ("2019-11-03T19:34:28+0100", 1_572_806_068.0),
        ("20191103T193428Z", 1_572_809_668.0),
        (20191103193428, 1_572_809_668.0),
        ("20191103193428", 1_572_809_668.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("0001-01-01T00:00:00Z", -62_135_596_800.0),
    ],
)
def test_times_in_the_notations_of_senders(given_time: object, seconds: float) -> None:
    assert read_time(given_time) == seconds


def test_the_zone_counts_only_without_an_offset() -> None:
    assert read_time("2019-07-01T12:00:00", BERLIN) == read_time("2019-07-01T10:00:00Z")
    assert read_time("2019-12-01T12:00:00", BERLIN) == read_time("2019-12-01T11:00:00Z")
    assert read_time("2019-07-01T12:00:00Z", BERLIN) == read_time("2019-07-01T12:00:00Z")


@pytest.mark.parametrize("late_s", [0.0, 5.0, 1700.0, -30.0])
def test_the_repeated_hour_is_the_one_nearer_to_the_arrival(late_s: float) -> None:
    for hour, zulu in ((0, "2019-10-27T00:30:00Z"), (1, "2019-10-27T01:30:00Z")):
        assert read_time("2019-10-27T02:30:00", BERLIN, read_time(zulu) + late_s) == read_time(zulu), hour


def test_an_arrival_changes_no_unique_time() -> None:
    for text in ("2019-10-27T03:30:00", "2019-03-31T02:30:00", "2019-07-01T12:00:00", "2019-10-27T02:30:00Z"):
        assert read_time(text, BERLIN, read_time(text, BERLIN) + 3600.0) == read_time(text, BERLIN)


def test_the_repeated_hour_is_the_first_and_the_missing_one_is_read() -> None:
    assert read_time("2019-10-27T02:30:00", BERLIN) == read_time("2019-10-27T00:30:00Z")
    assert read_time("2019-03-31T02:30:00", BERLIN) == read_time("2019-03-31T01:30:00Z")


@pytest.mark.parametrize(
    "given_time",
    [
        "", " ", "now", "19:34:28", "2019-13-01T00:00:00", "2019-02-30", "2019-11-03T25:00:00", "12 Nov 2019",
        "1_700_000_000",
        "nan", "inf", "1e400", "9" * 60, "9" * 10_000, "2019-11-03T19:34:28." + "1" * 100,
        "٢٠١٩", "2019-11-03\x00",
        math.nan, math.inf, -math.inf, 1e20, -1e300, 10**400, -(10**400),
        None, True, False, [], {}, [1_700_000_000], b"1700000000",
    ],
    ids=lambda each: repr(each)[:30],
)  # fmt: skip
def test_an_invalid_time_is_reported_as_such(given_time: object) -> None:
    with pytest.raises(TimeError):
        read_time(given_time)


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_the_ends_of_the_calendar_do_not_overflow(edge: str, zone: str) -> None:
    with suppress(TimeError):
        assert math.isfinite(read_time(edge, ZoneInfo(zone)))


@seed(6)
@settings(max_examples=200, database=None)
@given(
    given_time=st.one_of(
        st.text(max_size=40), st.integers(), st.floats(), st.from_regex(r"\A[0-9]{1,4}-[0-9TZ:.+-]{0,30}\Z")
    )
)
def test_any_value_is_a_finite_time_or_none(given_time: object) -> None:
    with suppress(TimeError):
        assert math.isfinite(read_time(given_time))
