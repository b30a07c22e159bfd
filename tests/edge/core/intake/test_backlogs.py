"""Readings that arrive at once after the service was away make none of their sensors look silent."""

from __future__ import annotations

import json
from collections.abc import Iterable

import numpy as np
import pytest

from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, revived

OWN, STAMPED, SLOW = ("paced/a", "paced/b"), ("now/c", "now/d"), "paced/pack"
BACK = START + 36.0
RESTARTS = pytest.mark.parametrize("cut", [1, 7, 10_000])


def kept(messages: Iterable[Message]) -> list[Message]:
    """Deliver what a broker has kept."""
    return [each._replace(qos=1, packet=1 + number % 60_000) for number, each in enumerate(messages)]


def arriving(messages: Iterable[Message], arrived: float) -> list[Message]:
    """The same messages, all arriving at one time."""
    return [each._replace(arrived=arrived) for each in messages]


def pack(first: float, last: float) -> Message:
    """A message of many readings, one second apart."""
    rows = [{"ts": time, "value": 20.0 + time % 7} for time in np.arange(first, last)]
    return Message(SLOW, json.dumps(rows).encode(), last, qos=1, packet=7)


def sent(times: Iterable[float], *sensors: str) -> list[Message]:
    return kept(plant(times, *sensors))


def house(times: range) -> list[Message]:
    """All sensors every second, and a pack every five seconds."""
    messages: list[Message] = []
    for second in times:
        messages += sent([START + second], *OWN, *STAMPED)
        if second % 5 == 4:
            messages.append(pack(START + second - 4, START + second + 1))
    return messages


def away(line: Line) -> Line:
    line.pipeline.interruption.catch_up.returned()
    return line


def back_again(line: Line, cut: int) -> Line:
    """The readings that follow a backlog, and its end."""
    line.take(house(range(36, 40)), cut=cut).do("caught up", None)
    return line.take(house(range(40, 60)), cut=cut)


@RESTARTS
def test_no_sensor_in_the_same_backlog_is_silent_although_others_are_stamped_on_arrival(
    cut: int,
) -> None:
    line = away(Line(pipeline()).take(house(range(30)), cut=cut))
    line.take(arriving(house(range(30, 36)), BACK), cut=cut)
    assert back_again(line, cut).missing() == []


@RESTARTS
def test_no_sensor_whose_messages_were_not_kept_is_silent_although_packs_of_others_cover_that_time(cut: int) -> None:
    before = house(range(30))
    unkept = [each if each.topic == SLOW else each._replace(qos=0, packet=0) for each in before]
    line = away(Line(pipeline()).take(unkept, cut=cut))
    line.take(arriving([pack(START + 30, START + 35)], BACK), cut=cut)
    assert back_again(line, cut).missing() == []


@RESTARTS
def test_a_sensor_that_stays_silent_after_a_backlog_is_reported(cut: int) -> None:
    line = away(Line(pipeline()).take(house(range(30)), cut=cut))
    line.take(arriving(house(range(30, 36)), BACK), cut=cut)
    without = [each for each in house(range(36, 60)) if each.topic != "now/d"]
    line.take(without[:16], cut=cut).do("caught up", None)
    assert line.missing() == []
    assert line.take(without[16:], cut=cut).missing() == ["now/d"]


def test_a_complete_backlog_with_its_own_times_reports_the_silences_in_it() -> None:
    others = sent(START + np.arange(60.0), *OWN)
    silent = sent([START + each for each in range(60) if not 32 <= each < 50], SLOW)
    messages = sorted([*others, *silent], key=lambda each: each.arrived)
    undisturbed = Line(pipeline()).take(messages)
    assert undisturbed.missing() == [SLOW]
    line = away(Line(pipeline()).take([each for each in messages if each.arrived < START + 31.0]))
    line.take(arriving([each for each in messages if each.arrived >= START + 31.0], START + 60.0))
    line.do("caught up", None)
    assert line.events == undisturbed.events


def test_a_restart_in_a_backlog_or_after_it_gives_the_same_result() -> None:
    whole = Line(pipeline()).take(house(range(30)))
    saved = whole.pipeline.save("", "")
    parts = len(whole.parts)
    away(whole).take(arriving(house(range(30, 33)), BACK))
    within = whole.pipeline.save("", "")
    later = len(whole.parts)
    again = revived(pipeline(), saved, whole.parts[parts:])
    assert differing(again.pipeline, whole.pipeline) == []
    away(again)
    for each in (whole, again):
        back_again(each.take(arriving(house(range(33, 36)), BACK)), 7)
    assert (again.missing(), differing(again.pipeline, whole.pipeline)) == ([], [])
    for each in (revived(pipeline(), within, whole.parts[later:]), revived(pipeline(), saved, whole.parts[parts:])):
        assert differing(each.pipeline, whole.pipeline) == []


def test_a_snapshot_begun_in_a_backlog_is_abandoned_at_its_end() -> None:
    line = away(Line(pipeline()).take(house(range(30))))
    line.take(arriving(house(range(30, 36)), BACK))
    assert not line.pipeline.interruption.is_over
    line.do("caught up", None).take(house(range(36, 38)))
    assert line.pipeline.interruption.is_over
