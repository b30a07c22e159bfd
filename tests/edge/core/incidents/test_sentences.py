from __future__ import annotations

import math

import pytest

from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import CommonCause, IncidentChange
from edge.core.incidents.sentences.group_sentences import AffectedSensors, group_sentence
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import device_sentence, sentence
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.quantities import duration, ends_of, number
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_summary import SensorSummary

BAND = Opinion("ewma", "spike", 9.0, 2.0, 0.4, 3.9)


def about(kind: str, transition: Transition, band: Opinion | None = BAND, unit: str = "bar") -> str:
    observation = Observation(100.0, 9.71234, 4.0, [Opinion("x", kind, 9.0, 2.0)])
    incident = Incident.from_observation(observation)
    later = Observation(400.0, 2.0, 4.0, [])
    shown = observation if transition in {Transition.RAISED, Transition.UPDATED} else later
    return sentence(SensorChange("tank/level", unit, transition, incident, shown, band))


@pytest.mark.parametrize(
    ("kind", "transition", "says"),
    [
        ("spike", Transition.RAISED, "tank/level is at 9.712 bar, expected 0.4 to 3.9 bar"),
        ("spike", Transition.UPDATED, "tank/level is still at 9.712 bar, expected 0.4 to 3.9 bar"),
        ("level_shift", Transition.RAISED, "tank/level has shifted to 9.712 bar, expected 0.4 to 3.9 bar"),
        ("flatline", Transition.RAISED, "tank/level is stuck at 9.712 bar, expected 0.4 to 3.9 bar"),
        ("spike", Transition.CLEARED, "tank/level is back to normal at 2 bar after 5 min"),
        ("rate", Transition.CLEARED, "tank/level has settled at 2 bar after 5 min"),
        ("variance", Transition.CLEARED, "tank/level is steady again at 2 bar after 5 min"),
        ("flatline", Transition.CLEARED, "tank/level changes again, at 2 bar after 5 min"),
        ("missing", Transition.RAISED, "tank/level is silent; its last value was 9.712 bar"),
        ("missing", Transition.CLEARED, "tank/level reports again after 5 min of alarm: 2 bar"),
        (
            "level_shift",
            Transition.EXPIRED,
            "tank/level has been at 2 bar for 5 min; that is taken as normal from here on",
        ),
    ],
)
def test_a_sentence_contains_what_a_person_needs(kind: str, transition: Transition, says: str) -> None:
    assert about(kind, transition) == says


@pytest.mark.parametrize(
    ("kind", "transition", "says"),
    [
        (
            "correlation",
            Transition.RAISED,
            "The sensors of line2/pump1 no longer move together: vibration 74%, current 14%",
        ),
        (
            "level_shift",
            Transition.UPDATED,
            "The sensors of line2/pump1 have shifted together: vibration 74%, current 14%",
        ),
        ("correlation", Transition.CLEARED, "The sensors of line2/pump1 move together again after 5 min"),
        ("level_shift", Transition.CLEARED, "The sensors of line2/pump1 are back where they were after 5 min"),
        ("correlation", Transition.ACKNOWLEDGED, "The incident of line2/pump1 was acknowledged after 5 min"),
        (
            "correlation",
            Transition.EXPIRED,
            "What the sensors of line2/pump1 have done for 5 min is taken as normal from here on",
        ),
    ],
)
def test_a_device_is_described_without_a_distance(kind: str, transition: Transition, says: str) -> None:
    incident = Incident.from_observation(Observation(100.0, 9.7, 4.0, [Opinion("correlation", kind, 9.0)]))
    shares = [("line2/pump1/vibration", 0.74), ("line2/pump1/current", 0.14), ("line2/pump1/speed", 0.05)]
    assert device_sentence("line2/pump1/", transition, incident, Observation(400.0, 4.1, 4.0, []), shares) == says


def test_only_an_incident_about_the_level_ends_with_a_normal_level() -> None:
    jump, far = Opinion("rate", "rate", 9.0, 2.0), Opinion("ewma", "spike", 5.0, 2.0)
    incident = Incident.from_observation(Observation(100.0, 83.0, 4.0, [jump]))
    for second in (110.0, 120.0, 130.0):
        incident.extend(Observation(second, 83.0, 4.0, [jump]))
    over = Observation(400.0, 83.0, 4.0, [])
    assert incident.kind == "level_shift"
    change = SensorChange("tank/level", "bar", Transition.CLEARED, incident, over, None)
    assert sentence(change) == "tank/level has settled at 83 bar after 5 min"
    incident.extend(Observation(140.0, 83.0, 4.0, [jump, far]))
    assert sentence(change) == "tank/level is back to normal at 83 bar after 5 min"


