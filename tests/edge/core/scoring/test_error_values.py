"""Error values are reported, are never learned, and are recognised without configuration after a few occurrences."""

from __future__ import annotations

import json

import numpy as np
import pytest

from config import parse
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message, Reading
from edge.core.model.sensors.no_values import NoValues
from edge.core.persistence.journal import pack, unpack
from edge.core.persistence.snapshot import Part
from edge.core.pipeline import Pipeline
from edge.core.scoring.errors.error_values import ORDINARY, STRANGE, ErrorValues
from edge.shell.service.assembly.parts import make_pipeline
from tests.edge.core.pipelines import START, Line, differing, reading, revived, revived_from

ROOM, MINUTE = "paced/room", 60.0
BY_RULE = '[[rule]]\nsensors = "**"\nno_value = [-200, 85]\n'
BY_INPUT = "no_value = [-200, 85]\n"
DAYS = 2
LEARNED = DAYS * 288
"""Readings every five minutes, enough for a usual range."""


def line(of_input: str = "", rules: str = "", base: str = "") -> Pipeline:
    text = f'[gateway]\nname = "gw"\n{base}[[input]]\ntopic = "paced/#"\nsensor = "{{topic}}"\n{of_input}{rules}'
    return make_pipeline(parse(text).configuration)


def values(count: int, seed: int = 3) -> list[float]:
    """A room: around 20, with a daily pattern and some noise."""
    noise = np.random.default_rng(seed).normal(0.0, 0.1, count)
    return [round(20 + np.sin(each / 288 * 2 * np.pi) + noise[each], 2) for each in range(count)]


def sent(all_values: list[float], every: float = 5 * MINUTE) -> list[Message]:
    return [reading(ROOM, START + place * every, value) for place, value in enumerate(all_values)]


def with_pulses(count: int, pulses: dict[int, float]) -> list[float]:
    return [pulses.get(place, value) for place, value in enumerate(values(count))]


def errors(events: list[Event]) -> list[tuple[str, str]]:
    return [(each.transition, each.message) for each in events if each.kind == "error_value"]


def at(event: Event) -> float:
    return (event.time - START) / (5 * MINUTE)


def test_a_file_of_readings_has_the_error_values_of_all_inputs() -> None:
    other = '[[input]]\ntopic = "other/#"\nno_value = [-127]\n'
    pipeline = line(BY_INPUT, other)
    readings = [Reading(ROOM, START + place * 300, value) for place, value in enumerate([20.0, 85.0, 20.1, -127.0])]
    assert errors(pipeline.process_readings(readings).events) == [
        ("raised", f"{ROOM} sends 85, an error value"),
        ("cleared", f"{ROOM} has a real value again after 5 min: 20.1"),
        ("raised", f"{ROOM} sends -127, an error value"),
    ]


@pytest.mark.parametrize("keys", [("", BY_RULE), (BY_INPUT, "")], ids=["rule", "input"])
def test_a_named_error_value_is_an_incident_until_a_real_value_returns(keys: tuple[str, str]) -> None:
    found = Line(line(*keys)).take(sent([20.0, 20.1, 85.0, 85.0, -200.0, 20.2, 20.1])).events
    assert errors(found) == [
        ("raised", f"{ROOM} sends 85, an error value"),
        ("cleared", f"{ROOM} has a real value again after 15 min: 20.2"),
    ]


def test_the_very_first_reading_may_be_an_error_value() -> None:
    assert [each for each, _ in errors(Line(line("", BY_RULE)).take(sent([85.0, 20.0])).events)] == [
        "raised",
        "cleared",
    ]


