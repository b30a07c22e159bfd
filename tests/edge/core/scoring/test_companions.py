"""A sensor that no longer follows the others of its device is told, without any configuration."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from config.schema import IncidentSettings, ResolvedDevice
from detectors import DEVICE_DETECTORS
from edge.core.incidents.events.event import Event
from edge.core.incidents.sentences.peer_sentences import peer_sentence
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import MachineInput
from edge.core.model.readings.messages import Message
from edge.core.persistence.snapshot import Part, Snapshot
from edge.core.pipeline import Pipeline
from edge.core.scoring.opinions import Observation
from edge.core.scoring.peers.companions import MOST, Companions
from edge.core.scoring.peers.deviation import PeerDeviation
from edge.core.scoring.peers.peers import Peers
from edge.core.scoring.peers.regressions import regressions
from tests.edge.core.pipelines import SETTINGS, Line, detectors, differing, pipeline, reading, rule

DAY, STEP = 86_400.0, 900.0
START = 20_000 * DAY
DEAF = IncidentSettings(threshold=100.0, clear_after=2, update_s=1.0)
PUMP = {"temperature": (55.0, 3.0, 0.25), "pressure": (5.0, -0.35, 0.03), "current": (12.0, 1.2, 0.12)}
"""Usual value, how far it follows the load, and noise of each sensor."""
NAMES = [f"paced/pump/{each}" for each in PUMP]
PRESSURE = NAMES[1]


def watched(*, companions: bool = True, device: ResolvedDevice | None = None) -> Pipeline:
    usual = replace(rule(*detectors(ewma={}), settings=DEAF), companions=companions)
    return pipeline(lambda _: usual, device_for=lambda _: None if device is None else ("paced/pump", device))


def pump(
    days: float,
    *,
    breaks: dict[str, tuple[float, float]] | None = None,
    shift: tuple[float, float] = (math.inf, 0.0),
    begin: float = START,
) -> list[Message]:
    """A pump under a changing load, which some sensors don't follow between two days, and which rises on a day."""
    noise, messages = np.random.default_rng(3), []
    load, other = 0.0, 2.0
    for step in range(int(days * DAY / STEP)):
        time = begin + step * STEP
        day = (time - begin) / DAY
        load, other = (0.8 * each + 0.6 * float(noise.normal()) for each in (load, other))
        for place, (name, (level, follows, spread)) in enumerate(zip(NAMES, PUMP.values(), strict=True)):
            first, last = (breaks or {}).get(name, (math.inf, math.inf))
            its = other if first <= day < last else load + (shift[1] if day >= shift[0] else 0.0)
            value = level + follows * its + spread * float(noise.normal())
            messages.append(reading(name, time + 0.1 * place, round(value, 3)))
    return messages


def told(events: list[Event]) -> list[tuple[str, str]]:
    """Sensor and transition of each event."""
    return [(each.sensor.removeprefix("paced/pump/"), each.transition) for each in events]


def days_of(events: list[Event]) -> list[float]:
    return [round((each.time - START) / DAY, 2) for each in events]


BROKEN = {PRESSURE: (3.4, 4.0)}


def test_a_sensor_that_no_longer_follows_the_others_is_one_incident_until_it_does() -> None:
    line = Line(watched()).take(pump(5, breaks=BROKEN))
    assert told(line.events) == [("pressure", "raised"), ("pressure", "cleared")]
    raised, cleared = days_of(line.events)
    assert 3.4 < raised < 3.55
    assert 4.1 < cleared < 4.3
    data = json.loads(line.events[0].payload)["data"]
    assert (data["kind"], [each["kind"] for each in data["conditions"]]) == ("peers", ["peers"])
    assert 260 <= data["severity"] <= 460
    assert re.fullmatch(
        r"paced/pump/pressure no longer follows (temperature and current|current and temperature): "
        r"[\d.]+ over the last 30 min, where they suggest [\d.]+ to [\d.]+",
        data["message"],
    )
    assert re.search(r"pressure follows .* again after 1\d(\.\d)? h$", line.events[1].message)


def test_what_all_of_them_do_is_no_incident() -> None:
    assert Line(watched()).take(pump(6, shift=(4.0, 4.0))).events == []
    assert Line(watched()).take(pump(6, breaks=dict.fromkeys(NAMES, (3.4, 4.0)))).events == []


def test_it_is_switched_off_by_a_rule() -> None:
    assert Line(watched(companions=False)).take(pump(5, breaks=BROKEN)).events == []


