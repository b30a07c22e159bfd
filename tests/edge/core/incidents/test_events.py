from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.incidents.events.event import event_json_schema, incident_id, severity_name, timestamp
from edge.core.incidents.events.reporting import Reporter
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.topics import Topics
from edge.core.model.sensors.sensors import SensorFacts
from edge.core.scoring.opinions import Observation, Opinion

FACTS = SensorFacts("plant1/pump3/vibration", "plant1/pump3/vibration", "mm/s", {"device": "plant1/pump3"})


def finding(transition: Transition = Transition.RAISED, **keys: object) -> IncidentChange:
    opinions = [
        Opinion("cusum", "level_shift", 7.1, 2.1, 0.4, 3.9),
        Opinion("ewma", "spike", 5.0, 2.0, 0.0, 4.0),
        Opinion("seasonal", "contextual", 1.0, 2.0, 0.0, 4.0),
    ]
    observation = Observation(1_700_000_000.25, 9.7, 4.0, opinions)
    incident = Incident.from_observation(observation)
    number = incident.publish(observation.time)
    recent = [(1_699_999_940.25, 2.0), (1_700_000_000.25, 9.7)]
    made = IncidentChange(0, transition, incident, number, observation, 1_700_000_000.3, recent, (0, 1, 0.0, 0))
    for name, value in keys.items():
        setattr(made, name, value)
    return made


def reporter(last_sequence: int = 0) -> Reporter:
    made = Reporter("gw-17", Topics("edgewarden/gw-17"), lambda _: FACTS)
    made.last_sequence = last_sequence
    return made


def test_an_event_is_a_cloud_event_with_the_incident_as_its_data() -> None:
    event = reporter(41).report(finding())
    payload = json.loads(event.payload)
    identity = incident_id("gw-17", FACTS.name, 1_700_000_000.25)
    assert payload["specversion"] == "1.0"
    assert payload["id"] == event.id == f"{identity}-0-raised"
    assert payload["type"] == "io.edgewarden.incident.raised.v1"
    assert payload["source"] == "/edgewarden/gw-17"
    assert payload["subject"] == payload["partitionkey"] == "plant1/pump3/vibration"
    assert payload["time"] == "2023-11-14T22:13:20.250Z"
    assert payload["sequence"] == "00000000000000000042"
    assert (payload["severitytext"], payload["severitynumber"]) == ("WARN", 13)
    data = payload["data"]
    assert data["incident"] == payload["correlationid"] == identity
    assert (data["active"], data["kind"], data["severity"]) == (True, "level_shift", 389)
    assert (data["expected"], data["lower"], data["upper"]) == (2.1, 0.4, 3.9)
    assert [each["name"] for each in data["detectors"]] == ["cusum", "ewma"]
    assert data["recent"][-1] == ["2023-11-14T22:13:20.250Z", 9.7]
    assert data["message"] == "plant1/pump3/vibration has shifted to 9.7 mm/s, expected 0.4 to 3.9 mm/s"
    assert event.topic == "edgewarden/gw-17/anomaly/plant1/pump3/vibration"


@pytest.mark.parametrize("transition", list(Transition))
def test_every_transition_matches_the_published_schema(transition: Transition) -> None:
    payload = json.loads(reporter().report(finding(transition)).payload)
    jsonschema.Draft202012Validator(event_json_schema()).validate(payload)
    assert payload["data"]["active"] == (transition not in {Transition.CLEARED, Transition.EXPIRED})


def test_the_schema_itself_is_valid_and_refuses_a_changed_event() -> None:
    schema = event_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    payload = json.loads(reporter().report(finding()).payload)
    payload["data"]["severity"] = 1001
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload, schema)


def test_no_cloud_event_integer_exceeds_32_bits() -> None:
    payload = json.loads(reporter(10**15).report(finding()).payload)
    numbers = [value for key, value in payload.items() if isinstance(value, int) and key != "data"]
    assert all(abs(number) < 2**31 for number in numbers)


def test_attribute_names_are_lower_case_letters_and_digits() -> None:
    payload = json.loads(reporter().report(finding()).payload)
    assert all(key.isalnum() and key == key.lower() for key in payload)


def test_the_same_incident_change_gives_the_same_bytes() -> None:
    assert reporter().report(finding()) == reporter().report(finding())


def test_ids_differ_by_gateway_sensor_and_start() -> None:
    ids = {incident_id(g, s, t) for g in "ab" for s in ("x", "y") for t in (1.0, 1.000001)}
    assert len(ids) == 8


@pytest.mark.parametrize(
    ("severity", "name"), [(1, "INFO"), (250, "INFO"), (251, "WARN"), (750, "ERROR"), (1000, "FATAL")]
)
def test_severity_names_follow_the_number(severity: int, name: str) -> None:
    assert severity_name(severity)[0] == name


@given(st.floats(allow_nan=False))
def test_a_timestamp_always_matches_the_schema(time: float) -> None:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    import re

    assert re.fullmatch(pattern, timestamp(time))


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    assert timestamp(1_700_000_000.0006) == "2023-11-14T22:13:20.001Z"
    assert timestamp(-0.001) == "1969-12-31T23:59:59.999Z"
