from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults.truth import (
    Comparison,
    RaisedIncident,
    Tally,
    TruthError,
    TruthSummary,
    compare,
    from_json,
    read_truth,
)
from simulators.signals.label import FAULT_KINDS, Fault

FAULT = Fault("plant/pump/pressure", "level_shift", 10_000.0, 12_000.0, 9.5, "The level moves")
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def judged(*incidents: tuple[float, float | None], faults: tuple[Fault, ...] = (FAULT,)) -> Comparison:
    raised = [RaisedIncident(FAULT.sensor, begin, end, "level_shift") for begin, end in incidents]
    return compare(faults, raised, grace_s=300.0, recovery_s=3600.0)


@given(st.builds(Fault, st.text(), st.sampled_from(FAULT_KINDS), NUMBERS, NUMBERS, NUMBERS, st.text()))
def test_a_fault_is_restored_from_json(fault: Fault) -> None:
    assert from_json(fault.to_json()) == fault


def test_the_json_of_a_fault_is_one_line_with_its_type() -> None:
    assert json.loads(FAULT.to_json()) == {
        "type": "fault",
        "sensor": "plant/pump/pressure",
        "kind": "level_shift",
        "start": 10_000.0,
        "end": 12_000.0,
        "size": 9.5,
        "sentence": "The level moves",
    }
    assert b"\n" not in FAULT.to_json()


def test_a_summary_is_restored_from_json() -> None:
    summary = TruthSummary(20, 1000, 3, 0.0, 5.0, 7)
    assert from_json(summary.to_json()) == summary


def test_reading_the_truth_skips_other_lines() -> None:
    lines = [FAULT.to_json(), b"", TruthSummary(1, 1, 1, 0.0, 0.0, 1).to_json()]
    assert read_truth(lines) == [FAULT]


def test_an_invalid_line_of_truth_is_refused_with_its_number() -> None:
    with pytest.raises(TruthError, match="line 2"):
        read_truth([FAULT.to_json(), b'{"type":"rumour"}'])


def test_an_incident_within_the_fault_finds_it() -> None:
    result = judged((10_060.0, 12_500.0))
    assert result.verdicts[0].delay_s == 60.0
    assert result.all == Tally(1, 1, 0)
    assert result.false == ()


def test_an_incident_at_the_very_start_finds_it() -> None:
    assert judged((10_000.0, None)).verdicts[0].delay_s == 0.0


def test_an_incident_within_the_grace_finds_it() -> None:
    assert judged((12_300.0, None)).all.found == 1


def test_a_fault_without_an_incident_is_missed() -> None:
    result = judged()
    assert result.verdicts[0].found is None
    assert result.verdicts[0].delay_s is None
    assert result.all == Tally(1, 0, 1)


def test_an_incident_elsewhere_is_false() -> None:
    result = judged((1000.0, 2000.0), (50_000.0, None))
    assert [each.raised for each in result.false] == [1000.0, 50_000.0]
    assert result.all.missed == 1


def test_an_incident_of_another_sensor_is_false() -> None:
    other = RaisedIncident("plant/pump/current", 10_060.0, None, "spike")
    assert compare([FAULT], [other]).false == (other,)


def test_an_incident_in_the_aftermath_is_late_and_not_false() -> None:
    result = judged((13_000.0, 13_500.0))
    assert result.all.missed == 1
    assert result.false == ()
    assert len(result.late) == 1


def test_an_incident_that_was_already_open_is_early_and_finds_nothing() -> None:
    result = judged((9000.0, 10_500.0))
    assert result.all.missed == 1
    assert len(result.early) == 1
    assert result.false == ()


@pytest.mark.parametrize(("joined", "delay"), [(10_060.0, 60.0), (12_000.0, 2000.0), (12_001.0, None), (9_999.0, None)])
def test_a_kind_that_joins_an_open_incident_within_the_fault_finds_it(joined: float, delay: float | None) -> None:
    early = RaisedIncident(FAULT.sensor, 9000.0, 13_000.0, "rate", (joined,))
    result = compare([FAULT], [early], grace_s=300.0, recovery_s=3600.0)
    assert result.verdicts[0].delay_s == delay
    assert result.verdicts[0].found == (None if delay is None else early)
    assert (result.early, result.false) == ((early,), ())


def test_an_incident_that_is_never_cleared_is_early_for_later_faults() -> None:
    assert len(judged((1.0, None)).early) == 1


def test_an_incident_cleared_before_the_fault_is_false() -> None:
    assert len(judged((9000.0, 9999.0)).false) == 1


def test_several_incidents_in_a_fault_find_it_once_and_none_is_false() -> None:
    result = judged((11_000.0, 11_100.0), (10_500.0, 10_600.0), (11_900.0, None))
    assert result.all == Tally(1, 1, 0)
    assert result.verdicts[0].delay_s == 500.0
    assert result.false == ()


def test_faults_are_counted_separately_by_the_claims_of_the_detectors() -> None:
    spike = Fault(FAULT.sensor, "spike", 100_000.0, 100_000.0, 12.0, "")
    raised = [RaisedIncident(FAULT.sensor, 10_060.0, 12_500.0, "level_shift")]
    result = compare([FAULT, spike], raised, claimed={"spike"})
    assert result.claimed == Tally(1, 0, 1)
    assert result.unclaimed == Tally(1, 1, 0)
    assert result.all == Tally(2, 1, 1)


def test_the_aftermath_is_never_shorter_than_the_grace() -> None:
    raised = [RaisedIncident(FAULT.sensor, 12_500.0, None, "spike")]
    assert compare([FAULT], raised, grace_s=1000.0, recovery_s=0.0).all.found == 1