@pytest.mark.parametrize(
    ("sensors", "ended", "transition", "says"),
    [
        (["p/a", "p/b"], 0, Transition.RAISED, "2 sensors of p have jumped together: a, b"),
        (["p/a", "p/b"], 0, Transition.UPDATED, "2 sensors of p have jumped together: a, b"),
        (
            ["p/a", "p/b"],
            1,
            Transition.UPDATED,
            "2 sensors of p have jumped together and haven't settled: a, b; 1 of 3 has settled",
        ),
        (["p/a"], 2, Transition.UPDATED, "p/a has jumped and hasn't settled; 2 of 3 have settled"),
        (["p/a", "p/b", "p/c"], 3, Transition.CLEARED, "3 sensors of p have settled after 5 min"),
    ],
)
def test_sensors_that_jumped_together_settle(sensors: list[str], ended: int, transition: Transition, says: str) -> None:
    jump = Observation(100.0, 83.0, 4.0, [Opinion("rate", "rate", 9.0, 2.0)])
    change = IncidentChange(
        0, transition, Incident.from_observation(jump), 0, Observation(400.0, 83.0, 4.0, []), 400.0, [], (0, 0, 0.0, 0)
    )
    change.one_cause = CommonCause("jump", [], [])
    assert group_sentence(AffectedSensors("p/a", sensors, ended, 0, ()), change) == says


def test_sensors_that_have_shifted_slowly_have_not_jumped() -> None:
    for first, does in (("level_shift", "shifted"), ("rate", "jumped")):
        incident = Incident.from_observation(Observation(100.0, 83.0, 4.0, [Opinion("found", first, 9.0, 2.0)]))
        for time in (200.0, 300.0):
            incident.extend(Observation(time, 83.0, 4.0, [Opinion("found", first, 9.0, 2.0)]))
        after = Observation(300.0, 83.0, 4.0, [])
        change = IncidentChange(0, Transition.UPDATED, incident, 0, after, 300.0, [], (0, 0, 0.0, 0))
        change.one_cause = CommonCause("jump", [], [])
        told = group_sentence(AffectedSensors("p/a", ["p/a", "p/b"], 0, 2, ()), change)
        assert (incident.kind, told) == ("level_shift", f"2 sensors of p have {does} together: a, b")


@pytest.mark.parametrize(
    ("kind", "shown", "lasts", "ends"),
    [
        ("missing", "missing", "2 sensors of p are still silent: a, b", "have reported again"),
        ("error_value", "error_value", "2 sensors of p still send error values: a, b", "have real values again"),
        ("flatline", "flatline", "2 sensors of p aren't back to normal yet: a, b", "have moved again"),
        ("jump", "level_shift", "2 sensors of p aren't back to normal yet: a, b", "are back to normal"),
    ],
)
def test_what_several_sensors_have_in_common_ends_as_what_it_was(kind: str, shown: str, lasts: str, ends: str) -> None:
    incident = Incident.from_observation(Observation(100.0, 83.0, 4.0, [Opinion("found", shown, 9.0, 2.0)]))
    after = Observation(400.0, 83.0, 4.0, [])
    change = IncidentChange(0, Transition.UPDATED, incident, 0, after, 400.0, [], (0, 0, 0.0, 0))
    change.one_cause = CommonCause(kind, [], [])
    still = group_sentence(AffectedSensors("p/a", ["p/a", "p/b"], 1, 2, ()), change)
    assert still.startswith(f"{lasts}; 1 of 3 ")
    change.transition = Transition.CLEARED
    over = group_sentence(AffectedSensors("p/a", ["p/a", "p/b"], 2, 0, ()), change)
    assert over == f"2 sensors of p {ends} after 5 min"


@pytest.mark.parametrize(
    ("transition", "ended", "adopted", "says"),
    [
        (Transition.UPDATED, 1, 1, "2 sensors of p aren't back to normal yet: a, b; 1 is taken as normal"),
        (
            Transition.UPDATED,
            3,
            2,
            "2 sensors of p aren't back to normal yet: a, b; 1 of 5 has moved again; 2 are taken as normal",
        ),
        (Transition.CLEARED, 2, 1, "1 of 2 sensors of p have moved again after 5 min; 1 is taken as normal"),
        (
            Transition.EXPIRED,
            2,
            1,
            "1 of 2 sensors of p have been stuck for 5 min; that is taken as normal from here on",
        ),
        (Transition.EXPIRED, 2, 2, "2 sensors of p have been stuck for 5 min; that is taken as normal from here on"),
    ],
)
def test_sensors_whose_state_was_taken_as_normal_are_not_said_to_be_back(
    transition: Transition, ended: int, adopted: int, says: str
) -> None:
    incident = Incident.from_observation(Observation(100.0, 83.0, 4.0, [Opinion("found", "flatline", 9.0, 2.0)]))
    change = IncidentChange(0, transition, incident, 0, Observation(400.0, 83.0, 4.0, []), 400.0, [], (0, 0, 0.0, 0))
    change.one_cause = CommonCause("flatline", [], [])
    assert group_sentence(AffectedSensors("p/a", ["p/a", "p/b"], ended, 0, (), adopted), change) == says


