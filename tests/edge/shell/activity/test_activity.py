"""The log of a running service: each message once, bounded, and never a line per reading."""

from __future__ import annotations

from pathlib import Path

import pytest
from activity_line import OWN, T0, Line, Lines, health
from store_examples import event

from edge.core.model.readings.messages import Message
from edge.shell.activity.status_file import RUNNING, read_status
from edge.shell.service.turns.commit_group import CommitGroup


def test_the_first_message_on_each_input_is_logged_once(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b"1"), ("plant/b", b"2"), ("house/x/y", b"3"), (f"{OWN}/status", b"{}"))
    line.take(1, ("elsewhere", b"3"), ("plant/a", b"1"), ("house/z", b"4"))
    assert log.take() == [
        "first_message input='plant/+' topic='plant/a'",
        "first_message input='house/#' topic='house/x/y'",
        "first_message input='#' topic='elsewhere'",
    ]


def test_an_input_without_messages_for_a_minute_is_logged_once(log: Lines) -> None:
    line = Line()
    line.turn(0)
    line.take(1, ("plant/a", b"1"))
    log.take("input_silent")
    line.turn(59)
    assert log.take("input_silent") == []
    line.turn(60)
    line.turn(200)
    assert [each.split()[1] for each in log.take("input_silent")] == ["input='house/#'", "input='#'"]


def test_an_input_is_not_silent_while_the_broker_is_away(log: Lines) -> None:
    line = Line()
    line.turn(0)
    line.turn(50, connected=False)
    line.turn(61)
    line.turn(120)
    assert log.take("input_silent") == []
    line.turn(121)
    assert len(log.take("input_silent")) == 3


def test_refusals_give_one_line_per_minute_input_and_reason_with_an_example(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b"\xff\x00{"), ("plant/a", b""))
    lines = sorted(log.take("refused"))
    assert lines[0] == "refused reason=empty count=1 input='plant/+' topic='plant/a' payload=''"
    assert lines[1].startswith("refused reason=not_utf8 count=1 input='plant/+' topic='plant/a' ")
    assert lines[1].endswith("payload='\\xff\\x00{'")


def test_one_reason_on_two_inputs_gives_two_lines_and_separate_counts(log: Lines, tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    line.take(0, ("plant/a", b""), ("house/x/y", b""), ("house/x/y", b""))
    assert sorted(log.take("refused")) == [
        "refused reason=empty count=1 input='plant/+' topic='plant/a' payload=''",
        "refused reason=empty count=2 input='house/#' topic='house/x/y' payload=''",
    ]
    assert line.pipeline.counters.as_dict()["refused_of_inputs"] == {"house/#": {"empty": 2}, "plant/+": {"empty": 1}}
    line.turn(0)
    said = read_status(tmp_path / "store.db")
    assert said is not None
    assert [(each["input"], each["count"]) for each in said.content["refused"]] == [("house/#", 2), ("plant/+", 1)]


def test_a_lasting_reason_is_logged_with_its_count_after_a_minute(log: Lines) -> None:
    line = Line()
    for second in range(120):
        line.take(second, ("plant/a", b""))
        line.turn(second)
    refused = log.take("refused")
    assert [each.split()[2] for each in refused] == ["count=1", "count=60"]
    line.activity.close(120, health)
    assert [each.split()[2] for each in log.take("refused")] == ["count=59"]


def test_the_count_for_the_rest_of_a_minute_is_logged_even_if_nothing_else_arrives(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b""))
    line.take(30, ("plant/a", b""))
    log.take()
    line.turn(59)
    assert log.take("refused") == []
    line.turn(60)
    assert log.take("refused") == ["refused reason=empty count=1 input='plant/+' topic='plant/a' payload=''"]


def test_uncommitted_refusals_are_logged_with_their_commit(log: Lines) -> None:
    line = Line()
    line.pipeline.process([Message("plant/a", b"", T0)])
    line.turn(0)
    assert log.take("refused") == []
    line.take(1, ("plant/b", b""))
    assert log.take("refused") == ["refused reason=empty count=2 input='plant/+' topic='plant/b' payload=''"]


