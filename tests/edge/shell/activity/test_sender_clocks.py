"""Topics whose times are behind their arrival, always by as much."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from activity_line import T0, Line, Lines

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.activity.senders.sender_clocks import (
    BEHIND_S,
    FEWEST,
    FIRST,
    MOST_TOLD,
    PENDING_S,
    SPAN_S,
    TOPICS,
    SenderClocks,
)
from edge.shell.activity.well_being import notes_on
from edge.shell.service.assembly.parts import make_pipeline

HOURS = 7200.0
STEP_S = SPAN_S / (FEWEST - 1)


def watch(keys: str = "") -> SenderClocks:
    return SenderClocks(make_pipeline(parse(f'[[input]]\ntopic = "#"\n{keys}').configuration).intake.routes.find)


def epoch(time: float) -> Any:
    return time


def local(time: float) -> Any:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")


def sent(
    lag: Callable[[float], float], count: int = FEWEST, step: float = STEP_S, write: Callable[[float], Any] = epoch
) -> list[Message]:
    """Messages that arrive every `step` seconds, behind by what `lag` gives for the seconds passed."""
    passed = [number * step for number in range(count)]
    return [message({"time": write(T0 + each - lag(each)), "temp": 20 + each}, each) for each in passed]


def message(document: object, passed: float, topic: str = "kiln", *, retained: bool = False) -> Message:
    return Message(topic, json.dumps(document).encode(), T0 + passed, retained)


@pytest.mark.parametrize(("write", "remedy"), [(epoch, 'time = "arrival"'), (local, 'zone = "..."')])
def test_times_that_are_always_behind_by_as_much_are_logged_once(
    write: Callable[[float], Any], remedy: str, log: Lines
) -> None:
    clocks = watch()
    clocks.note(sent(lambda _: HOURS, count=3 * FEWEST, write=write))
    (line,) = log.take("clock_behind")
    assert line.startswith("clock_behind topic='kiln': its times are 2 h behind their arrival, always by as much; ")
    assert remedy in line
    assert clocks.listed()["count"] == 1


@pytest.mark.parametrize(
    "messages",
    [
        sent(lambda _: HOURS, count=FEWEST - 1, step=2 * STEP_S),
        sent(lambda _: HOURS, count=100, step=STEP_S / 30),
        sent(lambda _: BEHIND_S - 1, count=50),
        sent(lambda _: -HOURS, count=50),
        sent(lambda passed: HOURS - passed, count=50),
        sent(lambda passed: HOURS + 61 * (passed / STEP_S % 2), count=50),
        [message({"temp": 20}, each) for each in range(0, 1000, 30)],
        [message({"time": T0 - HOURS, "temp": 20}, each, retained=True) for each in range(0, 1000, 30)],
        [message({"time": "soon"}, each) for each in range(0, 1000, 30)],
    ],
)
def test_others_are_not(messages: list[Message]) -> None:
    """Too few or in too short a time, behind by little, ahead, a backlog, an irregular lag, none, old, unreadable."""
    clocks = watch()
    clocks.note(messages)
    assert clocks.listed()["count"] == 0


def test_a_topic_whose_times_are_those_of_arrival_is_not_examined() -> None:
    clocks = watch('time = "arrival"')
    clocks.note(sent(lambda _: HOURS, count=50))
    assert clocks.listed()["count"] == 0


@pytest.mark.parametrize("step", [0.5, 1.0, 5.0, 60.0])
def test_a_steady_lag_is_decided_soon_after_two_minutes_whatever_the_interval(step: float) -> None:
    clocks = watch()
    most = max(SPAN_S + PENDING_S + step, FEWEST * step)
    clocks.note(sent(lambda _: HOURS, count=round(most / step) + 1, step=step))
    assert clocks.listed()["count"] == 1


def test_nor_is_one_of_whose_first_messages_none_has_a_time() -> None:
    clocks = watch()
    clocks.note([message({"temp": 20}, each) for each in range(FIRST)] + sent(lambda _: HOURS, count=500))
    assert clocks.listed()["count"] == 0
    clocks = watch()
    clocks.note([message({"temp": 20}, each) for each in range(FIRST - 1)] + sent(lambda _: HOURS, count=500))
    assert clocks.listed()["count"] == 1


def test_a_clock_that_was_set_is_not_listed_any_more_nor_logged_again(log: Lines) -> None:
    clocks = watch()
    clocks.note(sent(lambda _: HOURS))
    assert clocks.listed()["count"] == 1
    clocks.note(sent(lambda _: 1.0, count=200))
    assert clocks.listed()["count"] == 0
    assert len(log.take("clock_behind")) == 1


def test_topics_and_lines_are_bounded(log: Lines) -> None:
    clocks = watch()
    for passed in range(0, round(SPAN_S) + 1, round(STEP_S)):
        document = {"time": T0 + passed - HOURS, "temp": 1}
        clocks.note([message(document, passed, f"kiln/{each}") for each in range(2 * TOPICS)])
    assert clocks.listed()["count"] == TOPICS
    assert len(clocks._topics) == TOPICS
    assert len(log.take("clock_behind")) == MOST_TOLD


def test_the_status_says_so_in_a_sentence(log: Lines, tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    for each in sent(lambda _: HOURS):
        line.take(each.arrived - T0, ("house/kiln", each.payload))
    assert len(log.take("clock_behind")) == 1
    assert notes_on(line.activity.as_dict(0, "running") | {"health": {}})[0] == (
        "the times of house/kiln are 2 h behind their arrival, always by as much: the sender's clock is to be set; "
        'until then time = "arrival" of the input uses the arrival'
    )
    many = {"count": 3, "topics": [{"topic": "a", "behind_s": 600, "remedy": "x"}]}
    assert notes_on({"behind": many})[1:] == ["so are those of 2 further topics"]
