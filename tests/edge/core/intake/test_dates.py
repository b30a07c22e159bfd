"""Dates and times of day as programs and people write them."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders.notation.times import TimeError, read_time

NOON = 1_700_000_000.0


@pytest.mark.parametrize(
    "written",
    [
        "14.11.2023 22:13:20", "14.11.2023 22.13.20", "2023.11.14 22:13:20", "2023/11/14 22:13:20",
        "2023:11:14 22:13:20", "2023-11-14_22-13-20", "14/11/2023 22:13:20", "14-11-2023 22:13:20",
        "11/14/2023 10:13:20 PM",
        "11/14/2023, 10:13:20 p.m.", "11/14/2023 22:13:20Z", "14/11/2023T23:13:20+01:00", "Nov 14, 2023 10:13:20 PM",
        "Tue Nov 14 2023 23:13:20 GMT+0100 (Central European Standard Time)",
        "2023-11-14 10:13:20pm", "1700000000,000", (NOON + 11_644_473_600) * 10**7, (NOON + 62_135_596_800) * 10**7,
    ],
)  # fmt: skip
def test_a_time_is_read_in_the_notation_of_its_sender(written: object) -> None:
    assert read_time(int(written) if isinstance(written, float) else written, arrived=NOON) == NOON


@pytest.mark.parametrize(
    "written",
    [
        *(
            "2023-11-14 23:13:20 CET",
            "2023-11-14T23:13:20 MEZ",
            "Tue Nov 14 17:13:20 EST 2023",
            "14.11.2023 14:13:20 (PST)",
        ),
        *("2023-11-15 06:13:20 CST", "2023-11-14 16:13:20 CST", "2023-11-15 03:43:20 IST", "2023-11-15 07:43:20 ACST"),
    ],
)
def test_an_abbreviation_behind_a_time_is_its_zone(written: str) -> None:
    assert read_time(written, arrived=NOON + 5) == NOON


def test_an_abbreviation_of_several_meanings_is_no_zone_without_an_arrival() -> None:
    assert read_time("2023-11-14 23:13:20 CET") == NOON
    for written in ("2023-11-14 16:13:20 CST", "2023-11-14 23:13:20 ABC", "2023-11-14 23:13:20 CET CET"):
        with pytest.raises(TimeError):
            read_time(written)


def test_the_name_of_a_place_behind_a_time_must_be_the_zone_of_the_input() -> None:
    written = "2023-11-14 23:13:20 Europe/Berlin"
    assert read_time(written, ZoneInfo("Europe/Berlin"), arrived=NOON) == NOON
    with pytest.raises(TimeError, match='zone = "Europe/Berlin" reads it'):
        read_time(written, arrived=NOON)


def test_the_arrival_decides_whether_the_day_or_the_month_comes_first() -> None:
    april, march = datetime(2026, 4, 3, 5, tzinfo=UTC).timestamp(), datetime(2026, 3, 4, 5, tzinfo=UTC).timestamp()
    for written in ("03/04/2026 05:00:00", "3/4/2026 5:00:00 AM", "03-04-2026 05:00"):
        assert read_time(written, arrived=april + 86_400) == april
        assert read_time(written, arrived=march + 60) == march
        for unknown in (math.nan, march + 86_400 * 300, 0.0):
            with pytest.raises(TimeError):
                read_time(written, arrived=unknown)
    assert read_time("03.04.2026 05:00:00", arrived=march) == april
    with pytest.raises(TimeError):
        read_time("13/04/2026 05:00:00")


@seed(8)
@settings(max_examples=300, database=None)
@given(moment=st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1)), late_s=st.floats(-3600, 7 * 86_400))  # noqa: DTZ001 - the zone follows
def test_whatever_comes_first_a_recent_date_is_read_as_it_was_meant(moment: datetime, late_s: float) -> None:
    instant = moment.replace(microsecond=0, tzinfo=UTC)
    arrived = (instant + timedelta(seconds=late_s)).timestamp()
    for notation in ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m-%d-%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"):
        assert read_time(instant.strftime(notation), arrived=arrived) == instant.timestamp()


@pytest.mark.parametrize(
    "written", ["13/13/2026", "31/02/2026 05:00:00", "11/14/2023 13:13:20 PM", "0:00 AM", "00/00/0000"]
)
def test_a_date_that_does_not_exist_is_no_time(written: str) -> None:
    with pytest.raises(TimeError):
        read_time(written, arrived=NOON)


@seed(9)
@settings(max_examples=300, database=None)
@given(
    written=st.from_regex(r"\A[0-9]{1,4}[-/.:][0-9]{1,4}[-/.:][0-9]{1,4}[ T_][0-9:. AaPpMmZ+-]{0,20}\Z"),
    arrived=st.floats(),
)
def test_any_text_is_a_finite_time_or_none(written: str, arrived: float) -> None:
    with suppress(TimeError):
        assert math.isfinite(read_time(written, arrived=arrived))