def test_a_named_error_value_is_never_learned() -> None:
    clean, dirty = Line(line("", BY_RULE)), Line(line("", BY_RULE))
    pulses = dict.fromkeys(range(30, 300, 7), 85.0)
    clean.take([each for place, each in enumerate(sent(values(300))) if place not in pulses])
    dirty.take(sent(with_pulses(300, pulses)))
    aside = ("detectors silence", "silence of", "statistics", "levels", "error_values")
    names = [each for each in differing(clean.pipeline, dirty.pipeline) if not each.startswith(aside)]
    names = [each for each in names if not each.endswith((": longest_s", ": rival_s"))]  # no stay at the last value
    assert [each for each in names if each.startswith(("ewma", "contextual", "flatline", "rate", "unrest"))] == []
    levels = [made.pipeline.engine.levels.by_detector["contextual"].peaks for made in (clean, dirty)]
    assert (levels[0] == levels[1]).all()
    assert dirty.pipeline.engine.statistics.lowest[0] == clean.pipeline.engine.statistics.lowest[0]


def test_a_sensor_that_sends_only_error_values_is_not_silent() -> None:
    other = [reading("paced/other", START + place * MINUTE + 1, 5.0 + place % 3) for place in range(500)]
    room = sent([20.0 + place % 3 if place < 60 else -200.0 for place in range(500)], MINUTE)
    both = [each for pair in zip(room, other, strict=True) for each in pair]
    made = Line(line("", BY_RULE)).take(both)
    assert made.missing() == []
    assert [each for each, _ in errors(made.events)] == ["raised"]


def test_an_error_value_joins_an_open_incident_and_leaves_it() -> None:
    rules = f"{BY_RULE}detectors.limits.high = 30.0\n"
    found = Line(line("", rules)).take(sent([20.0, 40.0, 41.0, 85.0, 42.0, *[20.0] * 5])).events
    assert [(each.transition, each.kind) for each in found] == [
        ("raised", "range"),
        ("updated", "error_value"),
        ("updated", "range"),
        ("cleared", "range"),
    ]


def test_time_with_error_values_only_does_not_count_towards_adoption() -> None:
    rules = f"{BY_RULE}incidents.adopt_after_s = 7200\n"
    shifted = [*values(LEARNED), *[30.0] * 5, *[85.0] * 20, *[30.0] * 3]
    found = Line(line("", rules)).take(sent(shifted)).events
    assert [each.transition for each in found if at(each) >= LEARNED and each.transition != "updated"] == ["raised"]


def test_a_silence_that_ends_with_an_error_value_becomes_one() -> None:
    made = Line(line("", BY_RULE)).take(sent([20.0 + place % 3 for place in range(60)], MINUTE))
    made.note(made.pipeline.tick(3600.0))
    later = START + 60 * MINUTE + 3600.0
    made.take([reading(ROOM, later, 85.0), reading(ROOM, later + MINUTE, 20.0)])
    told = [(each.transition, each.kind) for each in made.events]
    assert told[0] == ("raised", "missing")
    assert told[-2:] == [("updated", "error_value"), ("cleared", "error_value")]


PULSES = {LEARNED + 20 + 40 * place: value for place, value in enumerate([85.0, -127.0, 85.0, 85.0, -127.0, 85.0])}


def test_a_value_that_has_occurred_three_times_is_an_error_value() -> None:
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, PULSES)))
    raised = [(at(each), each.kind) for each in made.events if each.transition == "raised" and at(each) in PULSES]
    assert [place for place, _ in raised] == list(PULSES)
    assert [kind == "error_value" for _, kind in raised] == [False] * 5 + [True]
    assert made.pipeline.engine.error_values.found(0) == [85.0]


@pytest.mark.long
def test_a_possible_error_value_widens_no_band_and_raises_no_level() -> None:
    clean = Line(line()).take(sent(values(LEARNED + 300)))
    dirty = Line(line()).take(sent(with_pulses(LEARNED + 300, PULSES)))
    for name, known in clean.pipeline.engine.levels.by_detector.items():
        theirs = dirty.pipeline.engine.levels.by_detector[name]
        assert theirs.peaks[0].max() <= known.peaks[0].max(), name
        assert theirs.correction[0] <= known.correction[0], name
    assert dirty.pipeline.engine.statistics.lowest[0] >= 18.0


