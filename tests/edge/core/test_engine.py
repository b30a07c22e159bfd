from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.schema import IncidentSettings
from detectors.base import Detector, Field, Scores, State
from detectors.numeric.arrays import Floats, Slots
from detectors.parameters import parameter
from detectors.univariate.limits import Limits
from edge.core.engine import Engine
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile


@dataclass(frozen=True)
class Echo(Detector):
    """Uses the value itself as its surprise, beyond the mean of what it has learned."""

    name: ClassVar[str] = "echo"
    kind: ClassVar[str] = "spike"
    catches: ClassVar[frozenset[str]] = frozenset({"spike"})

    def layout(self) -> dict[str, Field]:
        return {"learned": Field(), "seen": Field(learned=False)}

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        state["learned"][slots] += 1
        state["seen"][slots] += 1
        return Scores(np.abs(values), np.zeros_like(values), values - 1, values + 1)


class Enduring(Echo):
    """The same for detectors that don't score a level."""

    name: ClassVar[str] = "enduring"
    endures: ClassVar[bool] = True


@dataclass(frozen=True)
class Patient(Detector):
    """Knows only how long a sensor may be silent."""

    seconds: float = parameter(10.0, "Seconds.")
    name: ClassVar[str] = "patient"
    kind: ClassVar[str] = "missing"
    catches: ClassVar[frozenset[str]] = frozenset({"silence"})

    def layout(self) -> dict[str, Field]:
        return {}

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        nothing = np.full(len(slots), np.nan)
        return Scores(nothing, nothing, nothing, nothing)

    def patience(self, state: State, slots: Slots, decades: float | Floats) -> Floats:
        return np.full(len(slots), self.seconds)


def settings_of(**keys: object) -> IncidentSettings:
    return IncidentSettings(**{"threshold": 4.0, "clear_after": 2, "adopt_after_s": 1000.0, **keys})


def engine(*detectors: Detector, **keys: object) -> Engine:
    made = Engine(lambda _: Profile(detectors or (Echo(),), settings_of(**keys)))
    made.grow(4)
    return made


def batch(*readings: tuple[int, float, float]) -> Batch:
    slots = np.array([slot for slot, _, _ in readings], dtype=np.intp)
    times = np.array([time for _, time, _ in readings], dtype=np.float64)
    values = np.array([value for _, _, value in readings], dtype=np.float64)
    return Batch(slots, values, times, np.arange(len(readings)))


def said(findings: list[IncidentChange]) -> list[tuple[int, Transition, float]]:
    return [(each.slot, each.transition, each.observation.time) for each in findings]


def test_a_surprising_reading_raises_and_calm_ones_clear() -> None:
    findings = engine().process(batch((0, 1, 0.0), (0, 2, 9.0), (0, 3, 0.0), (0, 4, 0.0)))
    assert said(findings) == [(0, Transition.RAISED, 2.0), (0, Transition.CLEARED, 4.0)]


def test_incident_changes_are_in_the_order_of_the_readings() -> None:
    findings = engine().process(batch((0, 1, 0.0), (0, 2, 9.0), (1, 3, 9.0)))
    assert said(findings) == [(0, Transition.RAISED, 2.0), (1, Transition.RAISED, 3.0)]


def test_while_an_incident_is_open_nothing_is_learned_but_the_signal_is_followed() -> None:
    made = engine()
    made.process(batch((0, 1, 0.0), (0, 2, 9.0)))
    made.process(batch((0, 3, 9.0), (0, 4, 9.0), (1, 4, 0.0)))
    table = made.members[0][0].tables[0]
    assert table.arrays["learned"][:2].tolist() == [2, 1]
    assert table.arrays["seen"][:2].tolist() == [4, 1]


