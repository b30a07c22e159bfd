"""Which clock is trusted, the sender's or the gateway's."""

from __future__ import annotations

import pytest

from edge.core.intake.decoders import FieldsDecoder
from edge.core.intake.decoders.base import Decoded
from edge.core.intake.times.plausible_times import LATEST, PROVEN_S, TOPICS, PlausibleTimes, Verdict
from edge.core.model.readings.messages import Row, Sample
from tests.edge.core.pipelines import START

FUTURE_S = 60.0
HOUR_S = 3600.0
ODD_S = 3 * HOUR_S + 700.0
"""A lead that no time zone explains."""


class Weighed:
    """Weighs messages of topics that arrive by a possibly wrong clock."""

    def __init__(self) -> None:
        self.plausible = PlausibleTimes()

    def ahead(self, topic: int, lead: float, arrived: float = START) -> Verdict:
        return self.payload(topic, f'{{"ts": {arrived + lead}, "value": 1}}', arrived)

    def payload(self, topic: int, payload: str, arrived: float = START) -> Verdict:
        decoded = FieldsDecoder().decode(payload.encode(), arrived)
        return self.plausible.weigh(topic, decoded, arrived, FUTURE_S)


@pytest.fixture
def weighed() -> Weighed:
    return Weighed()


def test_a_single_sender_that_is_ahead_is_held_and_finally_refused(weighed: Weighed) -> None:
    assert weighed.ahead(1, ODD_S) is Verdict.HOLD
    assert weighed.ahead(1, ODD_S + 5.0) is Verdict.HOLD
    weighed.plausible.is_settled = True
    assert weighed.ahead(1, ODD_S) is Verdict.READ
    assert weighed.plausible.believed == 0.0


@pytest.mark.parametrize("settled", [False, True])
def test_three_senders_that_agree_are_trusted(weighed: Weighed, settled: bool) -> None:
    weighed.plausible.is_settled = settled
    weighed.ahead(1, ODD_S)
    weighed.ahead(2, ODD_S + 50.0)
    assert weighed.plausible.believed == 0.0
    assert weighed.ahead(3, ODD_S + 20.0) is Verdict.HOLD
    assert weighed.plausible.believed == ODD_S + 20.0


def test_senders_that_are_ahead_by_different_times_are_not_trusted(weighed: Weighed) -> None:
    assert [weighed.ahead(each, ODD_S + 100.0 * each) for each in range(10)] == [Verdict.HOLD] * 10
    assert weighed.plausible.believed == 0.0


def test_one_sender_in_step_prevents_trust_in_three_others_until_the_deadline(weighed: Weighed) -> None:
    weighed.ahead(0, 1.0)
    assert [weighed.ahead(each, ODD_S) for each in (1, 2, 3)] == [Verdict.HOLD] * 3
    assert weighed.plausible.believed == 0.0
    weighed.plausible.is_settled = True
    weighed.ahead(1, ODD_S)
    assert weighed.plausible.believed == ODD_S


def test_as_many_senders_in_step_as_ahead_are_stronger(weighed: Weighed) -> None:
    for each in range(3):
        weighed.ahead(10 + each, -2.0)
    weighed.plausible.is_settled = True
    assert [weighed.ahead(each, ODD_S) for each in (1, 2, 3)] == [Verdict.READ] * 3
    assert weighed.plausible.believed == 0.0


def test_a_sender_that_stays_in_step_proves_the_gateway_clock(weighed: Weighed) -> None:
    weighed.ahead(1, 3.0)
    weighed.ahead(1, 2.6, START + PROVEN_S - 0.5)
    assert not weighed.plausible.is_proven
    weighed.ahead(1, 2.2, START + PROVEN_S)
    assert weighed.plausible.is_proven


@pytest.mark.parametrize("pace", [3.0, 25.0, 0.2])
def test_passing_times_of_a_backlog_prove_nothing(weighed: Weighed, pace: float) -> None:
    for second in range(-40, 40):
        weighed.ahead(1, (pace - 1.0) * second, START + second)
    assert not weighed.plausible.is_proven


def test_a_clock_that_is_behind_is_detected_as_a_backlog_passes_its_time(weighed: Weighed) -> None:
    for step in range(200):
        for topic in range(4):
            weighed.ahead(topic, 0.4 * step - 10.0, START + 0.01 * step)
    assert weighed.plausible.believed > FUTURE_S


def test_times_without_an_offset_that_look_like_local_time_are_refused_immediately(weighed: Weighed) -> None:
    payload = '{"time": "2023-11-15T00:13:20", "value": 1}'
    assert [weighed.payload(each, payload) for each in range(5)] == [Verdict.READ] * 5
    assert weighed.plausible.believed == 0.0


def test_times_that_no_zone_explains_are_not_considered_local_time(weighed: Weighed) -> None:
    payload = '{"time": "2023-11-15T00:15:00", "value": 1}'
    assert [weighed.payload(each, payload) for each in range(3)] == [Verdict.HOLD] * 3
    assert weighed.plausible.believed == 2 * HOUR_S + 100.0