def test_a_level_that_lasts_is_not_an_error_value() -> None:
    jumps = {place + each: 85.0 for place in range(LEARNED + 20, LEARNED + 200, 40) for each in range(6)}
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, jumps)))
    assert errors(made.events) == []


def test_values_near_each_other_are_not_error_values() -> None:
    pulses = {LEARNED + 20 + 40 * place: 85.0 + place % 2 for place in range(7)}
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, pulses)))
    assert errors(made.events) == []


def test_a_pulse_that_moves_is_not_an_error_value() -> None:
    pulses = {LEARNED + 20 + 40 * place + each: 85.0 + each for place in range(6) for each in range(2)}
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, pulses)))
    assert errors(made.events) == []


def known() -> ErrorValues:
    """A sensor with values from 18.7 to 21.3 so far; the clock is at its last reading."""
    made = ErrorValues(NoValues())
    made.grow(1)
    for place, value in enumerate(values(LEARNED)):
        look(made, value, place)
    return made


def look(made: ErrorValues, value: float, place: float) -> int:
    stands_out, before = made.stand_out(0, value, START + place * 5 * MINUTE)
    return made.look(0, value, START + place * 5 * MINUTE, before) if stands_out else ORDINARY


def test_only_the_first_reading_of_a_pulse_that_moves_is_an_outlier() -> None:
    made = known()
    assert [look(made, value, LEARNED + place) for place, value in enumerate([85.0, 84.0, 83.0])] == [
        STRANGE,
        ORDINARY,
        ORDINARY,
    ]


def test_a_value_held_for_hours_without_a_repetition_is_not_a_pulse() -> None:
    made, place = known(), float(LEARNED)
    for _ in range(5):
        assert look(made, 85.0, place) == STRANGE
        assert look(made, 20.0, place + 12) == ORDINARY
        place += 13
    assert made.found(0) == []


def test_a_value_that_is_repeated_for_a_day_is_a_real_one() -> None:
    made = known()
    for place in range(288):
        look(made, 85.0, LEARNED + place)
    look(made, 20.0, LEARNED + 288)
    assert look(made, 85.0, LEARNED + 289) == ORDINARY


def test_two_alternating_error_values_are_both_found() -> None:
    pulses = {LEARNED + 20 + 40 * place + each: (85.0, -127.0)[each] for place in range(6) for each in range(2)}
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, pulses)))
    assert made.pipeline.engine.error_values.found(0) == [-127.0, 85.0]


def test_two_error_values_in_turn_without_a_real_one_are_both_found() -> None:
    pipeline = line()
    all_values = values(LEARNED + 400)
    all_values[LEARNED + 100 : LEARNED + 140] = [-127.0, 85.0] * 20
    line_ = Line(pipeline).take(sent(all_values), 500)
    assert pipeline.engine.error_values.found(0) == [-127.0, 85.0]
    told = [each for each in line_.events if at(each) >= LEARNED + 110]
    assert [each.transition for each in told][-1] == "cleared"
    assert len(told) < 6


def test_a_found_error_value_with_neighbours_is_no_longer_one() -> None:
    pulses = {LEARNED + 20 + 40 * place: value for place, value in enumerate([85.0, 85.0, 85.0, 86.0, 85.0])}
    made = Line(line()).take(sent(with_pulses(LEARNED + 300, pulses)))
    assert errors(made.events) == []


def told(command: str, **said: str) -> Message:
    return Message(f"edgewarden/gw/command/{command}", json.dumps(said).encode(), START)


def test_the_operator_can_declare_a_found_error_value_real() -> None:
    count = max(PULSES) + 1
    made = Line(line(base="[commands]\nenabled = true\n")).take(sent(with_pulses(count, PULSES)))
    assert made.events[-1].kind == "error_value"
    step = made.pipeline.follow(told("normal", sensor=ROOM))
    assert [(each.transition, each.kind) for each in step.events] == [("expired", "error_value")]
    made.note(step).take(sent(with_pulses(count + 40, {**PULSES, count + 20: 85.0}))[count:])
    assert made.pipeline.engine.error_values.found(0) == []
    assert errors(made.events)[-1][0] == "expired"


