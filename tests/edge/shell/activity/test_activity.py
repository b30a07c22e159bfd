"""The log of a running service: each message once, bounded, and never a line per reading."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from store_examples import event

from config.loading import parse
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.shell.activity import Activity
from edge.shell.activity.status_file import RUNNING, read_status, status_path
from edge.shell.link import Link, LinkOptions
from edge.shell.link.versions.abilities import Abilities
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.turns.commit_group import CommitGroup
from edge.shell.system.logs import RateLimit

OWN = "edgewarden/gateway"
CONFIGURATION = """
[limits]
dead_letters_per_minute = 20
[[input]]
topic = "plant/+"
[[input]]
topic = "house/#"
[[input]]
topic = "#"
"""
T0 = 1_700_000_000.0


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.addFilter(RateLimit(clock=lambda: 0.0))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def take(self, of: str = "") -> list[str]:
        """The lines since the last call that begin with the given text."""
        taken, self.lines = self.lines, []
        return [each for each in taken if each.startswith(of)]


@pytest.fixture
def log() -> Iterator[Lines]:
    logger, lines = logging.getLogger("edgewarden"), Lines()
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel("INFO")
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(before)


class Stub:
    """The parts of a link that the activity log reads."""

    def __init__(self) -> None:
        self.connected = True
        self.version = "5"
        self.trouble = ""
        self.refused_subscriptions = {"house/#": "Not authorized"}
        self.refused_publications = 0
        self.abilities = Abilities()
        self.takeovers = 0
        self.options = LinkOptions(host="broker", port=1883)


class Line:
    """A pipeline whose steps are committed immediately, watched by an activity log."""

    def __init__(self, store: Path | None = None) -> None:
        configuration = parse(CONFIGURATION).configuration
        self.pipeline = make_pipeline(configuration)
        self.link = Stub()
        filters = tuple(each.topic for each in configuration.inputs)
        self.options = ServiceOptions(Topics(OWN), filters=filters, about={"gateway": "gateway"}, store=store)
        self.activity = self.begin()

    def take(self, now: float, *messages: tuple[str, bytes]) -> None:
        group = CommitGroup(2.0, 20)
        arrived = [Message(topic, payload, T0 + now) for topic, payload in messages]
        for step, its in self.pipeline.steps(arrived):
            group.add(step, its, now)
        self.activity.committed(group.messages, group.dead_letters, group.events, (), now)

    def begin(self) -> Activity:
        link = cast("Link", self.link)
        return Activity(self.options, self.pipeline, (link, link))

    def turn(self, now: float, *, connected: bool = True) -> None:
        self.link.connected = connected
        self.activity.turn(now, health)


def health() -> bytes:
    return b'{"uptime_s": 3}'


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


def test_the_status_file_is_written_every_ten_seconds_and_when_a_connection_changes(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    line = Line(store)
    file = status_path(store)

    def is_written(now: float, *, connected: bool = True) -> bool:
        file.unlink(missing_ok=True)
        line.turn(now, connected=connected)
        return file.exists()

    assert [is_written(now) for now in (0, 2, 9.9, 10, 12, 20)] == [True, False, False, True, False, True]
    assert is_written(21, connected=False)
    assert not is_written(22, connected=False)
    assert is_written(23)


def test_the_status_file_contains_current_activity_and_the_end_of_the_service(tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    line.take(0, ("plant/a", b"1"), ("plant/b", b"\xe2\x80\xae"))
    line.turn(1)
    said = read_status(tmp_path / "store.db")
    assert said is not None
    assert (said.content["state"], said.content["gateway"], said.pid) == ("running", "gateway", os.getpid())
    (connection,) = said.content["connections"]
    assert connection == {
        "carries": "readings and events",
        "host": "broker",
        "port": 1883,
        "connected": True,
        "version": "5",
        "trouble": "",
        "refused_subscriptions": {"house/#": "Not authorized"},
        "refused_publications": 0,
        "takeovers": 0,
    }
    assert [each["messages"] for each in said.content["inputs"]] == [2, 0, 0]
    (refused,) = said.content["refused"]
    assert (refused["topic"], refused["payload"], refused["count"]) == ("plant/b", "\\u202e", 1)
    assert said.content["health"] == {"uptime_s": 3}
    line.activity.close(2, lambda: b'{"uptime_s": 5}')
    ended = read_status(tmp_path / "store.db")
    assert ended is not None
    assert (ended.content["state"], ended.content["health"]) == ("stopped", {"uptime_s": 5})


def test_the_end_of_a_service_is_logged_last(log: Lines) -> None:
    line = Line()
    line.take(0, ("plant/a", b""))
    line.take(1, ("plant/a", b""))
    line.activity.close(2, health)
    assert [each.split()[0] for each in log.take()][-2:] == ["refused", "stopped"]


def test_the_status_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    Line(tmp_path / "store.db").turn(0)
    assert status_path(tmp_path / "store.db").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_refuses_the_status_is_logged_once(log: Lines, tmp_path: Path) -> None:
    line = Line(tmp_path / "nowhere" / "store.db")
    for now in (0, 10, 20):
        line.turn(now)
    assert [each.split()[0] for each in log.take()] == ["status_not_written"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff"])
def test_an_unreadable_status_file_counts_as_missing(tmp_path: Path, content: bytes) -> None:
    status_path(tmp_path / "store.db").write_bytes(content)
    assert read_status(tmp_path / "store.db") is None
    assert read_status(tmp_path / "another.db") is None


def test_a_status_from_the_future_is_not_older_than_now(tmp_path: Path) -> None:
    status_path(tmp_path / "store.db").write_text(json.dumps({"pid": 1}))
    said = read_status(tmp_path / "store.db", now=0.0)
    assert said is not None
    assert said.age_s == 0.0


def test_the_status_is_written_immediately_for_a_first_message_a_new_reason_and_a_failed_connection(
    tmp_path: Path,
) -> None:
    line = Line(tmp_path / "store.db")

    def said() -> dict[str, Any]:
        status = read_status(tmp_path / "store.db")
        assert status is not None
        return status.content

    line.turn(0)
    assert said()["inputs"][0]["messages"] == 0
    line.take(1, ("plant/a", b"1"))
    line.turn(2)
    assert said()["inputs"][0]["messages"] == 1
    line.take(3, ("plant/a", b""))
    line.turn(4)
    assert [each["reason"] for each in said()["refused"]] == ["empty"]
    line.turn(5, connected=False)
    line.link.trouble = "Not authorized"
    line.turn(6, connected=False)
    assert said()["connections"][0]["trouble"] == "Not authorized"


def test_the_status_is_not_written_for_each_message(tmp_path: Path) -> None:
    line = Line(tmp_path / "store.db")
    line.take(0, ("plant/a", b"1"), ("plant/a", b""))
    line.turn(0)
    status_path(tmp_path / "store.db").unlink()
    line.take(1, ("plant/a", b"2"), ("plant/a", b""))
    line.turn(2)
    assert read_status(tmp_path / "store.db") is None
