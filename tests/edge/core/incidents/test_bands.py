"""The band that an event quotes is the one that was violated, and no band includes values that a sensor never had."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.bands import band_of, leading_opinion
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import sentence
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_summary import SensorSummary

UNSTEADY = "changes from one reading to the next at least 3.5 times as much as usual"


def finding(
    opinions: list[Opinion], value: float, transition: Transition = Transition.RAISED, **summary: float
) -> IncidentChange:
    observation = Observation(100.0, value, 4.0, opinions)
    incident = Incident.from_observation(observation)
    return IncidentChange(0, transition, incident, 0, observation, 100.0, [], (0, 1, 0.0, 0), SensorSummary(**summary))


def sentence_of(found: IncidentChange) -> str:
    opinion = leading_opinion(found)
    band = band_of(found, opinion)
    change = (found.transition, found.incident, found.observation)
    return sentence(SensorChange("tank", "bar", *change, band, opinion, found.summary.interval))


def quoted(found: IncidentChange) -> tuple[float, float]:
    band = band_of(found, leading_opinion(found))
    assert band is not None
    return band.lower, band.upper


def test_a_band_that_contains_the_value_is_not_quoted() -> None:
    found = finding([Opinion("contextual", "contextual", 5.0, 20.0, 10.0, 30.0)], 23.5)
    assert all(map(math.isnan, quoted(found)))
    assert sentence_of(found) == "tank is unusual for this time, at 23.5 bar, usually about 20 bar"


@pytest.mark.parametrize("value", [100.0, 101.0, 96.0])
def test_an_expected_value_that_almost_equals_the_value_is_not_quoted(value: float) -> None:
    found = finding([Opinion("contextual", "contextual", 5.0, 100.0, 60.0, 120.0)], value)
    assert sentence_of(found) == f"tank takes an unusual course, now at {value:.0f} bar"


def test_when_the_incident_has_ended_the_band_that_contains_the_value_is_quoted() -> None:
    assert quoted(finding([Opinion("ewma", "spike", 5.0, 20.0, 10.0, 30.0)], 21.5, Transition.CLEARED)) == (10.0, 30.0)


def test_the_band_belongs_to_the_condition_that_gave_the_incident_its_kind() -> None:
    opinions = [
        Opinion("ewma", "spike", 9.0, 20.0, 15.0, 25.0, level=4.0),
        Opinion("contextual", "contextual", 3.0, 40.0, 30.0, 50.0, level=2.75),
    ]
    assert quoted(finding(opinions, 28.0)) == (15.0, 25.0)


def test_no_band_extends_below_zero_where_no_reading_did() -> None:
    opinions = [Opinion("ewma", "spike", 9.0, 1.0, -5.0, 7.0)]
    assert quoted(finding(opinions, 9.0, lowest=0.0)) == (0.0, 7.0)
    assert quoted(finding(opinions, 9.0, lowest=-0.5)) == (-5.0, 7.0)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "says"),
    [
        (777.0, 0.005445, 113.34, "777 bar, expected 0 to 113 bar"),
        (485.0, 393.71, 456.94, "485 bar, expected 394 to 457 bar"),
        (10.45, 9.5949, 10.4312, "10.45 bar, expected 9.59 to 10.43 bar"),
        (60.2, 24.6212, 60.1731, "60.2 bar, expected 25 to 60 bar"),
        (60.8, 24.6212, 60.7731, "60.8 bar, expected 24.62 to 60.77 bar"),
        (-10.5, -10.1, 3.0, "-10.5 bar, expected -10.1 to 3 bar"),
        (1.0, 0.0, 0.0, "1 bar, expected 0 bar"),
    ],
)
def test_a_range_has_the_digits_that_its_width_justifies_and_never_contains_the_value(
    value: float, lower: float, upper: float, says: str
) -> None:
    assert sentence_of(finding([Opinion("ewma", "spike", 9.0, lower, lower, upper)], value)) == f"tank is at {says}"


def test_a_drift_is_described_by_the_mean_that_has_left_its_range() -> None:
    drift = Opinion("drift", "drift", 9.0, math.nan, 422.4, 1127.0, level=3.5, now=398.25, usual=421.5, about="an hour")
    usually = "its mean over an hour is 398.2, usually 421.5 bar at least"
    assert sentence_of(finding([drift], 330.0)) == f"tank has drifted to 330 bar: {usually}"


def test_a_value_within_the_rounded_band_is_shown_with_more_digits() -> None:
    found = finding([Opinion("ewma", "spike", 9.0, 40415.2, 40415.1, 40415.3)], 40415.34)
    assert sentence_of(found) == "tank is at 40415.34 bar, expected 40415.1 to 40415.3 bar"


@pytest.mark.parametrize(
    ("opinion", "interval", "says"),
    [
        (
            Opinion("flatline", "flatline", 9.0, now=200.0, usual=40.0),
            60.0,
            "tank has repeated 21.5 bar for 3.3 h, 40 min at most so far",
        ),
        (
            Opinion("flatline", "flatline", 9.0, now=200.0, usual=40.0),
            0.0,
            "tank has repeated 21.5 bar 200 times, 40 times at most so far",
        ),
        (
            Opinion("unrest", "variance", 9.0, now=2.14, usual=0.61),
            60.0,
            f"tank is unsteady, at 21.5 bar: it {UNSTEADY} (about 0.61 bar)",
        ),
        (
            Opinion("rate", "rate", 9.0, 19.4, 18.8, 20.0),
            60.0,
            "tank has jumped by 2.1 to 21.5 bar; steps are usually up to 0.6 bar",
        ),
        (
            Opinion("rate", "rate", 9.0, 23.6, 23.0, 24.2),
            60.0,
            "tank has dropped by 2.1 to 21.5 bar; steps are usually up to 0.6 bar",
        ),
        (Opinion("cusum", "level_shift", 9.0), 60.0, "tank has shifted to 21.5 bar"),
    ],
)
def test_a_condition_that_is_not_about_the_value_has_its_own_figures(
    opinion: Opinion, interval: float, says: str
) -> None:
    assert sentence_of(finding([opinion], 21.5, interval=interval)) == says


def test_an_update_describes_the_new_condition() -> None:
    place = Opinion("ewma", "spike", 9.0, 20.0, 15.0, 25.0)
    stuck = Opinion("flatline", "flatline", 6.0, level=4.0, now=40.0, usual=8.0)
    found = finding([place], 28.0, interval=60.0)
    observation = Observation(160.0, 28.0, 4.0, [place, stuck])
    found.incident.extend(observation)
    found = replace(found, transition=Transition.UPDATED, observation=observation)
    assert sentence_of(found) == "tank has repeated 28 bar for 40 min, 8 min at most so far"
    assert math.isnan(quoted(found)[0])
    found.incident.extend(later := Observation(220.0, 28.0, 4.0, [place, stuck]))
    assert sentence_of(replace(found, observation=later)) == (
        "tank has shifted to 28 bar, expected 15 to 25 bar; it has repeated 28 bar for 40 min, 8 min at most so far"
        "; unusual for 2 min"
    )


def test_an_update_reports_that_a_sensor_has_fallen_silent_whatever_else_is_wrong_with_it() -> None:
    found = finding([Opinion("ewma", "spike", 9.0, 20.0, 15.0, 25.0)], 28.0)
    silence = Observation(400.0, 28.0, 4.0, [Opinion("silence", "missing", 4.0)])
    found.incident.extend(silence)
    found = replace(found, transition=Transition.UPDATED, observation=silence)
    assert found.incident.kind == "spike"
    assert sentence_of(found) == "tank is silent; its last value was 28 bar; unusual for 5 min"
    assert band_of(found, leading_opinion(found)) is None