def test_the_operator_can_not_declare_a_named_error_value_normal() -> None:
    made = Line(line("", BY_RULE, "[commands]\nenabled = true\n")).take(sent([20.0, 85.0]))
    answer = json.loads(made.pipeline.follow(told("normal", sensor=ROOM)).answers[0])
    assert (answer["ok"], answer["reason"]) == (False, "beyond_limit")


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 7, 500])
def test_error_values_are_the_same_in_any_batching(cut: int) -> None:
    messages = sent(with_pulses(LEARNED + 300, PULSES))
    some = [each._replace(topic=f"paced/{name}") for each in messages for name in "abcdefghijkl"]
    whole, pieces = Line(line(BY_INPUT)).take(some), Line(line(BY_INPUT)).take(some, cut)
    assert [each.payload for each in pieces.events] == [each.payload for each in whole.events]
    assert differing(pieces.pipeline, whole.pipeline) == []


@pytest.mark.long
@pytest.mark.parametrize("cut", [LEARNED + 21, LEARNED + 110, LEARNED + 221])
@pytest.mark.parametrize("of_input", ["", BY_INPUT], ids=["found", "named"])
def test_a_restart_changes_no_error_value(cut: int, of_input: str) -> None:
    messages = sent(with_pulses(LEARNED + 300, PULSES))
    first = Line(line(of_input)).take(messages[: cut - 5])
    saved, known = first.pipeline.save("", ""), len(first.parts)
    first.take(messages[cut - 5 : cut])
    again = revived(line(of_input), saved, first.parts[known:])
    before = len(first.events)
    first.take(messages[cut:])
    assert [each.payload for each in again.take(messages[cut:]).events[-len(first.events[before:]) :]] == [
        each.payload for each in first.events[before:]
    ]
    assert differing(again.pipeline, first.pipeline) == []


@pytest.mark.long
@pytest.mark.parametrize("begin", [LEARNED + 15, LEARNED + 93, LEARNED + 138, LEARNED + 212])
@pytest.mark.parametrize("of_input", ["", BY_INPUT], ids=["found", "named"])
def test_a_snapshot_taken_while_error_values_arrive_gives_the_same_result(begin: int, of_input: str) -> None:
    device = '[[device]]\nsensors = ["paced/**"]\nname = "all"\nwarm_up = 200\n'
    messages = sent(with_pulses(LEARNED + 300, PULSES))
    others = [each._replace(topic="paced/other") for each in sent(values(LEARNED + 300, 8))]
    both = [each for pair in zip(messages, others, strict=True) for each in pair]
    whole = Line(line(of_input, device)).take(both[: 2 * begin], 40)
    taken: list[tuple[int, list[Part]]] = []
    place = 2 * begin
    while not taken:
        began, saving = len(whole.parts), whole.pipeline.saving()
        saving.first_rows = 1
        for some in saving:
            taken.append((len(whole.parts) - began, some))
            whole.take(both[place : place + 1])
            place += 1
            if saving.is_broken:
                taken.clear()
                break
    again = revived_from(line(of_input, device), taken, whole.parts[began:])
    assert differing(again.pipeline, whole.pipeline) == []
    before = len(whole.events)
    whole.take(both[place:])
    assert again.take(both[place:]).events[-len(whole.events[before:]) :] == whole.events[before:]


def test_a_journal_alone_contains_the_error_values_named_by_inputs() -> None:
    live = Line(line(BY_INPUT)).take(sent([20.0, 85.0, 20.0, 85.0]), 2)
    again = line(BY_INPUT)
    assert [each.payload for each in again.replay(unpack(pack(live.parts)))] == [each.payload for each in live.events]