def test_of_several_sensors_the_values_are_told_the_most_severe_first() -> None:
    jump = Observation(100.0, 83.0, 4.0, [Opinion("rate", "rate", 9.0, 2.0)])
    incident = Incident.from_observation(jump)
    change = IncidentChange(0, Transition.UPDATED, incident, 0, jump, 100.0, [], (0, 0, 0.0, 0))
    change.one_cause = CommonCause("jump", [], [])
    facts = {"p/c": "83, expected 5 to 9", "p/a": "7"}
    told = group_sentence(AffectedSensors("p/a", ["p/a", "p/b", "p/c", "p/d"], 0, 0, (), facts=facts), change)
    assert told == "4 sensors of p have jumped together: c (83, expected 5 to 9), a (7), b and 1 more"
    alone = group_sentence(AffectedSensors("p/a", ["p/a"], 1, 0, (), facts={"p/a": "7"}), change)
    assert alone == "p/a has jumped and hasn't settled (7); 1 of 2 has settled"


def test_the_band_of_a_step_is_not_quoted_as_that_of_a_state() -> None:
    incident = Incident.from_observation(Observation(100.0, 0.0, 4.0, [Opinion("state", "state", 9.0)]))
    step = Opinion("rate", "rate", 9.0, 0.0, 0.0, 9.3)
    later = Observation(400.0, 35.55, 4.0, [step])
    for transition in (Transition.RAISED, Transition.UPDATED):
        still, since = ("still ", "; unusual for 5 min") if transition is Transition.UPDATED else ("", "")
        change = SensorChange("park/power", "kW", transition, incident, later, step, step)
        assert sentence(change) == f"park/power is {still}in an unusual state, at 35.55 kW{since}"


def test_half_a_band_is_described_as_a_limit() -> None:
    upper_only = Opinion("limits", "range", 12.0, math.nan, math.nan, 8.0)
    assert about("range", Transition.RAISED, upper_only).endswith(", expected 8 bar or less")


def test_a_silence_says_how_long_it_is_and_how_often_there_is_a_reading_otherwise() -> None:
    gap = Opinion("silence", "missing", 9.0, level=4.0)
    incident = Incident.from_observation(Observation(1000.0, 4.2, 4.0, [gap]))

    def said(transition: Transition, time: float, *opinions: Opinion) -> str:
        now = Observation(time, 4.2, 4.0, list(opinions))
        return sentence(SensorChange("a/b", "bar", transition, incident, now, None, None, 60.0, seen=400.0))

    often = ", usually a reading every 1 min; its last value was 4.2 bar"
    assert said(Transition.RAISED, 1000.0, gap) == f"a/b has been silent for 10 min{often}"
    assert said(Transition.UPDATED, 1600.0, gap) == f"a/b has been silent for 20 min{often}"
    assert said(Transition.CLEARED, 2200.0) == "a/b reports again after 30 min of silence: 4.2 bar"


def test_sensors_that_are_silent_together_say_for_how_long() -> None:
    incident = Incident.from_observation(Observation(1000.0, 4.2, 4.0, [Opinion("silence", "missing", 9.0)]))
    for time, ended, says in ((1000.0, 0, "10 min: a, b"), (1600.0, 1, "20 min: a, b; 1 of 3 has reported again")):
        transition = Transition.UPDATED if ended else Transition.RAISED
        now = Observation(time, 4.2, 4.0, [])
        change = IncidentChange(
            0, transition, incident, 0, now, time, [], (0, 0, 0.0, 0), SensorSummary(interval=60.0, seen=400.0)
        )
        change.one_cause = CommonCause("missing", [], [])
        told = group_sentence(AffectedSensors("p/a", ["p/a", "p/b"], ended, 2, ()), change)
        assert told == f"2 sensors of p have been silent for {says}"