@pytest.mark.parametrize("mark", ["Z", "+00:00"])
def test_times_with_a_zone_are_not_considered_local_time(weighed: Weighed, mark: str) -> None:
    payload = f'{{"time": "2023-11-15T00:13:20{mark}", "value": 1}}'
    assert [weighed.payload(each, payload) for each in range(3)] == [Verdict.HOLD] * 3
    assert weighed.plausible.believed == 2 * HOUR_S


@pytest.mark.parametrize(("is_unset", "behind_s"), [(True, 0.0), (False, 2 * HOUR_S)])
def test_one_sender_is_trusted_where_the_gateway_clock_is_certainly_wrong(
    weighed: Weighed, is_unset: bool, behind_s: float
) -> None:
    weighed.plausible.is_unset, weighed.plausible.behind_s = is_unset, behind_s
    assert weighed.payload(1, '{"time": "2023-11-15T00:13:20", "value": 1}') is Verdict.HOLD
    assert weighed.plausible.believed == 0.0
    weighed.plausible.is_settled = True
    assert weighed.payload(1, '{"time": "2023-11-15T00:13:20", "value": 1}') is Verdict.HOLD
    assert weighed.plausible.believed == 2 * HOUR_S
    weighed.plausible.clock_stepped()
    assert weighed.payload(1, '{"time": "2023-11-15T00:13:20Z", "value": 1}') is Verdict.HOLD
    assert weighed.plausible.believed == 2 * HOUR_S


def test_a_sender_that_is_still_behind_the_stored_times_is_not_trusted_alone(weighed: Weighed) -> None:
    weighed.plausible.behind_s = 20 * 365 * 86_400.0
    assert weighed.ahead(1, ODD_S) is Verdict.HOLD
    weighed.plausible.is_settled = True
    assert weighed.ahead(1, ODD_S) is Verdict.READ
    assert weighed.plausible.believed == 0.0


def test_if_the_gateway_clock_was_never_set_no_sender_proves_it(weighed: Weighed) -> None:
    weighed.plausible.is_unset = True
    for second in range(60):
        weighed.ahead(1, 0.0, START + second)
    assert not weighed.plausible.is_proven
    assert weighed.ahead(2, ODD_S) is Verdict.HOLD
    assert weighed.plausible.believed == ODD_S


def test_a_clock_that_seems_to_be_behind_is_trusted_as_long_as_a_sender_is_in_step(weighed: Weighed) -> None:
    weighed.plausible.behind_s = ODD_S
    weighed.ahead(1, 0.0)
    weighed.ahead(2, ODD_S)
    assert weighed.plausible.believed == 0.0


def test_no_clock_that_is_a_century_ahead_is_trusted(weighed: Weighed) -> None:
    weighed.plausible.is_unset = True
    assert weighed.ahead(1, LATEST - START + 1.0) is Verdict.READ
    assert weighed.plausible.believed == 0.0


def test_a_sender_that_is_no_longer_ahead_is_not_counted(weighed: Weighed) -> None:
    weighed.ahead(1, ODD_S)
    weighed.ahead(2, ODD_S)
    weighed.ahead(1, -1000.0)
    weighed.ahead(3, ODD_S)
    assert weighed.plausible.believed == 0.0


def test_after_senders_were_trusted_the_first_that_is_ahead_again_is_trusted_too(weighed: Weighed) -> None:
    for each in (1, 2, 3):
        weighed.ahead(each, ODD_S)
    weighed.plausible.clock_stepped()
    assert weighed.ahead(1, FUTURE_S + 1.0) is Verdict.HOLD
    assert weighed.plausible.believed == FUTURE_S + 1.0


def test_times_relative_to_the_arrival_are_no_evidence() -> None:
    samples = [Sample("a", 1.0, 5.0), Sample("b", 1.0, None)]
    assert Decoded(samples, [], relative_below=2.0**28).newest_time() is None
    assert Decoded(Row(("a", "b"), [1.0, 1.0], [5.0, -5.0]), [], relative_below=2.0**28).newest_time() is None
    assert Decoded([*samples, Sample("c", 1.0, START)], [], relative_below=2.0**28).newest_time() == START


def test_after_a_step_of_the_gateway_clock_nothing_is_known_about_leads(weighed: Weighed) -> None:
    for topic in (1, 2):
        weighed.ahead(topic, ODD_S)
    weighed.plausible.clock_stepped()
    weighed.ahead(3, ODD_S)
    assert weighed.plausible.believed == 0.0


def test_the_memory_is_bounded(weighed: Weighed) -> None:
    for topic in range(3 * TOPICS):
        weighed.ahead(topic, 1000.0 * topic + 100.0)
        weighed.ahead(-topic, 0.0)
    state = vars(weighed.plausible).values()
    assert max(len(each) for each in state if isinstance(each, dict)) <= TOPICS
