from __future__ import annotations

import math
import random

import pytest

from edge.reports.judging import IncidentSpan, Rules, judge, summarise
from edge.reports.labels import Label
from simulators.faults.truth import RaisedIncident, compare
from simulators.signals.label import Fault

RULES = Rules(grace_s=10.0, recovery_s=50.0)


def span(raised: float, ended: float = math.inf, sensor: str = "a", joined: tuple[float, ...] = ()) -> IncidentSpan:
    identity, detectors = f"{sensor}{raised}", ("ewma",)
    return IncidentSpan(sensor, sensor, raised, ended, 300, "spike", identity, 6.0, detectors, "is odd", joined=joined)


@pytest.mark.parametrize(
    ("incident", "delay", "word"),
    [
        (span(100, 110), 0.0, "found"),
        (span(150, 160), 50.0, "found"),
        (span(210, 220), 110.0, "found"),
        (span(211, 220), math.nan, "late"),
        (span(250, 260), math.nan, "late"),
        (span(251, 260), math.nan, "false"),
        (span(50, 99), math.nan, "false"),
        (span(50, 120), math.nan, "early"),
        (span(50), math.nan, "early"),
        (span(150, 160, "b"), math.nan, "false"),
    ],
)
def test_an_incident_is_described_in_a_word_and_a_label_is_found_or_not(
    incident: IncidentSpan, delay: float, word: str
) -> None:
    judgement = judge([Label(100, 200, "a")], [incident], RULES)
    assert judgement.words == [word]
    assert judgement.delays == [delay] or (math.isnan(delay) and math.isnan(judgement.delays[0]))


def test_a_label_of_any_sensor_is_found_by_any() -> None:
    judgement = judge([Label(100, 200)], [span(300, 310, "b"), span(120, 130, "c")], RULES)
    assert judgement.delays == [20.0]
    assert judgement.words == ["false", "found"]


def test_an_incident_that_was_already_open_finds_nothing_and_is_reported() -> None:
    judgement = judge([Label(100, 200, "a")], [span(50, 150)], RULES)
    assert judgement.already == [True]
    summary = summarise([([Label(100, 200, "a")], judgement, 1.0)])
    assert (summary.found, summary.missed, summary.already, summary.false) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("joined", "delay"),
    [((100,), 0.0), ((60, 130, 140), 30.0), ((200,), 100.0), ((201,), math.nan), ((99,), math.nan), ((), math.nan)],
)
def test_a_kind_that_joins_an_open_incident_within_a_label_finds_it(joined: tuple[float, ...], delay: float) -> None:
    judgement = judge([Label(100, 200, "a")], [span(50, 250, joined=joined)], RULES)
    assert judgement.delays == [delay] or (math.isnan(delay) and math.isnan(judgement.delays[0]))
    assert judgement.words == ["early"]
    summary = summarise([([Label(100, 200, "a")], judgement, 1.0)])
    assert (summary.found, summary.already) == ((0, 1) if math.isnan(delay) else (1, 0))


def test_an_incident_that_is_raised_within_a_label_goes_before_a_kind_that_joins_another() -> None:
    incidents = [span(50, 250, joined=(110,)), span(150, 160)]
    assert judge([Label(100, 200, "a")], incidents, RULES).delays == [50.0]


def test_what_joins_an_incident_that_was_raised_after_the_start_of_a_label_is_no_second_chance() -> None:
    judgement = judge([Label(100, 100, "a"), Label(300, 400, "a")], [span(105, 250, joined=(120,))], RULES)
    assert judgement.delays[0] == 5.0
    assert math.isnan(judgement.delays[1])


def test_covered_time_is_counted_once() -> None:
    judgement = judge([Label(100, 200, "a")], [span(90, 120), span(110, 130), span(190), span(195, 199)], RULES)
    assert judgement.covered_s == [40.0]


def test_a_summary_adds_up_the_verdicts() -> None:
    one, two = [Label(100, 200, "a"), Label(500, 600, "a")], [Label(100, 100, "b")]
    judged = [
        (one, judge(one, [span(120, 150), span(530, 540)], RULES), 2.0),
        (two, judge(two, [span(103, 105, "b"), span(900, 910, "b")], RULES), 3.0),
    ]
    summary = summarise(judged)
    assert (summary.labels, summary.found, summary.missed, summary.false) == (3, 3, 0, 1)
    assert (summary.delay_median_s, summary.delay_worst_s) == (20.0, 30.0)
    assert summary.covered == pytest.approx(40 / 200)
    assert summary.false_per_sensor_day == pytest.approx(1 / 5)


def test_empty_data_causes_no_division_by_zero() -> None:
    summary = summarise([])
    assert summary.labels == 0
    assert all(map(math.isnan, (summary.delay_median_s, summary.covered, summary.false_per_sensor_day)))


@pytest.mark.parametrize("seed", range(30))
def test_the_verdicts_are_those_of_the_simulator(seed: int) -> None:
    source = random.Random(seed)
    faults = [
        Fault(source.choice("ab"), "spike", start, start + source.uniform(0, 80), 1.0, ".")
        for start in (source.uniform(0, 2000) for _ in range(12))
    ]
    incidents = [
        span(
            raised,
            raised + source.uniform(0, 150) if source.random() < 0.9 else math.inf,
            source.choice("ab"),
            tuple(sorted(raised + source.uniform(0, 150) for _ in range(source.randrange(3)))),
        )
        for raised in (source.uniform(0, 2000) for _ in range(25))
    ]
    labels = [Label(each.start, each.end, each.sensor) for each in faults]
    judgement = judge(labels, incidents, RULES)
    raised = [
        RaisedIncident(each.sensor, each.raised, None if math.isinf(each.ended) else each.ended, each.kind, each.joined)
        for each in incidents
    ]
    theirs = compare(faults, raised, grace_s=RULES.grace_s, recovery_s=RULES.recovery_s)
    assert [None if math.isnan(each) else each for each in judgement.delays] == [v.delay_s for v in theirs.verdicts]
    counts = {word: judgement.words.count(word) for word in ("false", "early", "late")}
    assert counts == {"false": len(theirs.false), "early": len(theirs.early), "late": len(theirs.late)}