def test_a_counter_that_stands_still_says_since_when_whatever_finds_it() -> None:
    still = Opinion("ewma", "spike", 9.0, 1.5, 0.9, 2.5, level=4.0)
    incident = Incident.from_observation(Observation(100.0, 0.0, 4.0, [still], per=3600.0))
    stuck = Opinion("flatline", "flatline", 9.0, level=4.0, now=40.0, usual=8.0)
    now = Observation(700.0, 0.0, 4.0, [stuck], per=3600.0, stretch=60.0)
    change = SensorChange("heat/energy", "", Transition.UPDATED, incident, now, still, stuck)
    assert sentence(change) == "heat/energy stands still, usually 0.9 to 2.5 per hour; unusual for 10 min"


@pytest.mark.parametrize(
    ("pace", "low", "high", "says"),
    [(8.7, math.nan, 4.1, "rises by 8.7 per hour, usually at most 4.1 per hour"),
     (0.0, 0.37, math.nan, "stands still, usually at least 0.37 per hour")],
)  # fmt: skip
def test_a_pace_beyond_all_usual_ones_is_told_beside_their_end(pace: float, low: float, high: float, says: str) -> None:
    opinion = Opinion("ewma", "spike", 9.0, 1.5, low, high, level=4.0)
    observation = Observation(100.0, pace, 4.0, [opinion], per=3600.0)
    incident = Incident.from_observation(observation)
    assert sentence(SensorChange("m/e", "", Transition.RAISED, incident, observation, opinion)) == f"m/e {says}"


def test_what_is_beyond_the_records_is_compared_with_what_was_so_far() -> None:
    record = Opinion("extremes", "spike", 9.0, math.nan, 0.4, 3.9)
    assert about("spike", Transition.RAISED, record) == "tank/level is at 9.712 bar, on usual days 0.4 to 3.9 bar"


@pytest.mark.parametrize(
    ("per", "says"),
    [
        (0.0, "tank/level moves unusually little, at 2.98 m: it has changed by only 0.52 m in 6 h"),
        (3600.0, "tank/level rises evenly, by 2.98 m/h: its pace has changed by only 0.52 m/h in 6 h"),
    ],
)
def test_a_sensor_that_hardly_moves_is_said_to_have_moved_by_so_much_before(per: float, says: str) -> None:
    opinion = Opinion("swing", "swing", 9.0, level=3.0, now=0.52, usual=1.1599, about="6")
    seen = Observation(100.0, 2.98, 3.0, [opinion], per=per)
    incident = Incident.from_observation(seen)
    told = SensorChange("tank/level", "m", Transition.RAISED, incident, seen, None, opinion)
    assert sentence(told) == f"{says}, usually by 1.16 at least"
    over = SensorChange("tank/level", "m", Transition.CLEARED, incident, Observation(7300.0, 3.4, 3.0, []), None)
    assert sentence(over) == "tank/level moves again, at 3.4 m after 2 h"


def test_without_a_band_none_is_quoted() -> None:
    assert about("spike", Transition.RAISED, None, unit="") == "tank/level is at 9.712"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (21.5, "21.5"),
        (-3.14159, "-3.142"),
        (123456.7, "123457"),
        (1e9, "1.000e+09"),
        (0.00012345, "0.0001234"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(4, "4 s"), (90, "1.5 min"), (7200, "2 h"), (172800, "2 d")])
def test_durations_are_in_the_unit_a_person_would_use(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("opinion", "says"),
    [
        (
            Opinion("states", "state", 3.0, lower=3.076, upper=3.324, level=2.5, now=180.0, about="value"),
            "well/pump is at 1.9 A, between its states; the nearest is 3.08 to 3.32 A",
        ),
        (
            Opinion("states", "state", 3.0, lower=1.85, upper=1.8999, level=2.5, now=180.0, about="value"),
            "well/pump is at 1.9 A, between its states; the nearest is 1.85 to 1.8999 A",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=1020.0, usual=540.0, about="length"),
            "well/pump has stayed at 1.9 A for 17 min, 9 min at most so far",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=3600.0, usual=180.0, about="stay"),
            "well/pump has stayed near 1.9 A for 1 h, 3 min at most so far",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=8.6, usual=4.1, about="changes"),
            "well/pump changes its state about 8.6 times an hour, 4.1 times at most so far",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=8.6, usual=2.0, about="starts"),
            "well/pump starts about 8.6 times an hour, 2 times at most so far",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=720.0, usual=120.0, about="aside"),
            "well/pump is at 1.9 A and hasn't been in its usual states for 12 min of an hour, 2 min at most so far",
        ),
        (
            Opinion("states", "state", 3.0, lower=0.0, upper=0.0, level=2.5, now=600.0, about="hour"),
            "well/pump has been at 1.9 A for 10 min, at this hour usually 0 A",
        ),
        (
            Opinion("states", "state", 3.0, level=2.5, now=600.0, about="hour"),
            "well/pump has been at 1.9 A for 10 min",
        ),
        (
            Opinion("states", "state", 3.0, lower=2.25, level=2.5, now=4200.0, usual=3600.0, about="rest"),
            "well/pump is at 1.9 A and has been below 2.25 A for 1.2 h, at this hour usually not",
        ),
        (
            Opinion("states", "state", 3.0, upper=0.25, level=2.5, now=11_000.0, usual=3600.0, about="run"),
            "well/pump is at 1.9 A and hasn't been below 0.25 A for 3.1 h, 1 h at most so far",
        ),
        (Opinion("states", "state", 3.0, level=2.5), "well/pump is in an unusual state, at 1.9 A"),
    ],
)
def test_a_sentence_about_a_state_describes_the_deviation(opinion: Opinion, says: str) -> None:
    observation = Observation(100.0, 1.9, 2.5, [opinion])
    incident = Incident.from_observation(observation)
    assert sentence(SensorChange("well/pump", "A", Transition.RAISED, incident, observation, None, opinion)) == says


