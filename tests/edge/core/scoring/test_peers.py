"""A sensor that behaves unlike those of its kind is told, once, and as long as it does."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.incidents.events.event import Event
from edge.core.incidents.sentences.peer_sentences import peer_sentence
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import MachineInput
from edge.core.model.readings.messages import Message
from edge.core.persistence.snapshot import Snapshot
from edge.core.pipeline import Pipeline
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.peers.deviation import PeerDeviation
from edge.core.scoring.peers.group_medians import group_medians
from edge.core.scoring.peers.like_names import like_name, peers_of
from edge.core.scoring.peers.peers import NOBODY, Peers
from tests.edge.core.pipelines import SETTINGS, Line, detectors, differing, pipeline, reading, rule

DAY, STEP = 86_400.0, 900.0
START = 20_000 * DAY
DEAF = IncidentSettings(threshold=100.0, clear_after=2, update_s=1.0)
STRINGS = [f"paced/string{each}" for each in range(1, 7)]


def watched(peers: bool | tuple[str, ...] = True) -> Pipeline:
    usual = replace(rule(*detectors(ewma={}), settings=DEAF), peers=peers, companions=False)
    return pipeline(lambda _: usual)


def sun(
    days: float, *, seed: int = 1, lost: dict[str, tuple[float, float]] | None = None, factor: float = 0.4
) -> list[Message]:
    """Strings of a roof under clouds that all of them see; some give less between two days."""
    noise, messages = np.random.default_rng(seed), []
    for step in range(int(days * DAY / STEP)):
        time = START + step * STEP
        day = time / DAY % 1
        light = (
            max(0.0, math.sin(math.pi * (day - 0.25) / 0.5)) * (0.3 + 0.7 * noise.random())
            if 0.25 < day < 0.75
            else 0.0
        )
        for place, name in enumerate(STRINGS):
            value = (8.0 + 0.3 * place) * light * (1 + 0.01 * noise.normal())
            begin, end = (lost or {}).get(name, (math.inf, math.inf))
            value *= factor if begin <= (time - START) / DAY < end else 1.0
            messages.append(reading(name, time + 0.1 * place, round(value, 3)))
    return messages


def told(events: list[Event]) -> list[tuple[str, str, float]]:
    """Sensor and transition of each event, and its time in days."""
    return [
        (each.sensor.removeprefix("paced/"), each.transition, round((each.time - START) / DAY, 2)) for each in events
    ]


def test_a_lost_string_is_one_incident_that_the_night_does_not_end() -> None:
    line = Line(watched()).take(sun(10, lost={"paced/string3": (6.4, 8.4)}))
    assert [each[:2] for each in told(line.events)] == [("string3", "raised"), ("string3", "cleared")]
    raised, cleared = (each[2] for each in told(line.events))
    assert 6.4 < raised < 6.5
    assert 8.4 < cleared < 8.5
    data = json.loads(line.events[0].payload)["data"]
    assert (data["kind"], data["lower"], data["upper"], data["expected"]) == ("peers", None, None, None)
    assert [each["kind"] for each in data["conditions"]] == ["peers"]
    assert 260 <= data["severity"] <= 460
    assert re.search(r"gives 4\d % of what its 5 peers suggest over the last 30 min; usually 9\d", data["message"])
    assert "agrees with its 5 peers again after 2" in line.events[1].message


@pytest.mark.long
def test_what_is_lost_among_clouds_of_its_own_is_found_by_the_day() -> None:
    noise = np.random.default_rng(4)
    messages = []
    for each in sun(16, lost={"paced/string2": (12.0, 14.0)}, factor=0.3):
        said = json.loads(each.payload)
        messages.append(reading(each.topic, said["ts"], round(said["value"] * (0.5 + noise.random()), 3)))
    found = told(Line(watched()).take(messages).events)
    assert [each[:2] for each in found] == [("string2", "raised"), ("string2", "cleared")]
    assert found[0][2] == pytest.approx(13.0, abs=0.05)
    assert found[1][2] == pytest.approx(15.0, abs=0.05)


def test_a_change_of_all_is_not_an_incident_of_any() -> None:
    changes = dict.fromkeys(STRINGS, (6.4, 8.4))
    assert Line(watched()).take(sun(10, lost=changes)).events == []


def test_where_half_of_a_group_changes_nobody_is_unlike_the_others() -> None:
    changes = dict.fromkeys(STRINGS[:3], (6.4, 8.4))
    assert Line(watched()).take(sun(10, lost=changes)).events == []


def test_two_that_one_comparison_finds_are_one_incident() -> None:
    line = Line(watched()).take(sun(8, lost=dict.fromkeys(STRINGS[3:5], (6.4, 7.4))))
    raised = [each for each in line.events if each.transition == "raised"]
    assert len(raised) == 1
    last = json.loads(line.events[-1].payload)["data"]
    assert (last["transition"], last["sensors"]) == ("cleared", STRINGS[3:5])


def test_a_rule_switches_it_off_or_names_the_peers() -> None:
    lost = sun(8, lost={"paced/string3": (6.4, 8.0)})
    assert Line(watched(peers=False)).take(lost).events == []
    assert Line(watched(peers=("paced/string[12]",))).take(lost).events == []
    assert len(Line(watched(peers=("paced/string*",))).take(lost).events) == 1


def test_sensors_that_go_their_own_ways_have_no_peers() -> None:
    noise = np.random.default_rng(2)
    walk, messages = np.zeros(6), []
    for step in range(int(10 * DAY / STEP)):
        walk = 0.999 * walk + noise.normal(size=6)
        away = np.array([0, 0, 60.0 if step > 7 * DAY / STEP else 0.0, 0, 0, 0])
        values = 20 + walk + away
        messages += [
            reading(name, START + step * STEP + 0.1 * place, round(float(values[place]), 2))
            for place, name in enumerate(STRINGS)
        ]
    assert Line(watched()).take(messages).events == []


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 7, 500])
def test_comparisons_are_the_same_in_any_batching(cut: int) -> None:
    messages = sun(7.6, lost={"paced/string3": (6.4, 7.3)})
    whole, pieces = Line(watched()).take(messages), Line(watched()).take(messages, cut)
    assert len(whole.events) == 2
    assert [each.payload for each in whole.events] == [each.payload for each in pieces.events]
    assert differing(whole.pipeline, pieces.pipeline) == []


@pytest.mark.long
@pytest.mark.parametrize("after", [3.3, 6.8, 7.35])
def test_a_restart_changes_nothing(after: float) -> None:
    messages = sun(7.6, lost={"paced/string3": (6.4, 7.3)})
    cut = int(after * DAY / STEP) * len(STRINGS) + 2
    line = Line(watched()).take(messages)
    before = Line(watched()).take(messages[:cut])
    restored = Line(watched())
    assert not restored.pipeline.restore(Snapshot.from_bytes(before.pipeline.save("", ""))).components
    restored.take(messages[cut:])
    assert [each.payload for each in before.events + restored.events] == [each.payload for each in line.events]
    assert differing(line.pipeline, restored.pipeline) == []


@pytest.mark.long
def test_a_missing_state_is_learned_again_and_the_incident_ends_with_its_cause() -> None:
    messages = sun(7.6, lost={"paced/string3": (6.4, 7.3)})
    cut = int(6.8 * DAY / STEP) * len(STRINGS)
    line, before = Line(watched()).take(messages), Line(watched()).take(messages[:cut])
    saved = Snapshot.from_bytes(before.pipeline.save("", ""))
    saved = Snapshot("", "", [each for each in saved.parts if each.component != "peers"])
    restored = Line(watched())
    unlearned = restored.pipeline.restore(saved)
    assert "peers" in unlearned.components
    restored.pipeline.learn(unlearned, before.parts)
    restored.take(messages[cut:])
    assert [each.payload for each in restored.events] == [each.payload for each in line.events[1:]]
    assert differing(line.pipeline, restored.pipeline) == []


@pytest.mark.long
def test_without_a_state_the_incident_stays_open_until_the_sensor_agrees() -> None:
    messages = sun(13, lost={"paced/string3": (6.4, 7.3)})
    cut = int(6.8 * DAY / STEP) * len(STRINGS)
    before = Line(watched()).take(messages[:cut])
    saved = Snapshot.from_bytes(before.pipeline.save("", ""))
    restored = Line(watched())
    restored.pipeline.restore(Snapshot("", "", [each for each in saved.parts if each.component != "peers"]))
    restored.take(messages[cut:])
    assert [each[1] for each in told(restored.events)] in (["cleared"], ["expired"])


def test_when_the_rule_is_gone_its_incidents_end() -> None:
    messages = sun(8, lost={"paced/string3": (6.4, 9.0)})
    cut = int(6.8 * DAY / STEP) * len(STRINGS)
    before, after = Line(watched()).take(messages[:cut]), Line(watched(peers=False))
    after.pipeline.restore(Snapshot.from_bytes(before.pipeline.save("", "")))
    after.take(messages[cut:])
    assert [each[1] for each in told(after.events)] == ["expired"]


@pytest.mark.long
def test_what_lasts_becomes_normal() -> None:
    found = told(Line(watched()).take(sun(20, lost={"paced/string3": (6.4, 20.0)})).events)
    assert [each[:2] for each in found] == [("string3", "raised"), ("string3", "expired")]
    assert found[1][2] == pytest.approx(12.8, abs=0.3)


@pytest.mark.long
def test_a_sensor_that_is_declared_normal_is_learned_again() -> None:
    messages = sun(12, lost={"paced/string3": (6.4, 12.0)})
    cut = int(7 * DAY / STEP) * len(STRINGS)
    line = Line(watched()).take(messages[:cut])
    slot = line.pipeline.sensors.find("paced/string3")
    assert slot is not None
    assert line.pipeline.watch.is_adoptable(slot)
    assert [each.transition for each in line.pipeline.watch.adopt(slot, ("", ""))] == [Transition.EXPIRED]
    events = len(line.events)
    line.take(messages[cut:])
    assert told(line.events[events:]) == []


def test_what_its_detectors_find_joins_the_incident_and_leaves_it() -> None:
    found = PeerDeviation(0.4, 0.98, 1.02, True, 5, 1800.0, START, "+/s#")
    observation = Observation(START, 4.0, 4.0, [], deviation=found)
    machine = StateMachine()
    moved = machine.step(MachineInput.DIFFERS, observation, SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.RAISED
    assert (moved[1].kind, machine.learns) == ("peers", True)
    silent = machine.step(MachineInput.VALUE, Observation(START + 1, 4.0, 4.0, []), SETTINGS)
    assert silent is None
    ended = machine.step(MachineInput.AGREES, replace(observation, time=START + 9), SETTINGS)
    assert ended is not None
    assert ended[0] is Transition.CLEARED
    assert machine.is_idle


@pytest.mark.parametrize("is_share", [True, False])
def test_the_value_told_is_never_within_the_range_told(is_share: bool) -> None:
    noise = np.random.default_rng(8)
    for _ in range(500):
        low = float(noise.normal(1 if is_share else 0, 0.3))
        width = float(10 ** noise.uniform(-4, 0.3))
        beyond = width * float(1 + noise.random())
        now = low - beyond if noise.random() < 0.5 else low + width + beyond
        now = max(now, 0.0) if is_share else now
        if low <= now <= low + width or (is_share and low < 0):
            continue
        found = PeerDeviation(now, low, low + width, is_share, 5, 1800.0, START)
        observation = Observation(START, 4.0, 4.0, [], deviation=found)
        moved = StateMachine().step(MachineInput.DIFFERS, observation, SETTINGS)
        assert moved is not None
        said = peer_sentence("s", "", Transition.RAISED, moved[1], observation)
        numbers = [
            float(each)
            for each in re.findall(
                r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?", said.replace("30 min", "").replace("5 peers", "")
            )
        ]
        value = -numbers[0] if "below" in said else numbers[0]
        assert not min(numbers[1:]) <= value <= max(numbers[1:]), said


def test_medians_are_those_of_each_group() -> None:
    values = np.array([3.0, 1.0, 9.0, 2.0, 7.0, 5.0])
    medians, sizes = group_medians(values, np.array([0, 1, 0, 1, -1, 0]), 3)
    assert medians[:2].tolist() == [5.0, 1.5]
    assert np.isnan(medians[2:]).all()
    assert sizes.tolist() == [3.0, 2.0, 0.0, 0.0]


def test_names_are_alike_without_their_numbers_and_the_level_of_the_machine() -> None:
    assert like_name("roof/inv1/power") == like_name("roof/garage/power") != like_name("roof/inv1/current")
    assert like_name("T1") == like_name("T12") != like_name("T_out")
    assert peers_of("a/b/c", "", peers=False) is None
    assert peers_of("a/b/c", "W", peers=True) == "a/+/c W"
    assert peers_of("a/b/c", "W", peers=("x/*", "a/**")) == "a/**"


def test_groups_of_forgotten_sensors_take_no_memory() -> None:
    peers = Peers()
    for slot in range(3):
        peers.join(slot, "strings")
    peers.join(3, None)
    for number in range(1000):
        peers.join(4, f"guest {number}")
        assert [peers.keys[each] for each in peers.groups[[0, 1, 2, 4]]] == 3 * ["strings"] + [f"guest {number}"]
    assert peers.groups[3] == NOBODY
    assert len(peers.keys) < 50


def test_figures_of_the_last_comparison_are_not_repeated_later() -> None:
    found = PeerDeviation(0.4, 0.98, 1.02, True, 5, 86_400.0, START, "+/s#")
    machine, differs = StateMachine(), Observation(START, 4.0, 4.0, [], deviation=found)
    moved = machine.step(MachineInput.DIFFERS, differs, SETTINGS)
    assert moved is not None
    assert peer_sentence("s", "", *moved, differs).startswith("s gives 40 % of what its 5 peers suggest")
    later = Observation(START + 7 * 86_400.0, 4.0, 4.0, [])
    assert peer_sentence("s", "", Transition.UPDATED, moved[1], later) == "s still differs from its 5 peers"
    first = Observation(START + 7_200.0, 4.0, 4.0, [])
    assert peer_sentence("s", "", Transition.RAISED, moved[1], first) == "s has differed from its 5 peers for 2 h"


def test_a_sensor_whose_level_is_adopted_while_it_differs_is_said_to_be_so() -> None:
    found = PeerDeviation(0.4, 0.98, 1.02, True, 5, 86_400.0, START, "+/s#")
    machine, opinion = StateMachine(), Opinion("ewma", "level_shift", 9.0, 8.0, 7.0, 9.0, level=4.0)
    machine.step(MachineInput.EXCEEDS, Observation(START, 4.0, 4.0, [opinion]), SETTINGS)
    machine.step(MachineInput.DIFFERS, Observation(START, 4.0, 4.0, [], deviation=found), SETTINGS)
    later = Observation(START + 86_400.0, 4.0, 4.0, [opinion])
    moved = machine.step(MachineInput.ADOPTION, later, SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.UPDATED
    assert not moved[1].is_trend
    said = peer_sentence("s", "", *moved, later)
    assert said == "s still differs from its 5 peers, although its own level is taken as normal from here on"


def test_a_counter_that_becomes_a_gauge_is_not_compared_with_the_paces_of_its_peers() -> None:
    totals, messages = dict.fromkeys(STRINGS, 5_000_000.0), list[Message]()
    for each in sun(14):
        said = json.loads(each.payload)
        totals[each.topic] += 100.0 * said["value"]
        falls = each.topic == "paced/string3" and 0.45 < said["ts"] / DAY % 1 < 0.55 and said["ts"] > START + 6 * DAY
        messages.append(
            reading(
                each.topic, said["ts"], round(totals[each.topic] - 9_000.0 * (falls and said["ts"] < START + 8 * DAY))
            )
        )
    line = Line(watched()).take(messages)
    slot = line.pipeline.sensors.find("paced/string3")
    assert slot is not None
    assert line.pipeline.engine.paces.per[slot] == 0.0
    assert line.pipeline.engine.paces.per[:6].max() > 0.0
    assert [each.message for each in line.events if each.kind == "peers"] == []


def test_without_peers_nothing_of_them_is_learned_anew() -> None:
    peers = Peers()
    peers.join(0, None)
    peers.adopt(0)
    assert len(peers) == 0
