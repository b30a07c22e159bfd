"""What a comparison with peers makes of incidents of their own: of one sensor, or of most of them."""

from __future__ import annotations

import math

import numpy as np

from edge.core.scoring.peers.peers import Peers

START = 20_000 * 86_400.0

OUT = 8 * 48
"""The half hour in which three of four inverters fail."""


def half_hours(back: int, fourth: float, *, are_known: bool, adopted: int = 96) -> list[tuple[int, int]]:
    """Which of four inverters are told to differ, and how many half hours after three of them have failed.

    Args:
        back: Number of half hours after which the three are back.
        fourth: What the fourth one gives from then on, as a share of what is usual.
        are_known: Whether the three have incidents while they are out.
        adopted: Number of half hours after which these have ended because their level was adopted.
    """
    peers, noise, nobody = Peers(), np.random.default_rng(3), np.zeros(4, dtype=bool)
    for slot in range(4):
        peers.join(slot, "inverters")
    peers.readings_before_end(np.array([START]))
    found = list[tuple[int, int]]()
    for step in range(1, OUT + max(49, back)):
        time, is_out = START + step * 1800.0, OUT <= step < OUT + back
        values = 600.0 + 40.0 * math.sin(step / 8.0) + noise.normal(0.0, 2.0, 4)
        values[:3] *= not is_out
        values[3] *= fourth if step >= OUT else 1.0
        peers.take(np.arange(4), values, np.full(4, time - 900.0))
        three = np.array([True, True, True, False]) if is_out and are_known else nobody
        failing, moved = (three, nobody) if step < OUT + adopted else (nobody, three)
        found += [(each.slot, step - OUT) for each in peers.compare(time, nobody, failing, moved)]
    return found


def test_the_one_healthy_sensor_is_not_told_to_be_unlike_peers_that_have_incidents() -> None:
    assert [slot for slot, _ in half_hours(48, 1.0, are_known=False)] == [3]
    assert half_hours(48, 1.0, are_known=True) == []


def test_nor_while_these_are_at_levels_that_were_adopted_not_long_ago() -> None:
    assert half_hours(96, 1.0, are_known=True, adopted=36) == []


def test_a_day_is_not_judged_if_most_peers_had_incidents_in_much_of_it() -> None:
    assert half_hours(30, 1.0, are_known=True) == []
    assert half_hours(30, 1.0, are_known=True, adopted=20) == []


def test_a_sensor_that_is_still_unlike_its_peers_when_they_are_back_is_told_then() -> None:
    ((slot, late),) = half_hours(6, 0.5, are_known=True)
    assert slot == 3
    assert 6 <= late <= 8


def told_by_the_day(lost: dict[int, range], *, are_known: bool, factor: float = 0.2) -> list[tuple[str, float]]:
    """What is told of the first of four lines, each at its own pace, and after how many days.

    Args:
        lost: Half hours of the day during which it gives less, by the day.
        factor: What it gives then, as a share of what is usual.
        are_known: Whether it has an incident of its own values meanwhile.
    """
    peers, noise, nobody = Peers(), np.random.default_rng(7), np.zeros(4, dtype=bool)
    for slot in range(4):
        peers.join(slot, "lines")
    peers.readings_before_end(np.array([START]))
    found = list[tuple[str, float]]()
    for step in range(1, 15 * 48):
        day, half_hour = divmod(step - 1, 48)
        values = (100.0 + 900.0 * (10 <= half_hour < 38)) * (0.5 + noise.random() + noise.random(4))
        is_lost = half_hour in lost.get(day, range(0))
        values[0] *= factor if is_lost else 1.0
        peers.take(np.arange(4), values, np.full(4, START + step * 1800.0 - 900.0))
        failing = np.array([is_lost and are_known, False, False, False])
        verdicts = peers.compare(START + step * 1800.0, nobody, failing)
        found += [(each.news.name, step / 48) for each in verdicts if each.slot == 0]
    return found


def test_what_was_told_of_some_hours_is_not_told_again_at_the_end_of_their_day() -> None:
    closed = {10: range(16, 30)}
    assert told_by_the_day(closed, are_known=False) == [("DIFFERS", 11.0), ("AGREES", 12.0)]
    assert told_by_the_day(closed, are_known=True) == []


def test_what_is_lost_every_day_is_found_by_the_day_whatever_else_is_told() -> None:
    ((news, when), *_) = told_by_the_day(dict.fromkeys(range(10, 15), range(16, 30)), are_known=True)
    assert (news, when) == ("DIFFERS", 12.0)