class Classes:
    """The classes of one sensor's readings, with or without further checks of those that don't stand out."""

    def __init__(self, *, checks_all: bool) -> None:
        self.values = ErrorValues(NoValues())
        self.values.grow(1)
        self.checks_all = checks_all
        self.checked = 0

    def of(self, readings: list[tuple[float, float]]) -> list[int]:
        found = []
        for time, value in readings:
            stands_out, before = self.values.stand_out(0, value, time)
            stands_out = bool(stands_out) or self.checks_all
            self.checked += stands_out
            found.append(self.values.look(0, value, time, before) if stands_out else ORDINARY)
        return found


@pytest.mark.parametrize("seed", range(20))
def test_readings_that_do_not_stand_out_would_change_nothing(seed: int) -> None:
    noise = np.random.default_rng(seed)
    numbers = np.round(noise.normal(noise.choice([0.0, 50.0], p=[0.7, 0.3]), noise.choice([0.0, 0.1, 3.0]), 2000), 1)
    pulses = noise.choice(2000, noise.integers(0, 60))
    numbers[pulses] = noise.choice([-127.0, 999.0, 130.0, 131.0], len(pulses))
    times = START + np.cumsum(noise.choice([60.0, 600.0, 7200.0], 2000, p=[0.6, 0.38, 0.02]))
    readings = list(zip(times.tolist(), numbers.tolist(), strict=True))
    quick, thorough = Classes(checks_all=False), Classes(checks_all=True)
    assert quick.of(readings) == thorough.of(readings)
    for name, array in thorough.values.arrays.items():
        assert np.array_equal(array, quick.values.arrays[name], equal_nan=True), name


@pytest.mark.parametrize("seed", range(20))
def test_sensors_learn_together_what_each_learns_alone(seed: int) -> None:
    noise, sensors = np.random.default_rng(seed), 7
    left = stood_out = 0
    together, alone = ErrorValues(NoValues()), ErrorValues(NoValues())
    for each in (together, alone):
        each.named.rule(2, [85.0])
        each.grow(sensors)
    now = np.full(sensors, START)
    for _ in range(600):
        slots = np.flatnonzero(noise.random(sensors) < 0.8)
        now[slots] += noise.choice([60.0, 600.0, 7200.0], len(slots), p=[0.8, 0.15, 0.05])
        numbers = np.round(noise.normal(20.0, 0.2, len(slots)), 1)
        numbers[noise.random(len(slots)) < 0.02] = noise.choice([85.0, 20.7, -0.0, 0.0])
        stand_out, _ = together.stand_out(slots, numbers, now[slots])
        stood_out += int(stand_out.sum())
        together.learn_near(slots, numbers, now[slots], stand_out)
        left += int(stand_out.sum())
        for row in zip(slots.tolist(), numbers.tolist(), now[slots].tolist(), stand_out.tolist(), strict=True):
            slot, value, time, is_left = row
            stands_out, before = alone.stand_out(slot, value, time)
            found = alone.look(slot, value, time, before) if stands_out else ORDINARY
            if is_left:
                assert together.look(slot, value, time, before) == found
            else:
                assert found == ORDINARY
    assert left < stood_out / 2, "most are learned together"
    for name, array in alone.arrays.items():
        assert array.tobytes() == together.arrays[name].tobytes(), name


def test_few_readings_of_the_first_day_of_a_sensor_need_further_checks() -> None:
    few = Classes(checks_all=False)
    few.of([(START + MINUTE * place, value) for place, value in enumerate(values(1440))])
    assert few.checked < 160


def test_a_device_has_no_value_where_a_sensor_sent_an_error_value() -> None:
    device = '[[device]]\nsensors = ["paced/**"]\nname = "all"\n'
    made = line(BY_INPUT, device)
    both = [
        reading(f"paced/{name}", START + place, 85.0 if name == "a" and place == 30 else 20.0 + place % 3)
        for place in range(31)
        for name in "ab"
    ]
    Line(made).take(both)
    (known,) = made.engine.devices._devices.values()
    assert np.isnan(known.values[0])
    assert known.values[1] == 20.0