def test_a_flood_of_one_reason_hides_no_other(log: Lines) -> None:
    line = Line()
    line.take(0, *[("plant/a", b"")] * 500, ("plant/odd", b"on"))
    lines = log.take("refused")
    assert "refused reason=empty count=500 input='plant/+' topic='plant/a' payload=''" in lines
    assert any("topic='plant/odd'" in each and "payload='on'" in each for each in lines)


def test_a_line_about_refused_input_is_bounded_and_shows_hidden_characters(log: Lines) -> None:
    line = Line()
    line.take(0, ("house/\u202e" + "x" * 5000, ('"\u200b' + "y" * 5000).encode()))
    (shown,) = log.take("refused")
    assert len(shown) < 1000
    assert "\\u202e" in shown
    assert "\\u200b" in shown


def test_incidents_are_logged_as_they_are_raised_and_end(log: Lines) -> None:
    line, group = Line(), CommitGroup(2.0, 20)
    group.events = [
        event(1, severity=900),
        event(2, transition="updated"),
        event(3, transition="cleared")._replace(message="line1/pump is back to normal at 2"),
    ]
    line.activity.committed(group.messages, group.dead_letters, group.events, (), 0)
    assert log.take() == [
        "raised sensor='line1/pump' severity=FATAL: line1/pump is at 9",
        "cleared sensor='line1/pump' severity=WARN: line1/pump is back to normal at 2",
    ]


def test_a_flood_of_incidents_is_counted_instead_of_listed(log: Lines) -> None:
    line, group = Line(), CommitGroup(2.0, 20)
    group.events = [event(number) for number in range(1, 501)]
    line.activity.committed(group.messages, group.dead_letters, group.events, (), 0)
    assert len(log.take()) == 30
    line.turn(30)
    assert log.take() == []
    line.turn(60)
    assert log.take() == ["more_incidents raised=470 see='edgewarden events'"]


def test_sensors_are_logged_when_their_number_has_settled(log: Lines) -> None:
    line = Line()
    for second in range(20):
        line.take(second, (f"plant/{second}", b"1"))
        line.turn(second)
    log.take("sensors")
    line.turn(48)
    assert log.take("sensors") == []
    line.turn(49)
    assert log.take("sensors") == ["sensors_found new=20 sensors=20 devices=0"]
    line.turn(1000)
    assert log.take("sensors") == []


def test_a_continuing_stream_of_new_sensors_is_logged_after_ten_minutes(log: Lines) -> None:
    line = Line()
    for second in range(0, 601, 20):
        line.take(second, (f"plant/{second}", b"1"))
        line.turn(second)
    assert log.take("sensors") == ["sensors_found new=31 sensors=31 devices=0"]


def test_sensors_known_at_the_start_are_not_news(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b"1"))
    log.take()
    line.activity = line.begin()
    for now in (0, 100, 700):
        line.turn(now, connected=False)
    assert log.take() == []


@pytest.mark.long
def test_ten_thousand_readings_give_no_lines(log: Lines) -> None:
    line = Line()
    line.take(0, *[("plant/a", f'{{"ts": {T0 - 10_000 + each}, "v": 1}}'.encode()) for each in range(10_000)])
    line.turn(1)
    assert len(log.take()) == 1


def test_rates_and_last_messages_are_counted_for_each_input() -> None:
    line = Line()
    for second in range(0, 121, 5):
        line.take(second, ("plant/a", b"1"), ("plant/b", b"1"))
        line.turn(second)
    plant, house, _ = line.activity.as_dict(120, RUNNING)["inputs"]  # type: ignore[misc]
    assert plant == {"topic": "plant/+", "messages": 50, "per_minute": 24.0, "last": "2023-11-14T22:15:20.000Z"}
    assert house == {"topic": "house/#", "messages": 0, "per_minute": 0.0, "last": None}


def test_the_end_of_a_service_is_logged_last(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b""))
    line.take(1, ("plant/a", b""))
    line.activity.close(2, health)
    assert [each.split()[0] for each in log.take()][-2:] == ["refused", "stopped"]