@pytest.mark.parametrize(
    ("pace", "about", "says"),
    [
        (0.0, "rest", "has stood still for 1.2 h, at this hour usually not"),
        (0.05, "rest", "has risen by 3 l/min for 1.2 h, at this hour usually not so little"),
        (0.05, "run", "has risen by 3 l/min and hasn't come to rest for 1.2 h, 1 h at most so far"),
    ],
)
def test_a_sentence_about_the_pace_of_a_counter_at_rest_or_not(pace: float, about: str, says: str) -> None:
    opinion = Opinion("states", "state", 3.0, level=2.5, now=4200.0, usual=3600.0, about=about)
    observation = Observation(100.0, 60.0 * pace, 2.5, [opinion], per=60.0, reading=812.0)
    incident = Incident.from_observation(observation)
    said = sentence(SensorChange("house/water", "l", Transition.RAISED, incident, observation, None, opinion))
    assert said == f"house/water {says}"


@pytest.mark.parametrize(
    ("now", "usual", "says"),
    [
        (2.1, 0.5, "hasn't been below 2.1 for a day, on each day before it was 0.5 kW or less"),
        (0.5, 2.1, "hasn't been above 0.5 for a day, on each day before it was 2.1 kW or more"),
    ],
)
def test_a_sentence_about_a_level_that_does_not_return_says_where_it_was_on_other_days(
    now: float, usual: float, says: str
) -> None:
    opinion = Opinion("drift", "drift", 4.0, level=3.5, now=now, usual=usual, about="day")
    observation = Observation(100.0, 6.9, 3.5, [opinion])
    incident = Incident.from_observation(observation)
    said = sentence(SensorChange("air/power", "kW", Transition.RAISED, incident, observation, None, opinion))
    assert said == f"air/power is at 6.9 kW: its mean over an hour {says}"


def test_the_error_value_of_a_counter_is_told_as_it_was_read() -> None:
    error = Observation(100.0, 6_221_702.0, 4.0, [])
    incident = Incident.from_error(error)
    incident.take_error(error)
    pace = Observation(1000.0, 0.18, 4.0, [], per=60.0, reading=6_222_201.0, stretch=900.0)
    change = SensorChange("s", "Wh", Transition.UPDATED, incident, pace, None)
    assert sentence(change) == "s sends 6221702 Wh, an error value"


def test_a_range_that_is_as_narrow_as_rounding_is_one_value() -> None:
    assert ends_of(0.99999999978, 1.00000000022, 4.0) == ("1", "1")
    assert ends_of(-0.5 - 1e-10, -0.5, 2.0) == ("-0.5", "-0.5")
    assert ends_of(0.0, 1e-9, 4.0) == ("0", "1e-09")
    assert ends_of(20.0, 20.001, 21.0) == ("20", "20.001")
    assert ends_of(101_325.0, 101_325.01, 101_326.0) != ("101325", "101325")
    assert ends_of(1.0, 1.0, 1.0000001)[0] == "1"


def test_a_counter_that_always_had_one_pace_is_told_with_that_pace() -> None:
    opinion = Opinion("contextual", "level_shift", 5.0, 1.0, 0.99999999978, 1.00000000022, level=4.0)
    observation = Observation(100.0, 4.0, 5.0, [opinion], per=3600.0, reading=1.8)
    incident = Incident.from_observation(observation)
    said = sentence(SensorChange("rain", "mm", Transition.RAISED, incident, observation, opinion, opinion))
    assert said == "rain rises by 4 mm/h, usually 1 mm/h"
