"""What an operator reads first is a fact: which value, against what; whatever else is true of the sensor follows."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.bands import band_of, leading_opinion
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import sentence
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.grids import grid_ends, places_of
from edge.core.scoring.consequence import UNKNOWN, Yardstick
from edge.core.scoring.opinions import Observation, Opinion

UNREST = Opinion("unrest", "variance", 20.0, level=4.0, now=6.1, usual=0.5)
AWAY = Opinion("ewma", "spike", 9.0, 25.0, 20.0, 30.0, level=4.0)
STEADY = Opinion("ewma", "spike", 2.0, 25.0, 20.0, 30.0, level=4.0)


def said(
    value: float,
    *opinions: Opinion,
    usual: Yardstick = UNKNOWN,
    recent: tuple[float, ...] = (),
    transition: Transition = Transition.RAISED,
    lasted: float = 0.0,
) -> str:
    """The sentence about a reading that exceeds levels, of an incident that began so long before with the same."""
    observation = Observation(100.0, value, 4.0, list(opinions))
    incident = Incident.from_observation(observation, usual)
    if lasted:
        observation = Observation(100.0 + lasted, value, 4.0, list(opinions))
        incident.extend(observation)
    found = IncidentChange(0, transition, incident, 0, observation, 100.0, [], (0, 1, 0.0, 0))
    opinion = leading_opinion(found)
    return sentence(
        SensorChange("pump", "", transition, incident, observation, band_of(found, opinion), opinion, 60.0, recent)
    )


def test_a_value_far_outside_its_range_is_told_before_that_it_is_unsteady() -> None:
    assert said(12_799.0, UNREST, AWAY) == "pump is at 12799, expected 20 to 30, and is unsteady"
    assert said(12_799.0, UNREST, AWAY, transition=Transition.UPDATED, lasted=180.0) == (
        "pump is still at 12799, expected 20 to 30; unusual for 3 min"
    )


def test_of_a_value_that_repeats_where_it_is_unusual_both_are_told() -> None:
    repeats = Opinion("flatline", "flatline", 5.0, level=4.0, now=80.0, usual=3.0)
    assert (
        said(61.0, AWAY, repeats)
        == "pump is at 61, expected 20 to 30; it has repeated 61 for 1.3 h, 3 min at most so far"
    )
    assert said(61.0, AWAY, repeats, transition=Transition.UPDATED, lasted=4_800.0) == (
        "pump is still at 61, expected 20 to 30; it has repeated 61 for 1.3 h, 3 min at most so far; unusual for 1.3 h"
    )


def test_what_is_only_unsteady_is_called_so_and_compared_with_where_it_was() -> None:
    assert said(25.0, UNREST, STEADY).startswith("pump is unsteady, at 25: it changes from one reading")
    assert said(45.0, UNREST, usual=Yardstick(low=20.0, high=30.0)).startswith(
        "pump is at 45; before, it was usually 20 to 30; it is unsteady and changes from one reading"
    )


def test_a_step_within_a_shift_is_told_as_a_step_and_its_band_is_no_expectation() -> None:
    incident = Incident.from_observation(Observation(100.0, 35.0, 4.0, [AWAY]), Yardstick(low=20.0, high=30.0))
    for time in (160.0, 220.0, 280.0):
        incident.extend(Observation(time, 35.0, 4.0, [AWAY]))
    assert incident.kind == "level_shift"
    step = Opinion("rate", "rate", 9.0, 45.0, 44.0, 46.0, level=4.0)
    change = SensorChange("pump", "", Transition.UPDATED, incident, Observation(340.0, 60.0, 4.0, [step]), step, step)
    assert sentence(change) == "pump has jumped by 15 to 60; steps are usually up to 1; unusual for 4 min"


def test_a_mean_that_has_shifted_while_the_value_goes_to_and_fro_is_told_as_one() -> None:
    shift, usual = Opinion("cusum", "level_shift", 9.0, 25.0, level=4.0), Yardstick(low=20.0, high=30.0)
    assert said(22.0, shift, usual=usual) == "pump has shifted on average, now at 22, usually about 25"
    assert said(31.0, shift, usual=usual) == "pump has shifted to 31, usually about 25"
    assert said(22.0, shift) == "pump has shifted to 22, usually about 25"


def test_an_unusual_course_is_told_only_if_nothing_else_can_be_said() -> None:
    course, usual = Opinion("contextual", "contextual", 9.0, level=4.0), Yardstick(low=20.0, high=30.0)
    drift = Opinion("drift", "drift", 5.0, level=4.0, now=28.0, usual=26.0, about="an hour")
    assert said(25.0, course, usual=usual) == "pump takes an unusual course within its usual range, now at 25"
    assert said(29.0, course, drift, usual=usual) == (
        "pump has drifted to 29: its mean over an hour is 28, usually 26 at most"
    )


@given(
    st.floats(-1e4, 1e4),
    st.floats(0.01, 1e4),
    st.floats(-1e5, 1e5),
    st.lists(st.sampled_from(["spike", "level_shift", "contextual", "variance"]), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_whatever_holds_a_value_outside_a_range_is_told_with_it_and_never_shown_within(
    lower: float, width: float, value: float, kinds: list[str], places: int
) -> None:
    value, upper = round(value, places), lower + width
    assume(value < lower or value > upper)
    opinions = [
        Opinion("some", each, 20.0 - place, level=4.0, now=6.1, usual=0.5)
        if each == "variance"
        else Opinion("some", each, 20.0 - place, lower + width / 2, lower, upper, level=4.0)
        for place, each in enumerate(kinds)
    ]
    assume(any(each != "variance" for each in kinds))
    told = said(value, *opinions, recent=(round(lower, places), round(upper, places)))
    assert "unsteady" not in told or told.endswith(", and is unsteady")
    found = re.search(r"(?:at|to) (\S+), expected (\S+?)(?: to (\S+?))?(?:, and is unsteady)?$", told)
    assert found is not None, told
    low, high = float(found[2]), float(found[3] or found[2])
    assert not low <= float(found[1]) <= high, told


@given(st.floats(-1e3, 1e3), st.floats(0.0, 1e3), st.integers(-10_000, 10_000), st.integers(0, 3))
def test_a_range_on_a_grid_has_the_values_of_the_range_and_excludes_what_the_range_excludes(
    lower: float, width: float, steps: int, places: int
) -> None:
    upper, value = lower + width, steps / 10**places
    assume(value < lower or value > upper)
    ends = grid_ends(lower, upper, value, places)
    if ends is not None:
        assert lower - 1e-9 <= ends[0] <= ends[1] <= upper + 1e-9
        assert value < ends[0] or value > ends[1]


def test_a_sensor_of_whole_values_is_compared_with_whole_values() -> None:
    fuel = Opinion("contextual", "contextual", 9.0, 69.0, 66.2, 72.8, level=4.0)
    whole, tenths = (said(66.0, fuel, recent=each) for each in ((66.0, 67.0, 67.0), (66.1, 67.4, 67.2)))
    assert whole == "pump is unusual for this time, at 66, expected 67 to 72"
    assert tenths == "pump is unusual for this time, at 66, expected 66.2 to 72.8"


@pytest.mark.parametrize("now", [0.0, 1.0])
def test_a_contact_is_not_usually_at_a_fraction(now: float) -> None:
    shift = Opinion("cusum", "level_shift", 9.0, 0.4367, level=4.0)
    told = said(now, shift, usual=Yardstick(low=0.0, high=1.0), recent=(0.0, 1.0, 0.0))
    assert told == f"pump is mostly at {now:.0f} now; usually it is at 1 for 44 % of the time"


def test_a_stop_where_a_machine_rested_before_is_not_called_repeated() -> None:
    stuck = Opinion("flatline", "flatline", 9.0, level=4.0, now=250.0, usual=70.0)
    press = Yardstick(low=0.0, high=142.0)
    assert said(0.0, stuck, usual=press) == "pump has stayed at 0 for 4.2 h, 1.2 h at most so far"
    assert said(71.0, stuck, usual=press) == "pump has repeated 71 for 4.2 h, 1.2 h at most so far"


def test_a_change_finer_than_the_sensor_can_show_is_not_quoted() -> None:
    fine = Opinion("unrest", "variance", 20.0, level=4.0, now=0.02, usual=0.00468)
    tenths, exact = (said(11.3, fine, recent=each) for each in ((11.2, 11.3, 11.1), (11.2001, 11.3127, 11.15)))
    assert tenths.endswith("at least 4.3 times as much as usual")
    assert exact.endswith("at least 4.3 times as much as usual (about 0.00468)")


def test_a_step_is_compared_with_one_that_the_sensor_can_make() -> None:
    step = Opinion("rate", "rate", 9.0, 62.0, 61.0, 63.0, level=4.0, now=5.8, usual=0.0344)
    assert said(67.8, step, recent=(62.0, 62.1, 67.8)).endswith("by 5.8 to 67.8; steps are usually up to 0.1")


def test_a_level_within_all_that_is_usual_is_said_to_be_and_quotes_no_range_that_contains_it() -> None:
    shift = Opinion("cusum", "level_shift", 9.0, math.nan, level=4.0)
    assert said(52.9, shift, usual=Yardstick(low=3.0, high=100.0)) == (
        "pump takes an unusual course within its usual range, now at 52.9"
    )


def test_places_are_those_of_all_values() -> None:
    assert places_of([1.0, 1.25, 3.5]) == 2
    assert places_of([5.0]) is None
