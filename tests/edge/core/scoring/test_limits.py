"""A limit set by the operator is always reported, and ends when the value is back, whatever else is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.schema import IncidentSettings
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import State
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from tests.edge.core.pipelines import START, Line, detectors, differing, pipeline, reading, revived, rule

LOW, HIGH, CRITICAL, DEADBAND = 0.0, 20.0, 24.0, 1.0
LIMITS = {"low": LOW, "high": HIGH, "high_critical": CRITICAL, "deadband": DEADBAND}
LEARNING: dict[str, dict[str, float]] = {"silence": {}, "rate": {}, "ewma": {"memory": 10.0}, "flatline": {}}
NAMES = {"low": "limit of 0 Cel", "high": " limit of 20 Cel", "high_critical": "critical limit of 24 Cel"}
TANK, OTHER = "paced/tank", "paced/other"


def watched(of: dict[str, dict[str, float]] | None = None, **keys: Any) -> Pipeline:
    """A tank with limits, and a sensor without, whose readings let time pass."""
    made = IncidentSettings(**{"threshold": 4.0, "clear_after": 3, "update_s": 1e4, "adopt_after_s": 60.0, **keys})
    tank = rule(*detectors(**(of or {**LEARNING, "limits": LIMITS})), settings=made)
    rules = {TANK: replace(tank, unit="Cel"), OTHER: rule(*detectors(ewma={}), settings=made)}
    return pipeline(rules.__getitem__)


def command(name: str, /, **fields: Any) -> Message:
    return Message(f"edgewarden/command/{name}", json.dumps(fields).encode(), START)


class Tank(Line):
    """A pipeline with a tank whose readings arrive every second, one per step."""

    def __init__(self, made: Pipeline) -> None:
        super().__init__(made)
        self.time = START

    def value(self, *values: float) -> Tank:
        for value in values:
            self.time += 1.0
            self.take([reading(TANK, self.time, value)])
        return self

    def usual(self, count: int) -> Tank:
        return self.value(*(10.0 + each * 7 % 5 / 10 for each in range(count)))

    def pause(self, seconds: int) -> Tank:
        for _ in range(seconds):
            self.time += 1.0
            self.take([reading(OTHER, self.time, 10.0 + self.time * 7 % 5 / 10)])
        return self

    def tell(self, name: str, **fields: Any) -> dict[str, Any]:
        answers = []
        for step, _ in self.pipeline.steps([command(name, **fields)]):
            self.note(step)
            answers += step.answers
        answer: dict[str, Any] = json.loads(answers[0])
        return answer

    @property
    def tracker(self) -> StateMachine | None:
        return self.pipeline.engine.trackers.get(self.pipeline.sensors.names.index(TANK))

    @property
    def state(self) -> State:
        tracker = self.tracker
        return State.NORMAL if tracker is None else tracker.state

    def data(self) -> list[dict[str, Any]]:
        """The events of the tank."""
        return [json.loads(each.payload)["data"] for each in self.events if each.sensor == TANK]

    def transitions(self) -> list[tuple[str, str]]:
        return [(each["transition"], each["kind"]) for each in self.data()]


def tank(**keys: Any) -> Tank:
    return Tank(watched(**keys)).usual(100)


def opened() -> Tank:
    line = tank().value(16.0, 16.0)
    assert line.state is State.OPEN
    return line


def calming() -> Tank:
    line = opened().value(10.2, 10.2)
    assert line.state is State.CALMING
    return line


def silent() -> Tank:
    line = tank().pause(30)
    assert line.state is State.SILENT
    return line


def adopting() -> Tank:
    line = tank().value(*[16.0 if each % 2 else 4.0 for each in range(70)])
    assert line.state is State.ADOPTING
    assert line.transitions()[-1] == ("expired", "variance")
    return line


def declared_normal() -> Tank:
    line = opened()
    assert line.tell("normal", sensor=TANK)["ok"]
    assert line.state is State.ADOPTING
    return line


def new() -> Tank:
    return Tank(watched())


@pytest.mark.parametrize("begin", [new, tank, opened, calming, silent, adopting, declared_normal])
def test_in_any_state_both_limits_are_reported_immediately_and_so_is_their_end(begin: Any) -> None:
    line = begin()
    line.value(21.0)
    assert line.data()[-1]["kind"] == "range"
    assert line.data()[-1]["message"] == f"{TANK} is above its limit of 20 Cel, at 21 Cel"
    assert (line.data()[-1]["lower"], line.data()[-1]["upper"]) == (0.0, 20.0)
    severity = line.data()[-1]["severity"]
    assert severity > 500
    line.value(25.0)
    assert line.data()[-1]["message"] == f"{TANK} is above its critical limit of 24 Cel, at 25 Cel"
    assert line.data()[-1]["severity"] == 1000 > 250 + severity / 10
    line.usual(3)
    assert "is back within its critical limit of 24 Cel" in line.data()[-1]["message"]
    assert "limits" not in {each["name"] for each in line.data()[-1]["detectors"]} or not line.data()[-1]["active"]
    line.usual(100)
    assert line.transitions()[-1][0] == "cleared"


def test_a_learned_condition_that_joins_a_broken_limit_is_described_beside_it() -> None:
    line = tank().value(21.0).value(*[21.0 + each % 3 / 10 for each in range(30)]).value(*[21.5] * 60)
    said = [each["message"] for each in line.data()]
    assert any(
        " is still above its limit of 20 Cel, at 21.5 Cel; it has repeated 21.5 Cel for " in each for each in said
    )


def test_a_value_beyond_a_limit_is_never_adopted_as_normal() -> None:
    line = tank(update_s=0.0).value(*[21.0 + each % 3 for each in range(500)])
    assert line.transitions()[0] == ("raised", "range")
    assert {each for each, _ in line.transitions()} == {"raised", "updated"}
    line.usual(10)
    assert line.transitions()[-1][0] == "cleared"
    assert "expired" not in {each for each, _ in line.transitions()}


def test_a_learned_condition_is_adopted_after_its_time_if_no_limit_is_broken() -> None:
    line = tank().value(*[21.0] * 100).value(*[16.0] * 3)
    assert line.transitions()[-1] == ("updated", "level_shift")
    assert line.data()[-1]["message"].startswith(f"{TANK} is back within its limit of 20 Cel, at 16 Cel; expected ")
    line.value(*(16.0 + each % 2 / 10 for each in range(55)))  # not stuck, since that would be adopted much later
    assert line.transitions()[-1] == ("updated", "level_shift")
    line.value(*(16.0 + each % 2 / 10 for each in range(10)))
    assert line.transitions()[-1] == ("expired", "level_shift")


def test_while_a_limit_is_broken_nothing_is_learned() -> None:
    line = tank().value(21.0)
    ewma = next(each for each in line.pipeline.engine.members[0][0].tables if each.detector.name == "ewma")
    learned = {name: ewma.arrays[name][0].tolist() for name, each in ewma.fields.items() if each.learned}
    line.value(*[21.0] * 200)
    assert {name: ewma.arrays[name][0].tolist() for name in learned} == learned


def test_learned_conditions_need_their_readings_in_a_row_despite_a_limit() -> None:
    limits = {"limits": {"high": 10.3}, "ewma": {"memory": 10.0}}
    line = Tank(watched(limits, raise_after=2)).usual(100).value(10.4, 10.4)
    assert line.transitions() == [("raised", "range")]
    line.value(16.0)
    assert line.state is State.NORMAL
    line.value(16.0)
    assert line.state is State.OPEN


def test_no_threshold_is_too_high_for_a_limit() -> None:
    line = tank(threshold=100.0).value(21.0)
    assert line.transitions() == [("raised", "range")]


def test_a_limit_that_is_the_only_open_condition_can_not_be_declared_normal() -> None:
    line = Tank(watched({"limits": LIMITS})).value(21.0)
    answer = line.tell("normal", sensor=TANK)
    assert (answer["ok"], answer["reason"]) == (False, "beyond_limit")
    assert line.transitions() == [("raised", "range")]
    line.value(10.0, 10.0, 10.0)
    assert line.transitions()[-1] == ("cleared", "range")
    assert line.data()[-1]["message"] == f"{TANK} is back within its limit of 20 Cel, at 10 Cel, after 3 s"


def test_learned_conditions_can_be_declared_normal_and_the_limit_stays_open() -> None:
    line = opened().value(21.0, 21.0)
    answer = line.tell("normal", sensor=TANK, by="Ada")
    assert (answer["ok"], answer["message"]) == (True, "1 taken as normal; 1 stay open, as the configuration says")
    assert line.transitions()[-1] == ("updated", "range")
    assert line.data()[-1]["by"] == "Ada"
    assert line.data()[-1]["message"] == f"{TANK} is still above its limit of 20 Cel, at 21 Cel"
    line.usual(3)
    assert line.transitions()[-1] == ("cleared", "range")


def test_a_limit_that_is_broken_after_an_acknowledgement_is_not_acknowledged() -> None:
    line = opened()
    line.tell("acknowledge", sensor=TANK)
    assert line.data()[-1]["acknowledged"]
    line.value(21.0)
    assert not line.data()[-1]["acknowledged"]


def test_a_shelved_sensor_is_quiet_and_its_limit_is_reported_when_the_shelf_ends() -> None:
    line = opened()
    line.tell("shelve", sensor=TANK, until=datetime.fromtimestamp(line.time + 5.0, UTC).isoformat())
    said = line.transitions()
    line.value(21.0, 21.0, 21.0)
    assert line.transitions() == said
    line.value(22.0, 22.0)
    assert line.transitions()[-1] == ("unshelved", "range")
    assert line.data()[-1]["message"].endswith(", at 22 Cel, above its limit of 20 Cel")


def test_a_limit_that_was_met_again_before_the_shelf_ended_is_not_reported() -> None:
    line = tank()
    line.tell("shelve", sensor=TANK, until=datetime.fromtimestamp(line.time + 50.0, UTC).isoformat())
    line.value(21.0).usual(60)
    assert line.transitions() == []


def test_a_value_that_oscillates_around_a_limit_with_a_deadband_is_one_incident() -> None:
    line = Tank(watched({"limits": LIMITS})).value(*[20.2 if each % 7 else 19.3 for each in range(300)])
    assert line.transitions() == [("raised", "range")]


def test_a_value_that_oscillates_without_a_deadband_is_reported_only_as_often_as_its_counts_allow() -> None:
    line = Tank(watched({"limits": {"high": HIGH}}, clear_after=5))
    line.value(*[20.2 if each % 5 == 0 else 19.8 for each in range(300)])
    assert line.transitions() == [("raised", "range")]


def test_a_value_close_to_its_limit_is_shown_with_enough_digits() -> None:
    line = Tank(watched({"limits": LIMITS})).value(20.00001)
    assert line.data()[-1]["message"].endswith("above its limit of 20 Cel, at 20.00001 Cel")


def test_a_value_of_any_size_is_beyond_its_limit_and_hides_no_other() -> None:
    limited = rule(*detectors(limits=LIMITS))
    line = Line(pipeline(lambda _: limited))
    values = {f"paced/{each}": 1e200 if each % 3 == 0 else 25.0 for each in range(40)}
    line.take([reading(name, START, value) for name, value in values.items()])
    assert {each.sensor for each in line.events} == set(values)


def test_a_rate_limit_is_reported_during_an_open_incident_and_cleared_when_it_is_met() -> None:
    line = Tank(watched({"ewma": {"memory": 10.0}, "rate": {"most_per_s": 5.0}})).usual(100).value(14.0, 14.0)
    assert line.data()[-1]["active"]
    assert "rate" not in {kind for _, kind in line.transitions()}
    line.value(20.0)
    assert line.transitions()[-1] == ("updated", "rate")
    assert line.data()[-1]["message"] == f"{TANK} changes faster than its limit of 5 Cel/s, now at 20 Cel"
    line.value(20.0, 20.0, 20.0)
    assert line.transitions()[-1] == ("updated", "level_shift")
    assert line.data()[-1]["message"].startswith(f"{TANK} is back within its limit of 5 Cel/s, at 20 Cel; expected ")


def test_a_limit_that_was_removed_from_the_configuration_ends_its_incident() -> None:
    line = Tank(watched({"limits": LIMITS})).value(21.0)
    without = Tank(watched({"ewma": {}}))
    again = revived(without.pipeline, line.pipeline.save("", ""), [])
    again.take([reading(TANK, line.time + each, 21.0) for each in range(1, 4)])
    assert [each.transition for each in again.events] == ["cleared"]


@dataclass
class Naive:
    """The limits to report, by simple counting."""

    raise_after: int
    clear_after: int
    broken: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(NAMES, False))
    runs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    calm: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    holds: set[str] = field(default_factory=set)

    def take(self, value: float) -> None:
        for name, excess in (("low", LOW - value), ("high", value - HIGH), ("high_critical", value - CRITICAL)):
            self.broken[name] = excess > (-DEADBAND if self.broken[name] else 0.0)
            self.runs[name] = self.runs[name] + 1 if self.broken[name] else 0
            self.calm[name] = 0 if self.broken[name] else self.calm[name] + 1
            if self.runs[name] >= self.raise_after and excess > 0:
                self.holds.add(name)
            if self.calm[name] >= self.clear_after:
                self.holds.discard(name)


VALUES = st.sampled_from([-5.0, -0.5, 0.5, 4.0, 10.0, 16.0, 19.5, 20.5, 23.5, 24.5, 30.0])
ACTIONS = st.one_of(
    st.tuples(st.just("values"), VALUES, st.integers(1, 6)),
    st.tuples(st.just("values"), VALUES, st.integers(40, 80)),
    st.tuples(st.just("usual"), st.integers(1, 30)),
    st.tuples(st.just("pause"), st.integers(5, 40)),
    st.tuples(st.sampled_from(["normal", "acknowledge", "shelve", "unshelve", "restart"])),
)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.lists(ACTIONS, max_size=14), st.integers(1, 3), st.integers(1, 4), st.booleans())
@example(  # a silence while only a limit holds the incident open
    actions=[("values", 0.5, 40), ("values", 20.5, 2), ("pause", 5), ("values", -5.0, 1), ("usual", 1)],
    raise_after=2,
    clear_after=2,
    known=False,
)
def test_in_any_sequence_exactly_the_broken_limits_are_reported(
    actions: list[tuple[Any, ...]], raise_after: int, clear_after: int, known: bool
) -> None:
    keys = {"raise_after": raise_after, "clear_after": clear_after, "adopt_after_s": 30.0}
    line, naive, is_shelved = Tank(watched(**keys)), Naive(raise_after, clear_after), False
    usual = [10.0 + each * 7 % 5 / 10 for each in range(100)]
    for action, *given_ in [*([("usual", 100)] if known else []), *actions]:
        if action in {"values", "usual"}:
            values = [given_[0]] * given_[1] if action == "values" else usual[: given_[0]]
            for value in values:
                before, holds = len(line.events), set(naive.holds)
                naive.take(value)
                line.value(value)
                check(line, naive, holds, before, value, is_shelved=is_shelved)
        elif action == "pause":
            line.pause(given_[0])
        elif action == "restart":
            again = Tank(watched(**keys))
            again.pipeline = revived(again.pipeline, line.pipeline.save("", ""), []).pipeline
            assert differing(again.pipeline, line.pipeline) == []
            again.time, again.events = line.time, line.events
            line = again
        else:
            said = {"until": "366d"} if action == "shelve" else {}
            line.tell(action, sensor=TANK, **said)
            is_shelved = {"shelve": True, "unshelve": False}.get(action, is_shelved)
            if action == "unshelve" and naive.holds:
                assert line.data()[-1]["active"]
    for each in line.data():
        assert each["transition"] != "expired" or "limits" not in {by["name"] for by in each["detectors"]}


def check(line: Tank, naive: Naive, before: set[str], events: int, value: float, *, is_shelved: bool) -> None:
    tracker = line.tracker
    incident = None if tracker is None else tracker.incident
    assert {each.removeprefix("limits.") for each in (incident.limits if incident else {})} == naive.holds
    assert (incident is not None and incident.kind == "range") == bool(naive.holds)
    if is_shelved:
        return
    last = line.data()[-1] if line.data() else {"active": False, "kind": "", "detectors": []}
    agree = {each["name"] for each in last["detectors"]}
    assert (last["active"] and last["kind"] == "range" and "limits" in agree) == bool(naive.holds)
    said = [json.loads(each.payload)["data"] for each in line.events[events:] if each.sensor == TANK]
    if naive.holds - before:
        worst = max(naive.holds & {each for each in naive.holds if naive.broken[each]}, key=list(NAMES).index)
        assert said[-1]["transition"] in {"raised", "updated"}
        assert said[-1]["value"] == value
        assert NAMES[worst] in said[-1]["message"] or naive.holds - before != {worst}
    if before and not naive.holds:
        assert said[-1]["transition"] == ("updated" if incident else "cleared")


def test_batching_changes_nothing_in_the_reports_about_limits() -> None:
    rng = np.random.default_rng(3)
    values = 10.0 + 8.0 * np.sin(np.arange(400) / 30.0) + rng.normal(size=400) * 3.0
    messages = [reading(TANK, START + each, float(value)) for each, value in enumerate(values)]
    whole, pieces = Line(watched()).take(messages), Line(watched()).take(messages, cut=7)
    assert [each.payload for each in whole.events] == [each.payload for each in pieces.events]
    assert {"range"} <= {each.kind for each in whole.events}
