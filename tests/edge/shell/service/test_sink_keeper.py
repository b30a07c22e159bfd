"""Sinks and the loop: positions are written after everything that must be stored before them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from http_receivers import Answer, WebhookReceiver
from running import wait_until
from sink_line import SinkLine, sink_event, sink_events

from edge.shell.sinks.options import SinkOptions
from edge.shell.store import SinkPosition, SqliteStore, StoreError, StoreFiles, StoreLimits
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.2)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.FIRST_S", 0.1)


def webhook(receiver: WebhookReceiver, name: str = "out", **more: Any) -> SinkOptions:
    return SinkOptions(name, "webhook", receiver.how(), **{"begin": "beginning", **more})


def test_a_store_without_sinks_has_no_table_of_them(tmp_path: Path) -> None:
    line = SinkLine(tmp_path)
    line.store_events(sink_events(1, 3))
    line.turn()
    line.close()
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert "sink" not in tables


def test_a_sink_that_was_removed_from_the_configuration_keeps_nothing(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, webhook(receiver), webhook(receiver, "other"), events_days=1e-9)
    line.store_events(sink_events(1, 5))
    line.turn()
    assert line.passed() == {"other": 0, "out": 0}
    line.keeper.follow([webhook(receiver, "other")])
    line.turn()
    assert line.passed() == {"other": 0}
    line.keeper.follow([])
    line.turn()
    line.store.prune(line.clock() + 86_400)
    assert line.store._database.number("SELECT count(*) FROM events") == 0
    line.close()


def test_a_sink_that_is_removed_while_events_wait_for_it_is_logged(
    receiver: WebhookReceiver, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.runner.LOOK_S", 0.05)
    receiver.kill()
    line = SinkLine(tmp_path, webhook(receiver, "old"))
    line.store_events(sink_events(1, 5))
    line.run_until(lambda: line.keeper.as_dict()["old"]["lag_events"] == 5, what="the backlog")
    line.keeper.follow([webhook(receiver, "new")])
    line.turn()
    assert "sink_removed sink=old waiting=5" in caplog.text
    line.close()
    line = SinkLine(tmp_path)
    line.turn()
    assert "sink_removed sink=new" in caplog.text
    line.close()


@pytest.mark.long
def test_a_sink_whose_table_was_changed_continues_where_it_stopped(receiver: WebhookReceiver, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, webhook(receiver))
    line.store_events(sink_events(1, 5))
    line.run_through(5)
    assert line.keeper.has([webhook(receiver)])
    other = webhook(receiver, begin="now")
    assert not line.keeper.has([other])
    line.keeper.follow([other])
    line.store_events(sink_events(6, 9))
    line.run_through(9)
    line.close()
    assert [int(each["sequence"]) for each in receiver.received()] == list(range(1, 10))


def test_the_position_after_a_refused_event_is_written_after_its_dead_letter(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.answer = lambda _: Answer(400)
    line = SinkLine(tmp_path, webhook(receiver))
    line.store_events([sink_event(1)])
    wait_until(lambda: line.keeper.turn(line.store) or line.group.dead_letters, what="the refusal")
    wait_until(lambda: line.keeper._runners["out"]._at.passed == 1, what="the runner's own position")
    line.keeper._write_at = 0.0
    line.keeper.turn(line.store)
    assert line.passed() == {"out": 0}
    assert read_dead_letters(line.path, LetterFilter()) == []
    line.run_through(1)
    (letter,) = read_dead_letters(line.path, LetterFilter())
    assert (letter["reason"], letter["path"]) == ("sink_refused", "out")
    assert "400" in letter["detail"]
    line.close()


def test_the_same_holds_when_the_sinks_change_at_that_moment(receiver: WebhookReceiver, tmp_path: Path) -> None:
    receiver.answer = lambda _: Answer(400)
    line = SinkLine(tmp_path, webhook(receiver))
    line.turn()
    line.store_events([sink_event(1)])
    line.run_until(lambda: line.keeper._runners["out"]._at.passed == 1, what="the refusal")
    line.keeper.follow([webhook(receiver, begin="now")])
    line.keeper.turn(line.store)
    assert line.passed() == {"out": len(read_dead_letters(line.path, LetterFilter()))}
    line.run_through(1)
    assert len(read_dead_letters(line.path, LetterFilter())) == 1
    line.close()


def test_an_event_refused_just_before_the_end_has_its_dead_letter(receiver: WebhookReceiver, tmp_path: Path) -> None:
    receiver.answer = lambda _: Answer(400)
    line = SinkLine(tmp_path, webhook(receiver))
    line.turn()
    line.store_events([sink_event(1)])
    line.run_until(lambda: line.keeper.as_dict()["out"]["set_aside"] or line.group.dead_letters, what="the refusal")
    line.close()
    assert len(read_dead_letters(line.path, LetterFilter())) == 1
    store = SqliteStore(line.path, "process")
    assert store.sinks() == {"out": SinkPosition(1)}
    store.close()


def test_events_that_no_longer_wait_for_the_broker_are_kept_for_a_sink(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, webhook(receiver))
    line.store.append(sink_events(1, 4), [], now=line.clock())
    line.turn()
    line.store.append([], [], now=line.clock(), instead_of=[1, 2])
    assert [each.sequence for each in line.store.pending(0, 10)] == [3, 4]
    receiver.start()
    line.run_through(4)
    line.close()
    assert [int(each["sequence"]) for each in receiver.received()] == [1, 2, 3, 4]


@pytest.mark.long
def test_a_gap_that_a_sink_has_sent_is_not_joined_with_the_next(receiver: WebhookReceiver, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, webhook(receiver))
    gaps = []
    for _ in range(2):
        line.gaps.report(_gap())
        line.turn()
        gaps.append(line.store.last_sequence())
        line.run_through(gaps[-1])
    assert [each["data"]["count"] for each in receiver.received()] == [3, 3]
    line.close()


def _gap() -> Any:
    from edge.core.incidents.events.gaps import Gap

    return Gap("events", "outbox_events", 3, 1.0, 2.0)


def test_a_damaged_store_is_replaced_including_the_positions_and_the_events_that_sinks_need(
    receiver: WebhookReceiver, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, webhook(receiver), webhook(receiver, "other"))
    line.store_events(sink_events(1, 6))
    line.store.note_sinks({"out": SinkPosition(2), "other": SinkPosition(4, 5)})
    line.store.close()
    files = StoreFiles(line.path, "process", StoreLimits(free_disk_bytes=0))
    replaced, _ = files.replace(line.clock(), "for the test")
    assert replaced.sinks() == {"out": SinkPosition(2), "other": SinkPosition(4, 5)}
    rows = replaced._database.execute("SELECT sequence, confirmed IS NULL FROM events")
    assert rows == [(3, 0), (4, 0), (5, 0), (6, 0)]
    replaced.close()


@pytest.mark.long
def test_a_store_that_refuses_writes_is_reported_and_retried(
    receiver: WebhookReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = SinkLine(tmp_path, webhook(receiver))
    line.store_events(sink_events(1, 3))
    line.turn()

    def refuse(_: object) -> None:
        raise StoreError("disk full", temporary=True)

    with monkeypatch.context() as patch:
        patch.setattr(line.store, "note_sinks", refuse)
        with pytest.raises(StoreError):
            line.run_until(lambda: False, what="the failure")
    line.run_through(3)
    line.close()


def test_a_sink_that_delivers_nothing_is_a_problem(receiver: WebhookReceiver, tmp_path: Path) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, webhook(receiver))
    line.store_events(sink_events(1, 3))
    line.run_until(lambda: line.keeper.as_dict().get("out", {}).get("last_error"), what="the failure")
    assert line.keeper.problems() == []
    line.keeper._clock = lambda: 2**40
    (problem,) = line.keeper.problems()
    assert (problem["problem"], problem["sink"]) == ("sink_failing", "out")
    assert "nothing listens there" in str(problem["reason"])
    line.keeper._clock = line.clock
    line.close()
