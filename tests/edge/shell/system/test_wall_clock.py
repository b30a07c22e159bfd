from __future__ import annotations

from edge.shell.system.wall_clock import WallClock

EARLIEST = 946_684_800.0
TODAY = 1_700_000_000.0


class Machine:
    """A wall clock that can be set, and a steady clock that can't."""

    def __init__(self, wall: float) -> None:
        self.wall = wall
        self.steady = 50.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def make(self, known: float | None = None) -> WallClock:
        return WallClock(EARLIEST, known, lambda: self.wall, lambda: self.steady)


def test_a_clock_that_was_set_is_trusted_even_if_it_is_earlier_than_the_known_time() -> None:
    assert Machine(TODAY).make(known=TODAY + 1000)() == TODAY


def test_a_clock_that_was_never_set_continues_from_the_known_time() -> None:
    machine = Machine(12.0)
    clock = machine.make(known=TODAY)
    machine.pass_time(30)
    assert clock() == TODAY + 30
    assert clock.step() == 0


def test_without_a_known_time_it_is_the_earliest_time() -> None:
    assert Machine(0.0).make()() == EARLIEST


def test_the_step_to_the_right_time_is_noticed_once() -> None:
    machine = Machine(12.0)
    clock = machine.make(known=TODAY)
    machine.pass_time(5)
    machine.wall = TODAY + 3600
    assert clock.step() == 3600 - 5
    assert clock.step() == 0
    assert clock() == TODAY + 3600


def test_a_step_back_is_noticed() -> None:
    machine = Machine(TODAY)
    clock = machine.make()
    machine.pass_time(10)
    machine.wall -= 300
    assert clock.step() == -300


def test_a_correction_of_the_rate_is_no_step() -> None:
    machine = Machine(TODAY)
    clock = machine.make()
    for _ in range(100):
        machine.pass_time(1)
        machine.wall += 0.01
        assert clock.step() == 0


def test_nothing_ages_as_the_clock_is_set_years_ahead_and_back() -> None:
    machine = Machine(TODAY)
    clock = machine.make(known=TODAY - 100)
    machine.pass_time(50)
    machine.wall += 20 * 365 * 86_400.0
    assert clock.aged() == TODAY - 50
    machine.pass_time(60)
    machine.wall -= 20 * 365 * 86_400.0
    assert clock.aged() == TODAY + 10


def test_nothing_ages_while_the_machine_is_off() -> None:
    machine = Machine(TODAY)
    clock = machine.make(known=TODAY - 90 * 86_400.0)
    machine.pass_time(7)
    assert clock.aged() == TODAY - 90 * 86_400.0 + 7


def test_a_clock_that_is_set_back_ages_nothing() -> None:
    machine = Machine(TODAY)
    clock = machine.make()
    machine.wall -= 3600
    assert clock.aged() == TODAY - 3600


def test_a_trusted_time_applies_until_the_clock_is_set_and_survives_corrections_of_its_rate() -> None:
    machine = Machine(TODAY - 7200)
    clock = machine.make()
    clock.believe(7200.0)
    assert clock.step() == 7200.0
    for _ in range(1000):
        machine.pass_time(1)
        machine.wall += 0.01
        assert clock.step() == 0
    assert clock() == machine.wall + 7200
    machine.wall += 7200
    assert clock() == machine.wall
    assert clock.step() == 0
    assert (clock(), clock.believed_s) == (machine.wall, 0.0)


def test_ages_continue_from_where_they_were_before_the_start() -> None:
    machine = Machine(TODAY + 20 * 365 * 86_400.0)
    clock = WallClock(EARLIEST, machine.wall, lambda: machine.wall, lambda: machine.steady, aged=TODAY)
    machine.pass_time(7)
    assert clock.aged() == TODAY + 7


def test_what_was_stamped_while_the_clock_was_set_back_is_not_old_once_it_is_correct_again() -> None:
    machine = Machine(TODAY)
    clock = machine.make()
    machine.wall -= 400 * 86_400.0
    stamp = clock()
    machine.pass_time(60)
    machine.wall += 400 * 86_400.0
    assert clock.aged() - stamp == 60
    machine.pass_time(3600)
    assert clock.aged() - stamp == 3660
