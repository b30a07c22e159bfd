"""The clocks of a whole plant are set forward: time leaps, and no sensor is considered silent because of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commands.support.backtests.replaying import with_pauses
from edge.core.intake.times.clock_leaps import STEADY_FOR_S
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import JournalError, Readings, join, pack, unpack
from edge.core.persistence.snapshot import Snapshot
from tests.edge.core.pipelines import START, Line, differing, pipeline, reading, revived

HOUR = 3600.0


def minutely(sensor: str, times: np.ndarray, set_at: float, behind: float = HOUR) -> list[Message]:
    """A reading at each of the arrival times, by a clock that is behind and is then corrected."""
    return [
        reading(sensor, time - (behind if time < set_at else 0.0), 20.0 + place * 7 % 11 + place / 1000, time)
        for place, time in enumerate(times.tolist())
    ]


def in_order(*sent: list[Message]) -> list[Message]:
    return sorted((each for some in sent for each in some), key=lambda each: each.arrived)


def leaps(line: Line) -> list[float]:
    return [round(by) for part in line.parts if isinstance(part, Readings) for _, by in part.leaps]


def of(sensors: str, times: np.ndarray, set_at: float, behind: float = HOUR) -> list[Message]:
    every = times[1] - times[0]
    return in_order(
        *[
            minutely(f"paced/{each}", times + every * place / len(sensors), set_at, behind)
            for place, each in enumerate(sensors)
        ]
    )


@pytest.mark.parametrize("cut", [7, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 10_000))])
@pytest.mark.parametrize("reorder_s", [0.0, 90.0])
@pytest.mark.parametrize(("sensors", "every"), [("a", 60.0), ("ab", 60.0), ("abcde", 60.0), ("abc", 1.0)])
def test_no_sensor_is_missing_when_all_clocks_are_set_forward(
    sensors: str, every: float, reorder_s: float, cut: int
) -> None:
    times = START + every * np.arange(300.0)
    line = Line(pipeline(reorder_s=reorder_s)).take(of(sensors, times, START + 150 * every), cut=cut)
    assert line.missing() == []
    assert leaps(line) == pytest.approx([HOUR], abs=every)


def lagging(lags: Sequence[float], every: float, readings: int, set_after: int, by: float) -> list[Message]:
    """Sensors whose readings take different times to arrive, and whose clocks are all set forward at one reading."""
    return in_order(
        *[
            [
                reading(f"paced/{number}", time + by * (place >= set_after), 20.0 + place * 7 % 11, time + lag)
                for place, time in enumerate((START + every * (np.arange(readings) + number / 7)).tolist())
            ]
            for number, lag in enumerate(lags)
        ]
    )


@pytest.mark.parametrize("cut", [1, 10_000])
@pytest.mark.parametrize("by", [5.0, 20.0, HOUR])
@pytest.mark.parametrize("lags", [[2.0], [2.0, 2.5], [17.0, 1.0], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0]], ids=str)
def test_no_sensor_is_missing_after_any_leap_with_any_transmission_delays(
    lags: list[float], by: float, cut: int
) -> None:
    line = Line(pipeline()).take(lagging([by + each for each in lags], 1.0, 90, 60, by), cut=cut)
    assert line.missing() == []


def test_no_sensor_is_missing_at_a_leap_of_rare_readings_with_different_transmission_delays() -> None:
    sent = lagging([HOUR + each for each in (0.0, 20.0, 5.0, 28.0)], 60.0, 60, 40, HOUR)
    line = Line(pipeline()).take(sent, cut=7)
    assert line.missing() == []


def test_a_sensor_that_stops_is_reported_soon_although_it_was_received_while_the_clock_waited_for_another() -> None:
    sent = lagging([302.0, 302.5, 317.0], 1.0, 120, 60, 300.0)
    line = Line(pipeline()).take([each for each in sent if each.topic != "paced/1" or each.arrived < START + 365.0])
    assert line.missing() == ["paced/1"]


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_sensor_that_stopped_before_is_reported_although_all_clocks_leapt(cut: int) -> None:
    times, set_at = START + 60.0 * np.arange(300.0), START + 150 * 60.0
    stopped = minutely("paced/stops", times[:148] + 30.0, set_at)
    line = Line(pipeline()).take(in_order(of("abc", times, set_at), stopped), cut=cut)
    assert line.missing() == ["paced/stops"]
    raised = next(each.time for each in line.events)
    assert set_at < raised < set_at + 900.0


def test_a_sensor_that_pauses_and_comes_back_was_missing_although_others_continued() -> None:
    times, set_at = START + 60.0 * np.arange(300.0), np.inf
    pausing = minutely("paced/pauses", np.concatenate([times[:150], times[210:]]) + 30.0, set_at)
    line = Line(pipeline()).take(in_order(of("abc", times, set_at), pausing))
    assert line.missing() == ["paced/pauses"]
    assert leaps(line) == []


def test_a_pause_of_all_sensors_is_not_a_leap_and_a_leap_within_a_pause_is_no_longer_than_it() -> None:
    times = START + 60.0 * np.arange(300.0)
    paused = np.concatenate([times[:150], times[150:] + 1200.0])
    assert leaps(Line(pipeline()).take(of("abc", paused, np.inf))) == []
    line = Line(pipeline()).take(of("abc", paused, times[150] + 600.0))
    assert leaps(line) == [HOUR]


def test_one_sensor_whose_clock_is_set_forward_is_not_a_leap_of_the_plant() -> None:
    times = START + 60.0 * np.arange(300.0)
    one = minutely("paced/b", times + 0.5, START + 150 * 60.0)
    line = Line(pipeline()).take(in_order(of("ac", times, np.inf, 0.0), one))
    assert line.missing() == []
    assert leaps(line) == []


def backlog(times: Sequence[float], begins: float, pace: float) -> list[Message]:
    return [
        reading(f"paced/{'abc'[place % 3]}", time, 20.0 + place * 7 % 11, begins + place * pace)
        for place, time in enumerate(times)
    ]


def test_a_gap_within_a_backlog_is_not_a_leap_since_its_lag_is_not_steady() -> None:
    times = [START + 10.0 * place + (HOUR if place > 300 else 0.0) for place in range(600)]
    line = Line(pipeline()).take(backlog(times, START + 20_000.0, 0.5))
    assert leaps(line) == []


def test_a_leap_soon_after_the_start_is_not_accepted() -> None:
    times = START + np.arange(0.0, STEADY_FOR_S + 20.0)
    assert leaps(Line(pipeline()).take(of("ab", times, START + STEADY_FOR_S - 1.0))) == []
    assert leaps(Line(pipeline()).take(of("ab", times, START + STEADY_FOR_S + 5.0))) == [HOUR]


def test_setting_the_gateway_clock_is_not_a_leap_of_the_senders() -> None:
    times = START + np.arange(0.0, 200.0)
    for by in (-HOUR, HOUR):
        line = Line(pipeline()).take(of("ab", times[:100], np.inf, 0.0))
        line.note(line.pipeline.clock_stepped(by))
        line.take([each._replace(arrived=each.arrived + by) for each in of("ab", times[100:], np.inf, 0.0)])
        assert leaps(line) == []
    unnoticed = Line(pipeline()).take(of("ab", times[:100], np.inf, 0.0))
    unnoticed.take([each._replace(arrived=each.arrived - HOUR) for each in of("ab", times[100:], np.inf, 0.0)])
    assert leaps(unnoticed) == []


@pytest.mark.parametrize("reorder_s", [0.0, 90.0])
def test_time_that_passes_right_after_a_leap_makes_no_sensor_silent(reorder_s: float) -> None:
    times, set_at = START + 10.0 * np.arange(100.0), START + 500.0
    line = Line(pipeline(reorder_s=reorder_s))
    for message in of("abc", times, set_at):
        line.take([message])
        for elapsed in (1.0, 2.0, 3.0):
            line.do("tick", elapsed)
    assert leaps(line) == [HOUR]
    assert line.missing() == []


@pytest.mark.long
@pytest.mark.parametrize("reorder_s", [0.0, 90.0])
def test_a_snapshot_during_a_leap_contains_it(reorder_s: float) -> None:
    times = START + 10.0 * np.arange(100.0)
    sent = of("abc", times, START + 500.0)
    whole = Line(pipeline(reorder_s=reorder_s)).take(sent)
    for place in range(145, 185):
        begun = Line(pipeline(reorder_s=reorder_s)).take(sent[:place])
        saved, so_far = begun.pipeline.save("", ""), len(begun.parts)
        begun.take(sent[place:])
        again = revived(pipeline(reorder_s=reorder_s), saved, begun.parts[so_far:])
        assert differing(again.pipeline, whole.pipeline) == []
        assert begun.missing() == []


def test_a_replay_of_the_journal_with_its_pauses_finds_no_sensor_missing_at_a_leap() -> None:
    line = Line(pipeline())
    line.take(of("abc", START + 60.0 * np.arange(300.0), START + 9000.0), cut=7)
    replayed = pipeline()
    events = [event for part in with_pauses(join(line.parts, 50)) for event in replayed.replay([part])]
    assert events == line.events
    assert not [event for event in events if event.kind == "missing"]


@pytest.mark.long
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from([0.1, 1.0, 20.0, 400.0]), st.sampled_from([0.0] * 8 + [90.0, HOUR])
        ),
        min_size=60,
        max_size=200,
    ),
    st.integers(1, 40),
    st.sampled_from([0.0, 20.0]),
)
def test_a_replay_equals_the_live_run_in_any_batching_however_clocks_leap(
    sent: list[tuple[int, float, float]], cut: int, reorder_s: float
) -> None:
    now, ahead, messages = START, 0.0, list[Message]()
    for place, (sensor, passed, leap) in enumerate(sent):
        now, ahead = now + passed, ahead + leap * (place > 40)
        messages.append(reading(f"paced/{'abcd'[sensor]}", now + ahead - 100 * HOUR, float(place % 7), now))
    middle = len(messages) // 2
    whole = Line(pipeline(reorder_s=reorder_s)).take(messages)
    pieces = Line(pipeline(reorder_s=reorder_s)).take(messages[:middle], cut=cut)
    saved, so_far = pieces.pipeline.save("", ""), len(pieces.parts)
    pieces.take(messages[middle:], cut=cut)
    again = revived(pipeline(reorder_s=reorder_s), saved, pieces.parts[so_far:])
    assert leaps(pieces) == leaps(whole)
    assert differing(pieces.pipeline, whole.pipeline) == []
    assert differing(again.pipeline, whole.pipeline) == []
    assert pieces.events == whole.events


def test_a_snapshot_without_a_leap_looks_the_same_to_earlier_versions() -> None:
    line = Line(pipeline()).take(of("ab", START + np.arange(10.0), np.inf))
    saved = {each.component: each.state for each in Snapshot.from_bytes(line.pipeline.save("", "")).parts}
    assert saved["interruption"] == b"\x92\xc2\xc2"


@pytest.mark.parametrize("wrong", [[(-1, 40.0)], [(10, 40.0)], [(3, 40.0), (3, 40.0)], [(3, -1.0)], [(3, np.inf)]])
def test_leaps_without_a_reading_are_damage(wrong: list[tuple[int, float]]) -> None:
    line = Line(pipeline()).take(of("a", START + np.arange(10.0), np.inf))
    part = line.parts[0]
    assert isinstance(part, Readings)
    part.leaps = wrong
    with pytest.raises(JournalError, match="leaps"):
        unpack(pack([part]))