def test_after_some_time_the_new_level_is_adopted_in_addition_to_earlier_ones() -> None:
    made = engine(adopt_after_s=10.0)
    findings = made.process(batch((0, 0, 0.0), (0, 1, 9.0), (0, 5, 9.0), (0, 11, 9.0)))
    assert said(findings) == [(0, Transition.RAISED, 1.0), (0, Transition.EXPIRED, 11.0)]
    assert made.members[0][0].tables[0].arrays["learned"][0] == 2
    assert made.process(batch((0, 12, 9.0), (0, 13, 9.0))) == []
    assert made.members[0][0].tables[0].arrays["learned"][0] == 4


def test_an_adopted_level_is_monitored_again_once_it_has_become_calm() -> None:
    made = engine(adopt_after_s=10.0)
    made.process(batch((0, 1, 9.0), (0, 11, 9.0)))
    findings = made.process(batch((0, 12, 9.0), (0, 13, 0.0), (0, 14, 0.0), (0, 15, 9.0)))
    assert said(findings) == [(0, Transition.RAISED, 15.0)]


def test_a_level_that_cannot_be_learned_is_raised_again_after_enough_time() -> None:
    made = engine(adopt_after_s=10.0)
    made.process(batch((0, 1, 9.0), (0, 11, 9.0)))
    findings = made.process(batch((0, 20, 9.0), (0, 21, 9.0), (0, 22, 9.0)))
    assert said(findings) == [(0, Transition.RAISED, 22.0)]


HOUR_S = 3600.0


@pytest.mark.parametrize(("age", "after"), [(2, 1.0), (10, 2.0), (240, 18.0)])
def test_the_level_of_a_young_sensor_is_adopted_after_a_sixth_of_its_life(age: int, after: float) -> None:
    made, half = engine(adopt_after_s=18 * HOUR_S), HOUR_S / 2
    usual = [(0, each * half, 0.0) for each in range(2 * age)]
    found = made.process(batch(*usual, *((0, age * HOUR_S + each * half, 9.0) for each in range(60))))
    expired = next(each for each in found if each.transition is Transition.EXPIRED)
    assert expired.observation.time - found[0].observation.time == after * HOUR_S


def test_a_condition_other_than_a_level_is_adopted_after_the_age_of_the_sensor() -> None:
    made, half = engine(Enduring(), adopt_after_s=HOUR_S), HOUR_S / 2
    usual = [(0, each * half, 0.0) for each in range(40)]
    found = made.process(batch(*usual, *((0, 20 * HOUR_S + each * half, 9.0) for each in range(60))))
    expired = next(each for each in found if each.transition is Transition.EXPIRED)
    assert expired.observation.time - found[0].observation.time == 20 * HOUR_S


def test_a_value_beyond_a_limit_of_the_operator_is_never_adopted() -> None:
    made = engine(Echo(), Limits(high=5.0), adopt_after_s=10.0)
    findings = made.process(batch((0, 1, 9.0), (0, 11, 9.0), (0, 50, 9.0), (0, 51, 0.0), (0, 52, 0.0)))
    ends = [each for each in findings if each.transition is not Transition.UPDATED]
    assert said(ends) == [(0, Transition.RAISED, 1.0), (0, Transition.CLEARED, 52.0)]


def test_several_readings_in_a_row_can_be_required() -> None:
    findings = engine(raise_after=3).process(
        batch((0, 1, 9.0), (0, 2, 9.0), (0, 3, 0.0), *[(0, t, 9.0) for t in (4, 5, 6)])
    )
    assert said(findings) == [(0, Transition.RAISED, 6.0)]


def test_a_silence_is_found_by_the_clock_of_the_other_sensors() -> None:
    made = engine(Echo(), Patient())
    others = [(1 + each % 2, 2 + each, 0.0) for each in range(11)]
    findings = made.process(batch((0, 1, 0.0), *others))
    assert said(findings) == [(0, Transition.RAISED, 11.0)]
    assert findings[0].incident.kind == "missing"


def test_a_silence_that_ends_in_the_same_batch_is_raised_and_cleared() -> None:
    made = engine(Echo(), Patient())
    findings = made.process(batch((0, 1, 0.0), (1, 12, 0.0), (0, 13, 0.0)))
    assert said(findings) == [(0, Transition.RAISED, 11.0), (0, Transition.CLEARED, 13.0)]