def test_sensors_of_a_device_table_are_compared_as_well() -> None:
    table = ResolvedDevice(0, ("**",), None, (DEVICE_DETECTORS["correlation"](),), DEAF, None, {})
    line = Line(watched(device=table)).take(pump(5, breaks=BROKEN))
    assert told(line.events) == [("pressure", "raised"), ("pressure", "cleared")]


def at(messages: list[Message], name: str, begin: float, end: float, value: float) -> list[Message]:
    """The messages, with the values of one sensor between two days replaced."""
    replaced = []
    for each in messages:
        is_replaced = each.topic == name and begin <= (each.arrived - START) / DAY < end
        replaced.append(reading(name, each.arrived, value) if is_replaced else each)
    return replaced


def test_a_sensor_is_told_on_its_second_day_though_no_whole_day_has_ended() -> None:
    line = Line(watched()).take(pump(2, breaks={PRESSURE: (1.15, 1.45)}, begin=START + 0.5 * DAY))
    (raised,) = [each for each in line.events if each.transition == "raised"]
    assert raised.sensor == PRESSURE
    assert 1.65 < (raised.time - START) / DAY < 1.9


@pytest.mark.parametrize("begin", [0.25, 0.5])
def test_nothing_is_told_before_the_differences_of_a_day_are_known(begin: float) -> None:
    assert Line(watched()).take(pump(1, breaks={PRESSURE: (0.8, 0.95)}, begin=START + begin * DAY)).events == []


def test_what_a_young_device_did_in_a_fault_is_not_how_its_sensors_depend_on_each_other() -> None:
    wrong = at(pump(3, breaks={PRESSURE: (1.6, 2.0)}), PRESSURE, 0.85, 0.86, 900.0)
    line = Line(watched()).take(at(wrong, PRESSURE, 1.2, 1.24, 900.0))
    raised = [round((each.time - START) / DAY, 2) for each in line.events if each.transition == "raised"]
    assert any(1.6 < each < 1.85 for each in raised)
    assert {each.sensor for each in line.events} == {PRESSURE}


def test_sensors_that_share_the_time_of_day_alone_need_not_follow_each_other() -> None:
    noise, messages = np.random.default_rng(5), []
    for step in range(int(9 * DAY / STEP)):
        time = START + step * STEP
        day = (time - START) / DAY
        warm = math.sin(2 * math.pi * day)
        works = warm if int(day) % 7 < 5 else 0.0
        messages.append(reading("paced/room/temperature", time, round(21 + 2 * warm + 0.3 * float(noise.normal()), 2)))
        messages.append(reading("paced/room/co2", time + 0.1, round(600 + 200 * works + 60 * float(noise.normal()))))
    assert Line(watched()).take(messages).events == []


def test_names_that_have_more_in_common_than_a_device_has_sensors_are_no_device() -> None:
    companions = Companions()
    for slot in range(MOST + 1):
        companions.join(slot, f"line/sensor{slot}")
    companions.grow(MOST + 1)
    nobody = np.zeros(MOST + 1, dtype=bool)
    companions.compare(np.arange(MOST + 1.0), nobody, nobody)
    assert not any(companions.is_known(slot) for slot in range(MOST + 1))
    companions.join(MOST, None)
    companions.compare(np.arange(MOST + 1.0), nobody, nobody)
    assert [companions.is_known(slot) for slot in range(MOST + 1)] == MOST * [True] + [False]


@pytest.mark.parametrize("name", ["temperature", "", "/temperature"])
def test_a_name_without_a_level_before_its_last_shows_no_device(name: str) -> None:
    companions = Companions()
    companions.join(0, name)
    companions.join(1, name + "2")
    assert not companions.is_used


def test_a_sensor_is_not_judged_by_others_where_they_have_never_been() -> None:
    messages = []
    for each in pump(6):
        said = json.loads(each.payload)
        runs_away = each.topic != PRESSURE and said["ts"] > START + 4.5 * DAY
        messages.append(reading(each.topic, said["ts"], said["value"] * (1.8 if runs_away else 1.0)))
    events = Line(watched()).take(messages).events
    assert [each for each in told(events) if each[0] == "pressure"] == []


def test_a_device_that_gets_another_sensor_is_learned_anew() -> None:
    messages = pump(5, breaks=BROKEN)
    late = [reading("paced/pump/level", START + 3.2 * DAY + k * STEP, 7.0 + k % 3) for k in range(170)]
    joined = sorted(messages + late, key=lambda each: json.loads(each.payload)["ts"])
    line, pieces = Line(watched()).take(joined), Line(watched()).take(joined, 40)
    assert line.events == pieces.events == []
    assert differing(line.pipeline, pieces.pipeline) == []


