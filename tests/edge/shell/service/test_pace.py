"""The maximum size of a step, depending on the duration of earlier ones."""

from __future__ import annotations

from edge.shell.service.turns.pace import FEWEST_MESSAGES, FIRST_MESSAGES, LONGEST_STEP_S, MOST_MESSAGES, Pace


class Machine:
    """Takes the given time per message, and has an endless backlog."""

    def __init__(self, seconds_a_message: float) -> None:
        self.now = 0.0
        self.seconds = seconds_a_message
        self.pace = Pace(lambda: self.now)

    def step(self) -> float:
        """Seconds that it took."""
        began, messages = self.now, self.pace.most
        self.now += messages * self.seconds
        self.pace.stepped(messages, messages, began)
        return self.now - began


def test_a_slow_machine_gets_steps_of_about_a_second_after_the_first() -> None:
    machine = Machine(0.01)
    first, *others = [machine.step() for _ in range(10)]
    assert first == FIRST_MESSAGES * 0.01
    assert max(others) <= LONGEST_STEP_S
    assert machine.pace.most == 100


def test_a_fast_machine_soon_takes_everything_available() -> None:
    machine = Machine(1e-5)
    for _ in range(4):
        machine.step()
    assert machine.pace.most == MOST_MESSAGES


def test_a_step_never_has_fewer_messages_than_a_minimum() -> None:
    machine = Machine(1.0)
    machine.step()
    assert machine.pace.most == FEWEST_MESSAGES


def test_steps_grow_again_when_the_machine_has_time_again() -> None:
    machine = Machine(0.01)
    machine.step()
    machine.seconds = 1e-5
    for _ in range(8):
        machine.step()
    assert machine.pace.most == MOST_MESSAGES


def test_a_quiet_plant_gives_no_information_about_the_size_of_steps() -> None:
    machine = Machine(1e-5)
    for _ in range(100):
        machine.pace.stepped(1, 1, machine.now)
    assert machine.pace.most == FIRST_MESSAGES
