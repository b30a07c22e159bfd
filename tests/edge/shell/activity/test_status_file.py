"""The status file of a running service: current, bounded in how often it is written, and readable by its owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from activity_line import Line, Lines

from edge.shell.activity.status_file import read_status, status_path


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


def test_the_status_file_is_written_early_when_the_store_fails_and_when_it_works_again(tmp_path: Path) -> None:
    activity = Line(tmp_path / "store.db").activity
    works = {0: True, 2: False, 4: False, 6: True, 8: True}
    assert [now for now, each in works.items() if activity.turn(now, lambda: b"{}", store_works=each)] == [0, 2, 6]


def test_health_is_due_with_the_status_file_also_where_there_is_none(tmp_path: Path) -> None:
    for store in (tmp_path / "store.db", None):
        line = Line(store)
        assert [now for now in range(0, 24, 2) if line.turn(now, connected=now != 6)] == [0, 6, 8, 18]


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
