"""Sentences say what is true at that moment, and of what is wrong against what."""

from __future__ import annotations

import math

import pytest

from detectors.state import StateTable
from detectors.univariate.rate import RateOfChange
from edge.core.incidents.incident import Incident
from edge.core.incidents.sentences.pace_sentences import changes_clause
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import sentence
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion

RESTS = Opinion("states", "state", 9.0, 30.0, 28.0, math.nan, level=4.0, now=4 * 3600.0, about="rest")
OF_HOUR = Opinion("contextual", "contextual", 9.0, 6.0, 4.7, 7.7, level=4.0)
STUCK = Opinion("flatline", "flatline", 9.0, level=4.0, now=40.0, usual=8.0)
USUAL = Yardstick(low=20.0, high=30.0)


def incident_of(value: float, *opinions: Opinion, usual: Yardstick = USUAL) -> Incident:
    return Incident.from_observation(Observation(100.0, value, 4.0, list(opinions)), usual)


def said(transition: Transition, incident: Incident, value: float, opinion: Opinion | None = None) -> str:
    now = Observation(400.0, value, 4.0, [opinion] if opinion is not None else [])
    return sentence(SensorChange("pack/seal", "", transition, incident, now, opinion, opinion))


@pytest.mark.parametrize("opinion", [RESTS, OF_HOUR])
def test_a_value_that_stays_where_it_was_unusual_is_not_back_to_normal(opinion: Opinion) -> None:
    incident = incident_of(0.1, opinion)
    assert said(Transition.CLEARED, incident, 0.1) == "pack/seal is usual again for this time, at 0.1 after 5 min"
    assert said(Transition.CLEARED, incident, 6.0) == "pack/seal is back to normal at 6 after 5 min"


@pytest.mark.parametrize("other", [Opinion("states", "state", 9.0, level=4.0, about="changes"), STUCK])
def test_what_is_not_about_the_hour_does_not_end_with_it(other: Opinion) -> None:
    assert "for this time" not in said(Transition.CLEARED, incident_of(0.1, other), 0.1)
    far = Opinion("ewma", "spike", 9.0, 6.0, 5.0, 7.0, level=4.0)
    assert "for this time" not in said(Transition.CLEARED, incident_of(0.1, OF_HOUR, far), 0.1)


def test_a_sensor_that_moves_again_is_said_to_be_where_that_keeps_its_incident_open_instead_of_stuck() -> None:
    far = Opinion("ewma", "spike", 5.0, 3.0, 0.0, 5.5, level=4.0)
    incident = incident_of(0.1, STUCK)
    assert (
        said(Transition.UPDATED, incident, 6.2, far)
        == "pack/seal is still at 6.2, expected 0 to 5.5; unusual for 5 min"
    )


def test_a_level_without_a_band_is_compared_with_where_the_sensor_was_before() -> None:
    shift = Opinion("ewma", "level_shift", 9.0, level=4.0)
    outside, inside = (said(Transition.RAISED, incident_of(each, shift), each, shift) for each in (45.2, 25.0))
    assert outside == "pack/seal has shifted to 45.2; before, it was usually 20 to 30"
    assert inside == "pack/seal takes an unusual course within its usual range, now at 25"


def test_a_drift_that_another_condition_holds_open_is_compared_with_where_the_sensor_was_before() -> None:
    drift = Opinion("drift", "drift", 9.0, level=4.0, now=40.0, usual=29.0, about="an hour")
    incident = incident_of(41.0, drift)
    assert said(Transition.UPDATED, incident, 45.2) == (
        "pack/seal has drifted to 45.2; before, it was usually 20 to 30; unusual for 5 min"
    )


def test_a_step_is_compared_with_steps_that_there_were_and_not_with_the_level_at_which_one_is_surprising() -> None:
    step = Opinion("rate", "rate", 9.0, 2.0, -20.0, 24.0, level=4.0, now=31.0, usual=4.0)
    said_of = said(Transition.RAISED, incident_of(33.0, step), 33.0, step)
    assert said_of == "pack/seal has jumped by 31 to 33; steps are usually up to 4"
    often = Opinion("rate", "rate", 9.0, 2.0, -6.0, 10.0, level=4.0, now=31.0, usual=21.0)
    said_of = said(Transition.RAISED, incident_of(33.0, often), 33.0, often)
    assert said_of == "pack/seal has jumped by 31 to 33; steps are usually up to 21"


def test_a_value_that_has_left_the_side_of_its_mean_has_not_drifted_there() -> None:
    mean = Opinion("drift", "drift", 9.0, level=4.0, now=40.0, usual=31.0, about="an hour")
    away, back = (said(Transition.RAISED, incident_of(each, mean), each, mean) for each in (42.0, 12.0))
    assert away == "pack/seal has drifted to 42: its mean over an hour is 40, usually 31 at most"
    assert back == "pack/seal is at 12: its mean over an hour is still 40, usually 31 at most"


def test_the_rate_measures_the_last_step_and_the_largest_one_before() -> None:
    table = StateTable(RateOfChange(), rows=1)
    for place in range(200):
        table.update_one(0, float(place % 5 == 0) * 4.0, 60.0 * place, held=False)
    table.update_one(0, 50.0, 12_000.0, held=False)
    measured = RateOfChange().measure(table.arrays, 0)
    assert measured.now == 50.0
    assert measured.usual == pytest.approx(4.0, rel=0.1)


def test_the_pace_of_a_counter_without_a_unit_is_said_in_words() -> None:
    rises = Opinion("ewma", "spike", 9.0, 1.0, 0.5, 1.5, level=4.0)
    observation = Observation(400.0, 2.17, 4.0, [rises], per=60.0)
    change = SensorChange(
        "house/water", "", Transition.RAISED, Incident.from_observation(observation), observation, rises
    )
    assert sentence(change) == "house/water rises by 2.17 per minute, usually 0.5 to 1.5 per minute"
    assert sentence(change._replace(unit="l")) == "house/water rises by 2.17 l/min, usually 0.5 to 1.5 l/min"


def test_a_usual_change_that_nobody_could_see_is_not_shown() -> None:
    assert changes_clause("moment", 1.2e-4, 6.2e-6, "l").endswith("at least 19 times as much as usual")
    assert changes_clause("moment", 1.9, 0.1, "l").endswith("at least 19 times as much as usual (about 0.1 l)")