def test_a_silence_ends_with_any_reading_however_old_that_is() -> None:
    made = engine(Echo(), Patient())
    others = [(1 + each % 2, 2 + each, 0.0) for each in range(17)]
    findings = made.process(batch((0, 1, 0.0), *others, (0, 4, 0.0)))
    assert said(findings) == [(0, Transition.RAISED, 11.0), (0, Transition.CLEARED, 18.0)]


def test_each_doubling_of_a_silence_is_an_update_and_a_worse_severity() -> None:
    made = engine(Echo(), Patient())
    findings = made.process(batch((0, 0, 0.0), *[(1, t, 0.0) for t in range(1, 200, 5)]))
    assert [each.observation.time for each in findings] == [10.0, 20.0, 40.0, 80.0]
    assert [each.incident.severity for each in findings] == [250, 500, 750, 1000]


def test_a_tick_finds_the_same_as_the_clock_of_later_readings() -> None:
    live, replayed = engine(Echo(), Patient()), engine(Echo(), Patient())
    later = [(1, 30, 0.0), (2, 30, 0.0)]
    found = live.process(batch((0, 1, 0.0))) + live.tick(15.0) + live.process(batch(*later))
    assert said(found)[:1] == [(0, Transition.RAISED, 11.0)]
    assert said(found) == said(replayed.process(batch((0, 1, 0.0), *later)))


def test_a_slow_clock_is_not_a_silence() -> None:
    made = engine(Echo(), Patient())
    readings = [each for t in range(1, 50) for each in ((0, 1000.0 + t, 0.0), (1, float(t), 0.0))]
    assert made.process(batch(*readings)) == []


def test_an_interruption_of_the_service_is_not_a_silence() -> None:
    made = engine(Echo(), Patient())
    made.process(batch((0, 1, 0.0), (1, 2, 0.0)))
    made.absence.is_interrupted = True
    assert made.process(batch((0, 100, 0.0), (1, 101, 0.0))) == []


def test_the_raising_level_follows_from_the_budget_and_the_rate() -> None:
    keys = IncidentSettings(false_alarms_per_sensor_per_day=0.1)
    level = Profile((Echo(), Echo()), keys).level_at(np.array([60.0, 1.0, 0.001]))
    assert level == pytest.approx([np.log10(1440 * 2 / 0.1), np.log10(86400 * 2 / 0.1), np.log10(86.4e6 * 2 / 0.1)])


def test_an_incident_change_lists_the_last_readings_oldest_first() -> None:
    made = engine()
    findings = made.process(batch(*[(0, float(t), 0.0) for t in range(1, 30)], (0, 30, 9.0)))
    assert findings[0].recent == [(float(t), 0.0) for t in range(15, 30)] + [(30.0, 9.0)]


READINGS = st.lists(
    st.tuples(st.integers(0, 3), st.floats(0.01, 30.0), st.sampled_from([0.0, 1.0, 3.0, 5.0, 20.0])), max_size=60
)


@settings(max_examples=60)
@given(READINGS, st.integers(1, 20))
def test_batching_of_readings_changes_nothing(steps: list[tuple[int, float, float]], cut: int) -> None:
    times = np.cumsum([step for _, step, _ in steps]).tolist()
    readings = [(slot, time, value) for (slot, _, value), time in zip(steps, times, strict=True)]
    keys = {"adopt_after_s": 60.0, "update_s": 5.0}
    whole, pieces = engine(Echo(), Patient(), **keys), engine(Echo(), Patient(), **keys)
    at_once = whole.process(batch(*readings))
    in_pieces = [
        finding
        for start in range(0, len(readings), cut)
        for finding in pieces.process(batch(*readings[start : start + cut]))
    ]

    def essence(findings: list[IncidentChange]) -> list[object]:
        return [
            (each.slot, each.transition, each.incident, each.observation, each.clock, each.recent) for each in findings
        ]

    assert essence(at_once) == essence(in_pieces)
