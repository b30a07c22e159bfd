"""No sentence quotes a range that its sensor can't have."""

from __future__ import annotations

import math

import pytest

from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.bands import band_of, leading_opinion
from edge.core.incidents.sentences.peer_sentences import peer_sentence
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.peers.deviation import PeerDeviation
from edge.core.scoring.sensors.sensor_summary import SensorSummary


def quoted(
    value: float,
    lower: float,
    upper: float,
    usual: Yardstick,
    unit: str = "",
    lowest: float = -math.inf,
    per: float = 0.0,
) -> tuple[float, float]:
    opinion = Opinion("ewma", "spike", 9.0, (lower + upper) / 2, lower, upper, level=4.0)
    observation = Observation(100.0, value, 4.0, [opinion], per=per)
    incident = Incident.from_observation(observation, usual)
    order = (0, 1, 0.0, 0)
    change = IncidentChange(
        0, Transition.RAISED, incident, 0, observation, 100.0, [], order, SensorSummary(lowest=lowest)
    )
    band = band_of(change, leading_opinion(change), unit)
    assert band is not None
    return band.lower, band.upper


@pytest.mark.parametrize(
    ("value", "usual", "unit", "band"),
    [
        (-12.0, Yardstick(0.0, 12.5), "m/s", (0.0, 40.0)),  # a wind, at a value that can't be
        (60.0, Yardstick(-3.0, 12.5), "m/s", (-9.0, 40.0)),
        (60.0, Yardstick(), "", (-9.0, 40.0)),
        (60.0, Yardstick(0.0, 1.0), "", (0.0, 1.0)),  # a switch
        (60.0, Yardstick(0.0, 30.0), "", (0.0, 40.0)),
    ],
)
def test_a_range_ends_where_the_values_of_a_sensor_do(
    value: float, usual: Yardstick, unit: str, band: tuple[float, float]
) -> None:
    assert quoted(value, -9.0, 40.0, usual, unit) == band


def test_a_share_does_not_exceed_the_whole_unless_it_did() -> None:
    assert quoted(4.0, 60.0, 130.0, Yardstick(20.0, 97.0), "%") == (60.0, 100.0)
    assert quoted(4.0, 60.0, 130.0, Yardstick(0.0, 100.0)) == (60.0, 100.0)
    assert quoted(4.0, 60.0, 130.0, Yardstick(20.0, 104.0), "%") == (60.0, 130.0)
    assert quoted(4.0, 60.0, 130.0, Yardstick(20.0, 97.0), "bar") == (60.0, 130.0)


@pytest.mark.parametrize("band", [(0.0, 5.4), (0.9, 2.5)])
def test_what_is_usual_of_a_pace_beyond_all_others_is_the_same_in_each_sentence(band: tuple[float, float]) -> None:
    lower, upper = quoted(8.7, *band, Yardstick(0.4, 4.1), per=3600.0)
    assert math.isnan(lower)
    assert upper == 4.1
    lower, upper = quoted(0.1, *band, Yardstick(0.4, 4.1), per=3600.0)
    assert lower == 0.4
    assert math.isnan(upper)
    assert quoted(3.0, 0.9, 2.5, Yardstick(0.0, 4.1), per=3600.0) == (0.9, 2.5)


def test_companions_suggest_nothing_that_a_sensor_never_had() -> None:
    deviation = PeerDeviation(
        9.0, -2.0, 1.5, is_share=False, peers=1, over_s=1800.0, since=0.0, companions=("current",)
    )
    observation = Observation(100.0, 9.0, 4.0, [], deviation=deviation)
    for usual, says in ((Yardstick(0.0, 12.0), "0 to 1.5"), (Yardstick(-1.0, 12.0), "-2 to 1.5")):
        incident = Incident.from_peers(observation, deviation, usual)
        incident.differ(observation, deviation)
        assert peer_sentence("p/flow", "", Transition.RAISED, incident, observation).endswith(f"suggests {says}")