@pytest.mark.long
def test_what_lasts_becomes_normal() -> None:
    line = Line(watched()).take(pump(9, breaks={PRESSURE: (3.4, 9.0)}))
    assert told(line.events) == [("pressure", "raised"), ("pressure", "expired")]
    assert days_of(line.events)[1] == pytest.approx(6.9, abs=0.3)
    assert "hasn't followed" in line.events[1].message


def test_when_the_rule_is_gone_its_incidents_end() -> None:
    messages = pump(5, breaks=BROKEN)
    cut = int(3.8 * DAY / STEP) * len(NAMES)
    before, after = Line(watched()).take(messages[:cut]), Line(watched(companions=False))
    after.pipeline.restore(Snapshot.from_bytes(before.pipeline.save("", "")))
    after.take(messages[cut:])
    assert [each[1] for each in told(after.events)] == ["expired"]


@pytest.mark.parametrize("cut", [1, 7, 500])
def test_comparisons_are_the_same_in_any_batching(cut: int) -> None:
    messages = pump(4.4, breaks=BROKEN)
    whole, pieces = Line(watched()).take(messages), Line(watched()).take(messages, cut)
    assert len(whole.events) == 2
    assert [each.payload for each in whole.events] == [each.payload for each in pieces.events]
    assert differing(whole.pipeline, pieces.pipeline) == []


@pytest.mark.parametrize("after", [0.6, 2.3, 3.7])
def test_a_restart_changes_nothing(after: float) -> None:
    messages = pump(4.2, breaks=BROKEN)
    cut = int(after * DAY / STEP) * len(NAMES) + 2
    line = Line(watched()).take(messages)
    before, restored = Line(watched()).take(messages[:cut]), Line(watched())
    assert not restored.pipeline.restore(Snapshot.from_bytes(before.pipeline.save("", ""))).components
    restored.take(messages[cut:])
    assert [each.payload for each in before.events + restored.events] == [each.payload for each in line.events]
    assert differing(line.pipeline, restored.pipeline) == []


def test_a_state_of_before_them_is_loaded_and_they_are_new() -> None:
    messages = pump(8, breaks={PRESSURE: (6.4, 7.0)})
    cut = int(3.0 * DAY / STEP) * len(NAMES)
    before = Line(watched(companions=False)).take(messages[:cut])
    after = Line(watched())
    unlearned = after.pipeline.restore(Snapshot.from_bytes(before.pipeline.save("", "")))
    assert not unlearned.components
    after.take(messages[cut:])
    assert told(after.events) == [("pressure", "raised"), ("pressure", "cleared")]


def test_a_missing_state_is_learned_again_from_the_journal() -> None:
    messages = pump(5, breaks=BROKEN)
    cut = int(3.2 * DAY / STEP) * len(NAMES)
    line, before = Line(watched()).take(messages), Line(watched()).take(messages[:cut])
    saved: list[Part] = Snapshot.from_bytes(before.pipeline.save("", "")).parts
    restored = Line(watched())
    unlearned = restored.pipeline.restore(Snapshot("", "", [each for each in saved if each.component != "peers"]))
    restored.pipeline.learn(unlearned, before.parts)
    restored.take(messages[cut:])
    assert [each.payload for each in restored.events] == [each.payload for each in line.events]
    assert differing(line.pipeline, restored.pipeline) == []


def test_the_value_told_is_never_within_the_range_told_and_a_lone_companion_is_told_as_one() -> None:
    for companions, words in ((("flow",), "flow: "), (("flow", "power", "speed"), "flow, power and speed: ")):
        found = PeerDeviation(5.211, 5.175, 5.2109, False, 3, 1800.0, START, "a/", companions)
        observation = Observation(START, 4.0, 4.0, [], deviation=found)
        moved = StateMachine().step(MachineInput.DIFFERS, observation, SETTINGS)
        assert moved is not None
        said = peer_sentence("a/s", "bar", *moved, observation)
        assert said.startswith(f"a/s no longer follows {words}5.211 bar over the last 30 min, where ")
        value, lower, upper = (float(each) for each in re.findall(r"\d+\.\d+", said))
        assert not lower <= value <= upper
        later = Observation(START + DAY, 4.0, 4.0, [])
        assert peer_sentence("a/s", "bar", Transition.UPDATED, moved[1], later).startswith(
            "a/s still doesn't follow flow"
        )
        assert peer_sentence("a/s", "bar", Transition.RAISED, moved[1], later).startswith("a/s hasn't followed flow")


