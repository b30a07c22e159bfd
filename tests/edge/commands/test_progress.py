from __future__ import annotations

import io

from edge.commands.support.printing.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_shows_a_bar_and_is_left_clean() -> None:
    clock, target = Clock(), Terminal()
    with Progress(target, clock) as progress:
        progress.begin("a.csv")
        clock.now = 1.0
        progress.at(0.5)
    assert " 50%" in target.getvalue()
    assert "1 s left" in target.getvalue()
    assert target.getvalue().endswith("\r\033[K")


def test_the_label_may_change() -> None:
    clock, target = Clock(), Terminal()
    with Progress(target, clock) as progress:
        progress.begin("no message yet")
        clock.now = 1.0
        progress.at(0.5, "1 message")
        clock.now = 2.0
        progress.at(0.75)
    assert target.getvalue().count("1 message") == 2


def test_a_terminal_is_not_flooded() -> None:
    clock, target = Clock(), Terminal()
    with Progress(target, clock) as progress:
        progress.begin("a.csv")
        for step in range(1000):
            clock.now = step / 1000
            progress.at(step / 1000)
    assert target.getvalue().count("a.csv") <= 10


def test_elsewhere_short_work_is_silent_and_long_work_prints_a_line_from_time_to_time() -> None:
    clock, target = Clock(), io.StringIO()
    with Progress(target, clock) as progress:
        progress.begin("a.csv")
        clock.now = 20.0
        progress.at(0.2)
        assert target.getvalue() == ""
        clock.now = 40.0
        progress.at(0.4)
        clock.now = 50.0
        progress.at(2.0)
    assert target.getvalue() == "a.csv: 40%\n"
