"""Properties of the benchmarks of the alarm budget and of long faults, independent of their figures."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from config.loading import parse
from config.schema import ResolvedRule
from edge.commands import main
from edge.evaluation import budget, long_faults
from edge.evaluation.budget import BUDGETS, Cost, Plan, costs, measure
from edge.evaluation.noises import KINDS, clock, noise


def default_rule() -> ResolvedRule:
    return parse('[[input]]\ntopic = "#"\n').configuration.rule_for("x")


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_of_a_seed_is_always_the_same(kind: str) -> None:
    one, again = noise(kind, 300, 3, seed=4), noise(kind, 300, 3, seed=4)
    assert one.shape == (300, 3)
    assert np.isfinite(one).all()
    assert (one == again).all()


def test_a_rare_reading_sees_the_same_days_as_a_frequent_one() -> None:
    assert noise("seasonal without noise", 144, 1, interval_s=600.0)[:, 0] == pytest.approx(
        noise("seasonal without noise", 1440, 1)[::10, 0]
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gaussian", "set point", "counter that rests at night"])
def test_the_budget_is_a_ceiling(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(budget, "BUDGETS", (1.0,))  # the days are too few to judge a smaller one
    count = 8 * 144
    (cost,) = costs(default_rule(), kind, clock(count, 600.0), noise(kind, count, 12, interval_s=600.0))
    assert cost.holds


@pytest.mark.parametrize(("came", "holds"), [(0.0, True), (0.12, True), (0.139, True), (0.141, False)])
def test_a_budget_is_kept_up_to_a_fifth_and_two_standard_errors(came: float, *, holds: bool) -> None:
    assert Cost("gaussian", asked=0.1, early=0.0, came=came, days=1000.0).holds is holds


def test_a_budget_without_days_to_judge_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        budget, "measure", lambda *_: iter([[Cost("gaussian", each, 0.0, 0.0, 0.0) for each in BUDGETS]])
    )
    result = CliRunner().invoke(main, ["benchmark", "budget", "--kind", "gaussian"])
    assert "not judged, as there are no readings after the first 3 days: 1" in result.output
    assert "0.000" not in result.output
    assert result.exit_code == 1


def test_three_days_of_readings_leave_nothing_to_judge() -> None:
    assert not any(each.is_judged for each in costs(default_rule(), "x", clock(4, 86_400.0), np.zeros((4, 1))))


@pytest.mark.long
def test_constant_noise_raises_no_incident() -> None:
    count = 6 * 144
    for cost in costs(default_rule(), "constant", clock(count, 600.0), noise("constant", count, 3)):
        assert (cost.early, cost.came) == (0.0, 0.0)


@pytest.mark.long
def test_processes_change_nothing() -> None:
    plan = Plan(default_rule(), sensors=2, days=4, interval_s=3600.0, seed=1)
    alone = list(measure(plan, ["gaussian", "counter"], 1))
    assert alone == list(measure(plan, ["gaussian", "counter"], 2))
    assert [[each.asked for each in row] for row in alone] == [list(BUDGETS)] * 2


def test_the_command_refuses_an_unknown_kind_of_noise() -> None:
    result = CliRunner().invoke(main, ["benchmark", "budget", "--kind", "loud"])
    assert result.exit_code == 2
    assert "loud" in result.output


@pytest.mark.long
def test_faults_of_hours_keep_their_incident_open() -> None:
    found = list(long_faults.measure(default_rule(), sensors=1, hours=(4.0,)))
    assert [each.fault for each in found] == list(long_faults.FAULTS)
    assert all(each.faults == 7 for each in found)
    assert sum(each.covered for each in found) / len(found) >= long_faults.ENOUGH


def test_a_fault_is_covered_by_the_incidents_within_it() -> None:
    cases = [(100.0, 200.0, [[50.0, 60.0], [120.0, 170.0], [190.0, 500.0]]), (100.0, 200.0, [[90.0, 150.0]])]
    cover = long_faults._cover("x", 1.0, cases)
    assert (cover.faults, cover.found, cover.covered) == (2, 0.5, (60 + 50) / 200)
    assert cover.over_s == pytest.approx((300.0 + 0.0) / 2)