def test_the_pace_of_a_counter_is_told_in_its_unit() -> None:
    found = PeerDeviation(5.0, 1.0, 2.0, False, 1, 1800.0, START, "a/", ("power",), 3600.0)
    observation = Observation(START, 4.0, 4.0, [], deviation=found)
    moved = StateMachine().step(MachineInput.DIFFERS, observation, SETTINGS)
    assert moved is not None
    assert "5 kWh/h over the last 30 min, where that suggests 1 to 2 kWh/h" in peer_sentence(
        "a/s", "kWh", *moved, observation
    )


def test_a_regression_is_that_of_least_squares() -> None:
    noise = np.random.default_rng(1)
    values = noise.normal(size=(4000, 3)) @ np.array([[1.0, 0.6, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    values -= values.mean(axis=0)
    found = regressions((values.T @ values / len(values))[None], np.ones((1, 3), dtype=bool))
    for sensor in range(3):
        others = [each for each in range(3) if each != sensor]
        weights = np.linalg.lstsq(values[:, others], values[:, sensor], rcond=None)[0]
        away = found.differences(values[:5])[:, sensor]
        assert away == pytest.approx(values[:5, sensor] - values[:5][:, others] @ weights, abs=0.05)


def test_sensors_that_do_not_vary_or_say_the_same_do_not_end_the_service() -> None:
    same = np.array([[[4.0, 4.0, 0.0], [4.0, 4.0, 0.0], [0.0, 0.0, 0.0]]])
    found = regressions(same, np.ones((1, 3), dtype=bool))
    assert found.used.tolist() == [[True, True, False]]
    assert found.differences(np.array([[2.0, 2.0, 1.0]]))[0, :2] == pytest.approx([0.0, 0.0], abs=0.05)
    contradictory = np.array([[[1.0, 1.0, -1.0], [1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]]])
    assert np.isfinite(regressions(contradictory, np.ones((1, 3), dtype=bool)).matrix).all()


BURST = range(12 * 48 + 26, 12 * 48 + 32)
"""Half hours in which a pipe is broken."""


def garden(*, is_known: bool) -> list[float]:
    """After how many days the pressure of a garden is told not to follow its flow, which waters each morning.

    Args:
        is_known: Whether the broken pipe is an incident while it is.
    """
    peers, noise, nobody = Peers(), np.random.default_rng(5), np.zeros(2, dtype=bool)
    for slot, name in enumerate(("garden/flow", "garden/pressure")):
        peers.accompany(slot, name)
    peers.readings_before_end(np.array([START]))
    found = list[float]()
    for step in range(1, 18 * 48):
        hour = (step - 1) % 48 / 2
        flow = 46.0 if step in BURST else 17.0 + 6.0 * noise.random() if 4 <= hour < 6 else 3.0 * noise.random()
        pressure = 3.6 - (0.04 if step in BURST else 0.011) * flow + noise.normal(0.0, 0.01)
        peers.take(np.arange(2), np.array([flow, pressure]), np.full(2, START + step * 1800.0 - 900.0))
        verdicts = peers.compare(START + step * 1800.0, nobody, np.full(2, is_known and step in BURST))
        found += [step / 48 for each in verdicts if each.news.name == "DIFFERS"]
    return found


def test_what_a_fault_does_to_a_device_is_not_how_its_sensors_depend_on_each_other() -> None:
    assert [each for each in garden(is_known=False) if each > 13]
    assert not [each for each in garden(is_known=True) if each > 13]


@pytest.mark.parametrize("times", [1.0, 1000.0])
def test_a_sensor_is_not_judged_by_one_that_hardly_counts_and_is_a_thousand_times_as_far_as_ever(times: float) -> None:
    noise, companions = np.random.default_rng(8), Companions()
    companions.grow(3)
    for slot, name in enumerate(("room/temperature", "room/humidity", "room/co2")):
        companions.join(slot, name)
    calm, told = np.zeros(3, dtype=bool), []
    for step in range(6 * 48):
        common = float(noise.normal())
        means = 21.0 + common, 45.0 - 4.0 * common, 450.0 + 8.0 * common + 25.0 * float(noise.normal())
        values = np.array(means) + 0.05 * noise.normal(size=3)
        values[2] *= times if step >= 5 * 48 else 1.0
        found = companions.compare(values, calm, calm)
        told += [step] if found.differs[:2].any() else []
        if step % 48 == 47:
            companions.end_day()
    assert companions.together[0] > 0
    assert not told
