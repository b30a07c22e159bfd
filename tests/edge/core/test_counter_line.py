from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pytest

from config.schema import IncidentSettings, ResolvedRule
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, detectors, differing, pipeline, plant, reading, revived, rule

METER = "paced/meter"
EVERY_S = 120.0
A_DAY = 720
WATCHED = detectors(
    silence={}, flatline={}, rate={}, unrest={}, ewma={}, cusum={}, states={}, contextual={"size": "light"}
)
RULE = replace(rule(*WATCHED, settings=IncidentSettings()), unit="l")


def rises(days: float, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return np.round(rng.uniform(8.0, 16.0, int(days * A_DAY)), 1).tolist()


def counted(rise: list[float], start: float = 500.0) -> list[float]:
    return [round(each, 3) for each in accumulate(rise, initial=start)]


def messages(values: list[float]) -> list[Message]:
    return [reading(METER, START + EVERY_S * index, value) for index, value in enumerate(values)]


def line_of(values: list[float], watched: ResolvedRule = RULE, cut: int = 500) -> Line:
    return Line(pipeline(lambda _: watched)).take(messages(values), cut)


def reported(line: Line, from_reading: int = 0) -> list[dict[str, Any]]:
    events = [json.loads(each.payload) for each in line.events if each.time >= START + EVERY_S * from_reading]
    return [each["data"] for each in events]


def test_a_steady_counter_and_its_resets_at_midnight_are_not_news() -> None:
    day = counted(rises(1, 1), start=0.0)[:A_DAY]
    assert reported(line_of(day * 4)) == []


def test_a_limit_that_is_broken_while_a_counter_is_recognised_leaves_it_a_raising_level() -> None:
    limited = replace(RULE, detectors=(*detectors(limits={"high": 600.0}), *WATCHED))
    day = counted(rises(1, 1), start=0.0)[:A_DAY]
    events = reported(line_of(day * 2, limited))
    assert {each["kind"] for each in events} == {"range"}
    assert "cleared" in {each["transition"] for each in events}
    assert min(each["threshold"] for each in events) > 1.0


def test_the_incident_of_a_fast_counter_gives_its_rate() -> None:
    rise = rises(3, 2)
    for index in range(2000, 2020):
        rise[index] += 60.0
    first, *others = reported(line_of(counted(rise)), 2000)
    assert first["transition"] == "raised"
    assert first["unit"] == "l/min"
    assert 34 <= first["value"] <= 39
    assert first["upper"] < first["value"]
    assert first["reading"] > 20_000
    assert first["message"].startswith(f"{METER} rises by 3")
    assert "l/min, usually" in first["message"]
    assert others[-1]["transition"] == "cleared"
    assert "is back to normal at" in others[-1]["message"]
    assert "l/min after" in others[-1]["message"]


def test_a_counter_that_stops_is_reported() -> None:
    rise = rises(3, 3)
    rise[2000:2060] = [0.0] * 60
    found = reported(line_of(counted(rise)), 2000)
    assert found[0]["transition"] == "raised"
    assert found[0]["value"] == 0.0
    said = [each["message"] for each in found]
    assert any("stands still" in each or "has stood still for" in each for each in said)
    assert found[-1]["transition"] == "cleared"


def test_a_counter_that_was_back_from_a_fall_sent_an_error_value() -> None:
    values = counted(rises(3, 4))
    values[1800] = 0.0
    first, last = reported(line_of(values))
    assert (first["kind"], first["transition"]) == ("error_value", "raised")
    assert first["message"] == f"{METER} sends 0 l, an error value"
    assert last["transition"] == "cleared"


def test_a_counter_that_sends_a_number_below_zero_for_hours_is_told_at_once_and_counts_on() -> None:
    values = counted(rises(3, 4))
    for begins in (1700, 1850):
        values[begins : begins + 60] = [-127.0] * 60
    values[2100:] = [round(each + 900.0 * (index + 1), 3) for index, each in enumerate(values[2100:])]
    line = line_of(values)
    found = [(each["kind"], each["transition"]) for each in reported(line)]
    assert found[:4] == [("error_value", "raised"), ("error_value", "cleared")] * 2
    assert reported(line)[0]["message"] == f"{METER} sends -127 l, an error value"
    assert len(reported(line, 1700)) - len(reported(line, 1701)) == 1
    faster = reported(line, 2100)[0]
    assert (faster["transition"], faster["unit"]) == ("raised", "l/min")


def altered(change: Callable[[float], float], from_reading: int = 1800, seed: int = 7) -> list[float]:
    """A counter whose readings change from a given index on."""
    values = counted(rises(3, seed), start=41_000.0)
    return [each if index < from_reading else change(each) for index, each in enumerate(values)]


def test_an_exchanged_meter_is_reported_as_a_jump_of_its_reading_and_its_rate_is_judged_as_before() -> None:
    first, *others = reported(line_of(altered(lambda each: each + 900_000.0)), 1800)
    assert (first["transition"], first["unit"], first["lower"], first["upper"]) == ("raised", "l", None, None)
    assert first["message"].startswith(f"{METER} has jumped from 62")
    assert first["message"].endswith(" l within 2 min")
    assert first["value"] > 950_000
    assert [each["transition"] for each in others if each["kind"] == first["kind"]][-1] == "cleared"
    assert all(each["unit"] == "l/min" and (each["upper"] or 8.0) < 20.0 for each in others)


def test_an_exchanged_meter_is_reported_although_it_counts_too_fast() -> None:
    rise = rises(3, 7)
    rise[1800:] = [4.0 * each for each in rise[1800:]]
    values = counted(rise, start=41_000.0)
    line = line_of([*values[:1830], *[each + 900_000.0 for each in values[1830:]]])
    told = [(each["transition"], each["message"]) for each in reported(line, 1830)]
    assert told[0][0] == "updated"
    assert told[0][1].startswith(f"{METER} has jumped from 63988.6 to 964037 l within 2 min")


def test_a_unit_changed_by_a_thousand_is_reported_and_the_earlier_rate_is_kept_for_comparison() -> None:
    first, *others = reported(line_of(altered(lambda each: 1000.0 * each)), 1800)
    assert first["message"].endswith(" l within 2 min, 1000 times as much: its unit may have changed")
    assert others
    assert all(3000 < each["value"] < 9000 for each in others)
    assert all((each["upper"] or 8.0) < 20.0 for each in others[:2])


def test_a_unit_changed_to_a_thousandth_is_not_a_reset() -> None:
    first = reported(line_of(altered(lambda each: each / 1000.0)), 1800)[0]
    assert first["message"].endswith(" l within 2 min, 1/1000 of it: its unit may have changed")


def test_a_meter_that_overflows_to_a_ten_thousandth_has_not_changed_its_unit() -> None:
    rise = [round(each / 100, 3) for each in rises(4, 7)]
    start = 99.982 - round(sum(rise[:1800]), 3)  # reaches 99.982 at reading 1800
    rise[1800] = 0.028
    values = [round(each % 100.0, 3) for each in counted(rise, start=start)]
    assert values[1800:1802] == [99.982, 0.01]
    assert reported(line_of(values)) == []


@pytest.mark.long
def test_a_jump_is_reported_in_the_same_way_among_many_sensors_and_alone() -> None:
    values = altered(lambda each: each + 900_000.0)
    alone = [each.payload for each in line_of(values, cut=1).events]
    assert [each.payload for each in line_of(values, cut=500).events] == alone


def test_a_limit_of_a_counter_applies_to_its_reading() -> None:
    limited = replace(RULE, detectors=detectors(limits={"high": 20_000.0}, ewma={}), counter=True)
    values = counted(rises(3, 5))
    first = reported(line_of(values, limited))[0]
    assert first["kind"] == "range"
    assert first["unit"] == "l"
    assert 20_000 < first["value"] < 20_020
    assert first["message"].startswith(f"{METER} is above its limit of 20000 l, at 200")


def test_a_limit_of_a_counter_is_met_again_after_a_reset() -> None:
    limited = replace(RULE, detectors=detectors(limits={"high": 15_000.0}, contextual={}), counter=True)
    day = counted(rises(2.2, 6), start=0.0)
    assert [each["transition"] for each in reported(line_of([*day, *day[:100]], limited))][-1] == "cleared"


def test_a_counter_that_becomes_a_gauge_is_learned_as_one() -> None:
    gauge = np.random.default_rng(7).normal(40.0, 1.0, 1500).round(2).tolist()
    gauge[1200:1240] = [70.0] * 40
    found = reported(line_of([*counted(rises(1.5, 7)), *gauge]), int(1.5 * A_DAY) + 300)
    assert [each["unit"] for each in found] == ["l"] * len(found)
    assert any(each["value"] == 70.0 for each in found)


def test_an_open_incident_ends_as_its_sensor_turns_out_to_be_a_counter() -> None:
    rise = rises(7.2, 8)
    rise[5000] = 300.0
    patient = replace(RULE, detectors=detectors(rate={}), incidents=IncidentSettings(clear_after=60))
    line = line_of([600.0, *counted(rise)], patient)
    raised, *_, last = reported(line)
    assert (raised["transition"], raised["unit"]) == ("raised", "l")
    assert last["transition"] == "expired"
    assert (
        last["message"] == f"{METER} turns out to be a counter, at 61458 l; how fast it counts is judged from here on"
    )
    assert not line.pipeline.engine.open_incidents


def test_a_counter_is_not_recognised_while_it_counts_at_the_pace_of_a_fault() -> None:
    rise = rises(7.2, 8)
    rise[5030:] = [400.0] * len(rise[5030:])
    line = line_of([600.0, *counted(rise)], replace(RULE, detectors=detectors(rate={})))
    raised, *others = reported(line)
    assert raised["transition"] == "raised"
    assert {each["transition"] for each in others} == {"updated"}
    assert line.pipeline.engine.open_incidents
    assert not line.pipeline.engine.paces.per[0]


def sectors(*, days: float, first: float = 12.0) -> list[Message]:
    """Reallocated sectors of a disk each hour: none for the first days, then eight each two hours for so many days."""
    hours = np.arange(int((first + days) * 24) + (72 if days > 4 else 240))
    grown = 8.0 * np.clip((hours - first * 24) // 2, 0, int(days * 12))
    return [reading(METER, START + 3_600.0 * hour, value) for hour, value in enumerate(grown.tolist())]


@pytest.mark.parametrize(
    ("days", "ends"),
    [
        (4.0, "turns out to be a counter, at 384 l; how fast it counts is judged from here on"),
        (15.0, "turns out to be a counter, at 1184 l; how fast it counts is judged from here on"),
    ],
)
def test_what_begins_to_count_is_one_incident_which_is_told_again_as_it_doubles(days: float, ends: str) -> None:
    events = Line(pipeline(lambda _: RULE)).take(sectors(days=days)).events
    said = [json.loads(each.payload)["data"] for each in events]
    values = [each["value"] for each in said[:-1]]
    assert [each["transition"] for each in said] == ["raised", *["updated"] * (len(said) - 2), "expired"]
    assert values[0] == 16.0
    assert max(after / before for before, after in pairwise(values)) <= 2.0
    assert values[-1] >= (380.0 if days < 12 else 760.0)
    assert said[-1]["message"] == f"{METER} {ends}"


def test_what_begins_to_count_in_a_sensors_first_days_may_well_be_how_it_counts() -> None:
    events = Line(pipeline(lambda _: RULE)).take(sectors(days=4.0, first=4.0)).events
    ends = [json.loads(each.payload)["data"]["message"] for each in events if each.transition == "expired"]
    assert any("turns out to be a counter" in each for each in ends)


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 64])
def test_a_counter_is_monitored_in_the_same_way_in_any_batches(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    rise = rises(2.5, 9)
    rise[1500:1540] = [90.0] * 40
    values = counted(rise)
    values[1300] = 0.0
    monkeypatch.setattr("edge.core.engine.WIDE", 1)
    together = line_of(values)
    monkeypatch.setattr("edge.core.engine.WIDE", 10**9)
    apart = line_of(values, cut=cut)
    assert len(together.events) >= 4
    assert [each.payload for each in apart.events] == [each.payload for each in together.events]
    assert differing(apart.pipeline, together.pipeline) == []


@pytest.mark.long
@pytest.mark.parametrize("at", [700, 1200, 1520])
def test_a_restart_preserves_the_state_of_a_counter(at: int) -> None:
    rise = rises(2.5, 10)
    rise[1500:1540] = [90.0] * 40
    everything = messages(counted(rise))
    whole = Line(pipeline(lambda _: RULE)).take(everything)
    before = Line(pipeline(lambda _: RULE)).take(everything[:at])
    after = revived(pipeline(lambda _: RULE), before.pipeline.save("", ""), []).take(everything[at:])
    assert [each.payload for each in (*before.events, *after.events)] == [each.payload for each in whole.events]
    assert differing(after.pipeline, whole.pipeline) == []


def test_after_a_restart_a_rule_can_declare_that_a_counter_is_none() -> None:
    values = counted(rises(2, 11))
    before = Line(pipeline(lambda _: RULE)).take(messages(values))
    other = replace(RULE, counter=False)
    after = revived(pipeline(lambda _: other), before.pipeline.save("", ""), [])
    assert before.pipeline.engine.paces.per[0] > 0
    assert after.pipeline.engine.paces.per[0] == 0
    group, row = after.pipeline.engine.members[0]
    assert group.tables[4].arrays["count"][row] == 0


def test_silence_of_a_counter_is_reported_with_its_last_reading() -> None:
    line = line_of(counted(rises(2, 12)))
    line.do("tick", 4 * 3_600.0)
    found = reported(line)[-1]
    assert found["kind"] == "missing"
    assert found["unit"] == "l"
    assert found["value"] > 10_000


def test_an_error_value_that_shows_that_a_sensor_is_no_counter_is_processed_like_any_other() -> None:
    line, rising = Line(pipeline()), [10.0 + 0.01 * (number + number // 3) for number in range(3200)]
    values = rising[:1600] + [value - 3.0 for value in rising[1600:]]  # it falls once: a thermometer in spring
    readings = [reading("paced/a", START + 60.0 * number, value) for number, value in enumerate([*values, -999.0])]
    others = plant([each.arrived + 1.0 for each in readings], "paced/b")
    line.take([each for pair in zip(readings, others, strict=True) for each in pair], 50)
    line.take(plant([START + 60.0 * number for number in range(3201, 3300)], "paced/b", "paced/a"), 50)
    assert line.pipeline.engine.statistics.count[0] > 3200
