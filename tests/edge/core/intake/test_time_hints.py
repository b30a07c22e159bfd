from __future__ import annotations

import pytest

from edge.core.intake.times.time_hints import ahead_of_arrival
from edge.core.model.readings.messages import DeadLetter
from tests.edge.core.pipelines import START, pipeline, reading


@pytest.mark.parametrize("ahead_s", [3600.0, 7200.0, 7100.0, 19_800.0, 12 * 3600.0, 14 * 3600.0])
def test_whole_half_hours_ahead_look_like_local_time(ahead_s: float) -> None:
    assert "look like local time; zone = " in ahead_of_arrival(ahead_s)


@pytest.mark.parametrize("ahead_s", [90.0, 2700.0, 4000.0, 15 * 3600.0, 86_400.0])
def test_other_times_only_give_their_lead(ahead_s: float) -> None:
    assert ahead_of_arrival(ahead_s) == f"{ahead_s:.0f} s ahead"


def test_a_refusal_gives_the_lead_of_the_reading() -> None:
    letters: list[DeadLetter] = pipeline().process([reading("paced/a", START + 7200.0, 20.0, START + 3.0)]).dead_letters
    assert [each.refusal.detail for each in letters] == [ahead_of_arrival(7197.0)]
    assert "zone" in letters[0].refusal.detail


def test_a_time_since_the_start_of_its_sender_is_refused_with_a_remedy() -> None:
    letters: list[DeadLetter] = pipeline().process([reading("paced/a", 123_456.0, 20.0, START)]).dead_letters
    assert [each.refusal.reason for each in letters] == ["time_implausible"]
    assert 'time = "arrival"' in letters[0].refusal.detail
