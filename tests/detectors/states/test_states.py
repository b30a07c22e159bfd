"""Properties of the states detector: which sensors have states, and what it reports about them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from naive_states import NaiveStates
from told_by_states import told_by_states

from detectors.base import Measure
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from detectors.states import States

MONDAY_S = 1_772_409_600.0
TELLS = 2.5
DAY = 1440

Told = list[tuple[int, Measure]]
"""Minutes at which something was reported, and what it was about."""


def watch(values: Floats, every_s: float = 60.0, since: int = 0) -> Told:
    """What the detector reports about a sensor, and when, from the reading `since` on; meanwhile nothing is learned."""
    table, told, is_open = StateTable(States(), rows=1), [], False
    for index, value in enumerate(values.tolist()):
        score = table.update_one(0, value, MONDAY_S + every_s * index, held=is_open).score
        if score >= TELLS and not is_open and index >= since:
            measure = table.detector.measure(table.arrays, 0)
            assert measure is not None
            told.append((index, measure))
        is_open = score >= (TELLS / 2 if is_open else TELLS)
    return told


def has_states(values: Floats, every_s: float = 300.0) -> bool:
    """Whether the detector ever scored the sensor."""
    table = StateTable(States(), rows=1)
    for index, value in enumerate(values.tolist()):
        score = table.update_one(0, value, MONDAY_S + every_s * index, held=False).score
        if not np.isnan(score):
            return True
    return False


def pump(days: int) -> Floats:
    """The current of a pump, every minute: on for 5 to 9 minutes, off for 40 to 90, three times as long at night."""
    rng, values, is_on = np.random.default_rng(3), [], False
    while len(values) < days * DAY:
        is_night = not 6 <= len(values) // 60 % 24 < 22
        minutes = rng.integers(5, 10) if is_on else rng.integers(40, 91) * (3 if is_night else 1)
        values += [float(round(3.2 + 0.04 * rng.normal(), 2)) if is_on else 0.0 for _ in range(minutes)]
        is_on = not is_on
    return np.array(values[: days * DAY])


def line(days: int) -> Floats:
    """The power of a production line, every five minutes: two shifts on working days, with a break at noon."""
    rng, each = np.random.default_rng(4), np.arange(days * 288)
    hour, day = each % 288 / 12, each // 288
    on = (day % 7 < 5) & (hour >= 6) & (hour < 22)
    values = np.where(on, 240 + 15 * np.sin(each / 5) + 9 * rng.normal(size=len(each)), 18 + rng.normal(size=len(each)))
    return np.round(np.where(on & (hour >= 12) & (hour < 12.5), 110 + 8 * rng.normal(size=len(each)), values), 1)


@pytest.fixture(scope="module")
def pumping() -> Floats:
    return pump(13)


BEGIN = 12 * DAY + 600


def test_a_normally_operating_pump_is_not_reported(pumping: Floats) -> None:
    assert watch(pumping) == []


def test_a_pump_that_runs_dry_is_at_a_value_between_its_states(pumping: Floats) -> None:
    dry = pumping.copy()
    dry[BEGIN:] = np.where(dry[BEGIN:] > 0, 1.9, 0.0)
    minute, measure = watch(dry)[0]
    running = np.flatnonzero(dry[BEGIN:] > 0)[0]
    assert BEGIN + running <= minute <= BEGIN + running + 6
    assert measure.about == "value"
    assert 1.9 < measure.lower < 3.2 < measure.upper


def test_a_pump_with_a_welded_contactor_stays_on_for_too_long(pumping: Floats) -> None:
    welded = pumping.copy()
    welded[BEGIN:] = 3.2
    minute, measure = watch(welded)[0]
    assert BEGIN + 10 <= minute <= BEGIN + 30
    assert measure.about == "length"
    assert measure.now > 1.5 * measure.usual


def test_a_pump_that_switches_all_the_time_changes_state_too_often(pumping: Floats) -> None:
    hectic = pumping.copy()
    hectic[BEGIN:] = np.where(np.arange(len(hectic) - BEGIN) % 4 < 2, 3.2, 0.0)
    minute, measure = watch(hectic)[0]
    assert BEGIN <= minute <= BEGIN + 30
    assert measure.about == "changes"
    assert measure.now > 1.5 * measure.usual


def belt(days: int) -> Floats:
    """The speed of a belt, every ten seconds: 1.6 m/s in two shifts, with short stops; it starts within ten seconds."""
    rng, each = np.random.default_rng(6), np.arange(days * 8640)
    on = (each // 360 % 24 >= 6) & (each // 360 % 24 < 22)
    for begin in rng.integers(0, len(each), 100 * days).tolist():
        on[begin : begin + int(rng.integers(6, 40))] = False
    starts = on & ~np.roll(on, 1)
    speed = np.where(starts, rng.uniform(0.3, 1.4, len(each)), 1.6 + 0.012 * rng.normal(size=len(each)))
    return np.round(np.where(on, speed, 0.0), 2)


def test_a_belt_that_slips_again_and_again_is_out_of_its_usual_states_for_too_long_in_all() -> None:
    slipping, begin = belt(5), 4 * 8640 + 3600
    slips = np.arange(len(slipping) - begin) % 36 < 6
    slipping[begin:] = np.where(slips & (slipping[begin:] > 1.5), 1.2, slipping[begin:])
    index, measure = watch(slipping, every_s=10.0)[0]
    assert measure.about == "aside"
    assert begin + 90 <= index <= begin + 360
    assert measure.now > 1.5 * measure.usual


def test_a_state_that_is_seldom_entered_does_not_keep_a_machine_from_being_known(pumping: Floats) -> None:
    values = pumping.copy()
    for day in (1, 3, 5, 7, 9):
        values[day * DAY + 180 : day * DAY + 198] = 9.0
    values[BEGIN:] = 3.2
    assert "length" in [measure.about for minute, measure in watch(values) if minute > BEGIN]


@pytest.mark.long
def test_frequent_changes_are_reported_until_they_stop(pumping: Floats) -> None:
    hectic, ends = np.concatenate([pumping, pump(2)]), BEGIN + 2000
    flutter = np.random.default_rng(5).random(ends - BEGIN) < 0.45
    hectic[BEGIN:ends] = np.where(flutter, 3.2, 0.0)
    table, is_open, opened = StateTable(States(), rows=1), False, []
    for index, value in enumerate(hectic.tolist()):
        score = table.update_one(0, value, MONDAY_S + 60.0 * index, held=is_open).score
        is_open = score >= (TELLS / 2 if is_open else TELLS)
        opened.append(is_open)
    since = opened.index(True, BEGIN)
    assert since <= BEGIN + 120
    assert ends <= opened.index(False, since) <= ends + 180


@pytest.mark.long
def test_a_binary_sensor_is_judged_in_the_same_way(pumping: Floats) -> None:
    welded = (pumping > 0).astype(float)
    welded[BEGIN:] = 1.0
    assert [measure.about for _, measure in watch(welded)] == ["length"]


@pytest.mark.long
def test_a_duration_that_was_too_long_twice_is_normal(pumping: Floats) -> None:
    values = np.concatenate([pumping, pumping[: 2 * DAY]])
    for begin in (6 * DAY, 9 * DAY, 12 * DAY):
        values[begin : begin + 60] = 3.2
    told = [minute // DAY for minute, measure in watch(values) if measure.about == "length"]
    assert told == [6, 9]


def test_a_line_that_stops_on_a_working_day_is_in_an_unexpected_state() -> None:
    stands = line(31)
    begin = 29 * 288 + 9 * 12
    stands[begin : begin + 36] = 18.5
    (index, measure), *others = watch(stands, 300.0)
    assert others == []
    assert begin + 2 <= index <= begin + 3
    assert measure.about == "hour"
    assert measure.lower < 240 < measure.upper


@pytest.mark.long
def test_nights_and_weekends_of_a_line_are_never_reported() -> None:
    assert watch(line(38), 300.0) == []


@pytest.mark.long
def test_the_first_weekend_of_a_machine_is_not_reported_but_one_that_does_not_stop_is() -> None:
    minutes = np.arange(10 * DAY)
    values = np.where((minutes % 70 < 10) & (minutes // DAY % 7 < 5), 3.2, 0.0)
    assert watch(values) == []
    begin = 70 * 90
    values[begin : begin + 120] = 3.2
    assert [(begin < minute < begin + 40, measure.about) for minute, measure in watch(values)] == [(True, "length")]


@pytest.mark.long
def test_the_hour_of_daylight_saving_is_never_reported() -> None:
    usual = line(37)
    assert watch(np.concatenate([usual[: 28 * 288], usual[28 * 288 + 12 :]]), 300.0) == []


@pytest.mark.long
def test_a_week_at_a_standstill_does_not_erase_what_was_learned() -> None:
    values = line(45)
    values[28 * 288 : 35 * 288] = 18.0
    begin = 43 * 288 + 14 * 12
    values[begin : begin + 36] = 18.0
    assert [index // 288 for index, _ in watch(values, 300.0, since=36 * 288)] == [43]


def compressor(days: int, begin: float, end: float) -> Floats:
    """Power in kW each minute: loads and unloads from 6 to 18 on working days, on the last day between two hours."""
    each = np.arange(days * 1440)
    hours, day = each / 60 % 24, each // 1440
    works = (day % 7 < 5) & (hours >= 6) & (hours < 18)
    works |= (day == days - 1) & (hours >= begin) & (hours < end)
    rng = np.random.default_rng(4)
    power = np.where(works, np.where(each % 9 < 5, 37.0, 14.0), 0.3)
    return np.round(power * rng.normal(1, 0.01, len(each)), 2)


def test_a_machine_that_changes_between_states_of_other_hours_is_in_a_wrong_one_all_the_time() -> None:
    told = [(index, each) for index, _, each in told_by_states(compressor(28, 2, 22), 60.0) if index >= 27 * 1440]
    assert told
    index, measure = told[0]
    assert 27 * 1440 + 130 <= index <= 27 * 1440 + 145
    assert measure.about == "hours"
    assert measure.now == pytest.approx(60.0 * (index - 27 * 1440 - 120), abs=120.0)
    assert measure.upper < 1.0
    assert len(told) == 1


def test_the_longer_an_unusual_state_lasts_the_more_surprising_it_is() -> None:
    values, table = compressor(28, 2, 22), StateTable(States(), rows=1)
    scores = np.empty(len(values))
    for index, value in enumerate(values.tolist()):
        scores[index] = table.update_one(0, value, MONDAY_S + 60.0 * index, held=index > 27 * 1440 + 120).score
    last = 27 * 1440
    assert scores[last + 21 * 60] > scores[last + 4 * 60] + 1.0


def test_the_detector_and_its_simple_counterpart_agree_about_a_machine_at_a_wrong_hour() -> None:
    values, table, twin = compressor(23, 2, 22), StateTable(States(), rows=1), NaiveStates(States())
    said = np.empty((len(values), 2))
    for index, value in enumerate(values.tolist()):
        time = MONDAY_S + 60.0 * index
        said[index] = table.update_one(0, value, time, held=False).score, twin.step(value, time)[0]
    np.testing.assert_allclose(said[:, 0], said[:, 1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", [6, 9, 10])
def test_what_is_set_at_any_time_has_no_timetable_after_two_weeks(seed: int) -> None:
    rng, table, highest = np.random.default_rng(seed), StateTable(States(), rows=1), 0.0
    changes = np.cumsum(rng.random(22 * 144) < 1 / 30)
    for index, value in enumerate((60.0 + 5.0 * (changes % 4) + 0.2 * rng.normal(size=22 * 144)).tolist()):
        score = table.update_one(0, value, MONDAY_S + 600.0 * index, held=False).score
        measure = table.detector.measure(table.arrays, 0)
        if measure is not None and measure.about in {"hour", "hours"}:
            highest = max(highest, score)
    assert 0.0 < highest < TELLS


N = 20_000
EACH = np.arange(N)
DAILY = np.sin(EACH / 288 * 2 * np.pi)
CONTINUOUS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "noise": lambda rng: rng.normal(size=N),
    "a walk": lambda rng: np.cumsum(rng.normal(size=N)),
    "a day": lambda rng: 20 + 5 * DAILY + 0.1 * rng.normal(size=N),
    "day and night": lambda rng: 20 + 5 * np.tanh(4 * DAILY) + 0.3 * rng.normal(size=N),
    "whole degrees": lambda rng: np.round(21 + 1.2 * DAILY + 0.3 * rng.normal(size=N)),
    "two whole degrees": lambda rng: np.round(20.5 + 0.4 * DAILY + 0.05 * rng.normal(size=N)),
    "half degrees": lambda rng: np.round(2 * (21 + 1.2 * DAILY + 0.1 * rng.normal(size=N))) / 2,
    "spikes": lambda rng: 20 + rng.normal(size=N) + 30 * (rng.random(N) < 0.005),
    "an error value": lambda rng: np.where(EACH % 400 < 3, -127.0, 20 + DAILY + 0.1 * rng.normal(size=N)),
    "counts": lambda rng: rng.poisson(0.3, N).astype(float),
    "a counter": lambda rng: np.cumsum(rng.poisson(3, N)).astype(float),
    "heavy tails": lambda rng: rng.standard_cauchy(N),
    "skewed": lambda rng: np.exp(2 * rng.normal(size=N)),
    "two heaps at random": lambda rng: 10.0 * (rng.random(N) < 0.5) + rng.normal(size=N),
    "the sun": lambda rng: np.maximum(0, DAILY) * 4000 * rng.uniform(0.3, 1.0, N),
    "a level that shifts": lambda rng: rng.normal(size=N) + np.where(EACH < N / 2, 0, 40),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", CONTINUOUS)
def test_a_sensor_that_is_not_a_machine_has_no_states(kind: str) -> None:
    assert not has_states(CONTINUOUS[kind](np.random.default_rng(5)))


@pytest.mark.parametrize("kind", ["0 and 1", "0 and 100", "three levels", "with noise", "uneven numbers"])
def test_a_machine_has_states(kind: str) -> None:
    rng, step = np.random.default_rng(6), EACH // 7
    values = {
        "0 and 1": step % 2 * 1.0,
        "0 and 100": step % 2 * 100.0,
        "three levels": np.array([4.0, 12.0, 20.0])[step % 3] + 0.05 * rng.normal(size=N),
        "with noise": step % 2 * 10 + rng.normal(size=N),
        "uneven numbers": np.array([0.0, 100.0, 240.0])[step % 3],
    }[kind]
    assert has_states(values)


def test_the_detector_and_its_simple_counterpart_agree_about_a_line() -> None:
    values, table, twin = line(31), StateTable(States(), rows=1), NaiveStates(States())
    values[29 * 288 + 120 : 29 * 288 + 150] = 30.0
    said = np.empty((len(values), 2))
    for index, value in enumerate(values.tolist()):
        time = MONDAY_S + 300.0 * index
        said[index] = table.update_one(0, value, time, held=False).score, twin.step(value, time)[0]
    assert np.nanmax(said) > TELLS
    assert (said[:, 0] == 0).sum() > 1000
    np.testing.assert_allclose(said[:, 0], said[:, 1], rtol=1e-6, atol=1e-6)


def flushed_flow(days: int) -> Floats:
    """A cooling loop, every minute: 42 l/min by day, nothing at night, and 48 for 20 minutes each third day."""
    minutes, noise = np.arange(days * DAY), np.random.default_rng(11).normal(size=days * DAY)
    flush = (minutes % (3 * DAY) >= 720) & (minutes % (3 * DAY) < 740)
    flows = np.where(flush, 48.3, 42.0) + 0.3 * noise
    return np.where(minutes % DAY < 300, 0.0, flows)


def test_a_value_where_no_reading_has_been_is_told_within_minutes_although_others_between_states_are_usual() -> None:
    values, begin = flushed_flow(12), 10 * DAY + 800
    values[begin:] *= 0.06
    told = watch(values[: begin + 120], since=begin)
    assert told, told
    assert told[0][0] - begin <= 8, told
    assert told[0][1].about == "value"


def test_a_value_between_the_states_where_the_sensor_often_is_needs_longer() -> None:
    values, begin = flushed_flow(12), 10 * DAY + 800
    values[begin : begin + 20] *= 48.3 / 42
    assert watch(values, since=begin) == []


def runs(days: int, minutes: Callable[[np.random.Generator], float], pause: int = 40, seed: int = 4) -> Floats:
    """A machine, every minute: on for as long as `minutes` draws, then off for some `pause` minutes."""
    rng, values = np.random.default_rng(seed), []
    while len(values) < days * DAY:
        values += [1.5] * max(1, round(minutes(rng))) + [0.0] * round(pause * rng.uniform(0.8, 1.2))
    return np.array(values[: days * DAY])


def briefly(told: Told) -> Told:
    return [each for each in told if each[1].about == "brief"]


@pytest.mark.parametrize(("minutes", "pause"), [(2, 58), (7, 53)])
def test_a_machine_that_stops_too_soon_again_and_again_is_told(minutes: int, pause: int) -> None:
    usual = runs(12, lambda rng: 20 * rng.uniform(0.8, 1.2))
    wrong = runs(1, lambda rng: minutes * rng.uniform(0.8, 1.2), pause)
    ((index, measure),) = briefly(watch(np.concatenate([usual, wrong])))
    assert 2 * 48 < index - len(usual) < 4 * 70
    assert measure.now <= 60 * 1.3 * minutes < 60 * 15 < measure.usual < 60 * 22
    assert measure.lower <= 1.5 <= measure.upper


def test_a_machine_that_stops_and_starts_too_soon_changes_too_often() -> None:
    usual = runs(12, lambda rng: 20 * rng.uniform(0.8, 1.2))
    hectic = runs(1, lambda rng: 2 * rng.uniform(0.8, 1.2), 4)
    assert {measure.about for _, measure in watch(np.concatenate([usual, hectic]))} == {"changes"}


def test_a_single_short_run_is_nothing() -> None:
    usual = runs(24, lambda rng: 20 * rng.uniform(0.8, 1.2))
    usual[15 * DAY : 15 * DAY + 12] = 0.0
    assert briefly(watch(usual)) == []


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_a_machine_that_people_switch_is_at_times_on_for_short_times(spread: float) -> None:
    told = [briefly(watch(runs(30, lambda rng: float(rng.lognormal(3.0, spread)), 60, seed))) for seed in range(3)]
    assert sum(map(len, told)) <= 1


def test_what_has_changed_for_good_is_learned() -> None:
    usual = runs(12, lambda rng: 20 * rng.uniform(0.8, 1.2))
    other = runs(30, lambda rng: 6 * rng.uniform(0.8, 1.2), 54)
    table = StateTable(States(), rows=1)
    scores = [
        table.update_one(0, value, MONDAY_S + 60 * index, held=False).score
        for index, value in enumerate(np.concatenate([usual, other]).tolist())
    ]
    assert max(scores[len(usual) : len(usual) + DAY]) > TELLS
    assert max(scores[-2 * DAY :]) < TELLS
