"""Time advances only as far as it is certain that nothing has arrived."""

from __future__ import annotations

from edge.core.model.readings.pauses import GRACE_S
from edge.shell.service.turns.idle_time import LONGEST_TURN_S, IdleTime


def test_time_passes_up_to_the_grace_before_now() -> None:
    quiet = IdleTime(100.0)
    assert quiet.passed_s(101.0, is_empty=True) <= 0
    assert quiet.passed_s(110.0, is_empty=True) == 10.0 - GRACE_S
    quiet.arrived(110.0)
    assert quiet.passed_s(115.0, is_empty=True) == 5.0 - GRACE_S


def test_an_arrival_ends_the_time_that_has_passed_at_its_own_time_not_at_the_last_check() -> None:
    quiet = IdleTime(100.0)
    quiet.passed_s(109.5, is_empty=True)
    assert quiet.passed_s(110.0, is_empty=False) == 10.0 - GRACE_S


def test_messages_that_waited_while_the_loop_was_held_up_pass_no_time() -> None:
    quiet = IdleTime(100.0)
    quiet.passed_s(101.0, is_empty=True)
    assert quiet.passed_s(400.0, is_empty=False) == 1.0


def test_time_in_which_the_loop_was_held_up_passes_for_nobody() -> None:
    quiet = IdleTime(100.0)
    assert (quiet.looked(100.0 + LONGEST_TURN_S), quiet.looked(101.0 + LONGEST_TURN_S)) == (0.0, 0.0)
    assert quiet.looked(141.0 + LONGEST_TURN_S) == 40.0
    assert quiet.passed_s(141.0 + LONGEST_TURN_S, is_empty=True) == -GRACE_S
    assert quiet.looked(142.0 + LONGEST_TURN_S) == 0.0
    assert quiet.passed_s(151.0 + LONGEST_TURN_S, is_empty=True) == 10.0 - GRACE_S
