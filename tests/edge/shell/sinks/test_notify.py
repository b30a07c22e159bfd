"""Notifications: events that belong together in one message, limited in rate, not at night, and none lost."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("apprise")

from http_receivers import Answer, NotifyReceiver
from sink_line import SinkLine, sink_event

from config.notation.calendar import Window
from edge.core.incidents.events.event import Event
from edge.shell.sinks.base import EventRefused, SinkTrouble
from edge.shell.sinks.notify import NotifySink, without_secrets
from edge.shell.sinks.options import NotifyOptions, SinkOptions
from edge.shell.store import OutboxRow, SinkPosition
from edge.shell.store.reading.sink_reading import EventSelection, SinkReader

NIGHT = Window("quiet", "**", every="daily 22:00-07:00", zone="Europe/Berlin")
EVENING, MIDNIGHT, MORNING = 1_700_000_000.0 - 7200, 1_700_000_000.0 + 6000, 1_700_000_000.0 + 36_000


class Clock:
    """The time of day and the monotonic time, set by the test."""

    def __init__(self, now: float = EVENING) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def aged(self) -> float:
        return self.now


def row(number: int, sensor: str = "line1/pump/temp", **more: Any) -> OutboxRow:
    event = sink_event(number, sensor, **more)
    return OutboxRow(
        *(event.sequence, event.topic, event.transition, event.kind, event.severity, event.sensor, event.payload)
    )


def saying(event: Event, message: str) -> Event:
    payload = json.loads(event.payload)
    payload["data"]["message"] = message
    return event._replace(payload=json.dumps(payload).encode())


def sink_of(notify_receiver: NotifyReceiver, clock: Clock, **more: Any) -> NotifySink:
    return NotifySink(replace(notify_receiver.how(), **more), clock, clock)


def delivered(sink: NotifySink, *rows: OutboxRow) -> list[tuple[int, str]]:
    """Hand events over, and turn until all have an outcome."""
    for each in rows:
        assert sink.send(each)
    sink._since -= 60
    found: list[tuple[int, str]] = []
    while len(found) < len(rows):
        found += [(each.sequence, each.refused) for each in sink.outcomes(0.0)]
    return found


def test_one_event_is_sent_as_its_sentence(notify_receiver: NotifyReceiver) -> None:
    sink = sink_of(notify_receiver, Clock(), zone="Europe/Berlin")
    assert delivered(sink, row(1, severity=800, transition="raised")) == [(1, "")]
    (notice,) = notify_receiver.notices
    assert (notice["title"], notice["message"], notice["type"]) == (
        "gw: FATAL line1/pump/temp",
        "Tue 23:13:21 FATAL: m",
        "failure",
    )
    delivered(sink, row(2, severity=800, transition="cleared"))
    assert (notify_receiver.notices[1]["title"], notify_receiver.notices[1]["type"]) == (
        "gw: ended line1/pump/temp",
        "success",
    )


def test_simultaneous_events_are_one_message(notify_receiver: NotifyReceiver) -> None:
    sink = sink_of(notify_receiver, Clock(), most=100)
    rows = [row(each, f"hall/{each}", severity=300 + each, transition="raised") for each in range(1, 60)]
    delivered(sink, *rows, row(60, "hall/door", transition="cleared"))
    (notice,) = notify_receiver.notices
    assert notice["title"] == "gw: 59 new, 1 ended, worst WARN"
    lines = notice["message"].splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 40 more"
    assert lines[-2].startswith("Tue 22:14:19")  # the worst ones, in order


def test_messages_have_a_minimum_interval_and_events_in_between_are_the_next_one(
    notify_receiver: NotifyReceiver,
) -> None:
    clock = Clock()
    sink = sink_of(notify_receiver, clock, interval_s=60.0)
    delivered(sink, row(1, transition="raised"))
    assert not sink.send(row(2, transition="raised"))
    clock.now += 59
    assert not sink.send(row(2, transition="raised"))
    clock.now += 1
    delivered(sink, row(2, transition="raised"), row(3, transition="raised"))
    assert len(notify_receiver.notices) == 2


def test_in_quiet_hours_nothing_is_accepted(notify_receiver: NotifyReceiver) -> None:
    clock = Clock(EVENING)
    sink = sink_of(notify_receiver, clock, quiet=NIGHT)
    delivered(sink, row(1, transition="raised"))
    clock.now = MIDNIGHT
    assert not sink.send(row(2, transition="raised"))
    clock.now = MORNING
    delivered(sink, row(2, transition="raised"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_is_rejected_is_retried_in_halves_until_the_event_is_found(
    notify_receiver: NotifyReceiver, status: int
) -> None:
    notify_receiver.answer = lambda notice: Answer(status if "poison" in notice["message"] else 200)
    sink = sink_of(notify_receiver, Clock(), most=100)
    rows = [row(each, transition="raised", more=" poison" if each == 17 else "") for each in range(1, 21)]
    outcomes = dict(delivered(sink, *rows))
    assert {each for each, refused in outcomes.items() if refused} == {17}
    assert outcomes[17] == f"the service answers {status}"
    assert sorted(int(each["sequence"]) for each in notify_receiver.received()) == [*range(1, 17), *range(18, 21)]


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503])
def test_errors_of_the_service_or_the_address_are_retried(notify_receiver: NotifyReceiver, status: int) -> None:
    notify_receiver.answer = lambda notice: Answer(status)
    sink = sink_of(notify_receiver, Clock())
    with pytest.raises(SinkTrouble, match=f"the service answers {status}") as raised:
        delivered(sink, row(1, transition="raised"))
    assert raised.value.retry_after_s == (60.0 if status == 429 else 0.0)


def test_an_invalid_event_is_refused(notify_receiver: NotifyReceiver) -> None:
    sink = sink_of(notify_receiver, Clock())
    with pytest.raises(EventRefused):
        sink.send(row(1)._replace(payload=b"{"))
    assert sink.send(row(2))


def test_hidden_characters_are_shown_and_long_sentences_are_truncated(notify_receiver: NotifyReceiver) -> None:
    sink = sink_of(notify_receiver, Clock())
    hostile = "pump\u202e\x1b[31m\n<b>" + "x" * 10_000
    event = saying(sink_event(1, "pump\u202e/<b>", transition="raised"), hostile)
    delivered(sink, row(1)._replace(payload=event.payload, sensor=event.sensor, transition="raised"))
    (notice,) = notify_receiver.notices
    assert "pump\\u202e\\x1b[31m\\x0a<b>" in notice["message"]
    assert len(notice["message"]) < 1300
    assert len(notice["title"]) <= 120


def test_no_part_of_the_address_is_shown(notify_receiver: NotifyReceiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    notify_receiver.kill()
    address = f"json://ada:hunter2secret@127.0.0.1:{notify_receiver.port}/token-4711/?x=verysecret"
    options = NotifyOptions(address, "gw", timeout_s=1.0)
    sink = NotifySink(options, Clock(), Clock())
    with pytest.raises(SinkTrouble) as raised:
        delivered(sink, row(1, transition="raised"))
    logged = [each.getMessage() for each in caplog.records if each.name != "apprise"]
    assert not logging.getLogger("apprise").propagate
    said = f"{raised.value} {options!r} {logged}"
    assert not [each for each in ("hunter2", "token-4711", "verysecret", "ada") if each in said]
    text = "POST /bot123:AAbb_cc failed for a%20b"
    assert without_secrets(text, "tgram://123:AAbb_cc/a%20b/") == "POST /bot123:*** failed for a%20b"


def notices_of(
    line: SinkLine, notify_receiver: NotifyReceiver, events: list[Event], number: int
) -> list[dict[str, Any]]:
    line.store_events(events)
    line.run_until(lambda: len(notify_receiver.received()) >= number, 30, f"{number} of {notify_receiver.received()}")
    return notify_receiver.notices


def test_events_held_in_quiet_hours_are_unsent_after_a_restart_and_urgent_ones_pass(
    notify_receiver: NotifyReceiver, impatient: None, tmp_path: Path
) -> None:
    clock = Clock(MIDNIGHT)

    def make(options: SinkOptions) -> NotifySink:
        assert isinstance(options.how, NotifyOptions)
        return NotifySink(options.how, clock)

    usual = SinkOptions(
        "phone",
        "notify",
        replace(notify_receiver.how(), quiet=NIGHT),
        EventSelection(1, once=True, below=751),
        "beginning",
    )
    urgent = replace(
        usual,
        name="phone.urgent",
        how=notify_receiver.how(),
        wanted=EventSelection(751, once=True, gaps=False),
        follows="phone",
    )
    line = SinkLine(tmp_path, usual, urgent, make=make)
    events = [
        sink_event(1, "a/temp", severity=300, transition="raised"),
        sink_event(2, "b/temp", severity=800, transition="raised", incident="b"),
        sink_event(3, "b/temp", severity=800, transition="cleared", incident="b"),
    ]
    line.store_events(events)
    line.run_until(lambda: line.passed().get("phone.urgent") == 3, 30, "what is urgent")
    assert [each["sequence"] for each in notify_receiver.received()] == [f"{2:020}", f"{3:020}"]
    assert line.passed()["phone"] == 0
    line.close()
    line = SinkLine(tmp_path, usual, urgent, make=make)
    line.run_until(lambda: line.keeper.as_dict()["phone"]["lag_events"] == 1, 30, "the second start")
    assert len(notify_receiver.received()) == 2
    clock.now = MORNING
    line.run_until(lambda: line.passed()["phone"] >= 1, 30, "the morning")
    line.close()
    assert [int(each["sequence"]) for each in notify_receiver.received()] == [2, 3, 1]


def news(folder: Path, events: list[Event], wanted: EventSelection) -> list[int]:
    line = SinkLine(folder)
    line.store_events(events)
    rows, _ = SinkReader(line.path, "phone", wanted).next(SinkPosition(), 100)
    line.close()
    return [each.sequence for each in rows]


def steps(*told: tuple[str, int], incident: str = "i") -> list[Event]:
    return [
        sink_event(number, "a/temp", transition=transition, severity=severity, incident=incident)
        for number, (transition, severity) in enumerate(told, 1)
    ]


def test_an_incident_is_notified_at_its_beginning_when_it_becomes_worse_and_at_its_end(tmp_path: Path) -> None:
    events = steps(
        ("raised", 300),
        ("updated", 320),
        ("updated", 600),
        ("acknowledged", 600),
        ("updated", 400),
        ("updated", 610),
        ("shelved", 610),
        ("cleared", 300),
    )
    assert news(tmp_path, events, EventSelection(1, once=True)) == [1, 3, 8]


def test_below_the_minimum_severity_nothing_is_notified_including_the_end(tmp_path: Path) -> None:
    events = steps(("raised", 300), ("updated", 320), ("cleared", 320))
    assert news(tmp_path, events, EventSelection(501, once=True)) == []


def test_an_incident_that_becomes_severe_enough_is_notified_then(tmp_path: Path) -> None:
    events = steps(("raised", 300), ("updated", 550), ("updated", 560), ("cleared", 200))
    assert news(tmp_path, events, EventSelection(501, once=True)) == [2, 4]


def test_an_incident_that_becomes_urgent_ends_where_it_was_urgent(tmp_path: Path) -> None:
    events = steps(("raised", 300), ("updated", 800), ("expired", 300))
    (tmp_path / "a").mkdir()
    assert news(tmp_path, events, EventSelection(1, once=True, below=751)) == [1]
    assert news(tmp_path / "a", events, EventSelection(751, once=True)) == [2, 3]


def test_an_end_is_notified_even_if_its_beginning_is_no_longer_stored(tmp_path: Path) -> None:
    assert news(tmp_path, steps(("cleared", 600)), EventSelection(501, once=True)) == [1]


def test_after_a_day_of_downtime_all_events_are_sent_in_a_few_messages(
    notify_receiver: NotifyReceiver, impatient: None, tmp_path: Path
) -> None:
    notify_receiver.kill()
    clock = Clock()
    options = SinkOptions(
        "phone",
        "notify",
        replace(notify_receiver.how(), most=500, interval_s=30.0),
        EventSelection(once=True),
        "beginning",
    )

    def make(_: SinkOptions) -> NotifySink:
        return NotifySink(options.how, clock, clock)  # type: ignore[arg-type]

    line = SinkLine(tmp_path, options, make=make)
    for hour in range(24):
        events = [
            sink_event(100 * hour + each, f"hall/{each}", transition="raised", incident=f"{hour}-{each}")
            for each in range(1, 101)
        ]
        line.store_events(events)
        clock.now += 3600
        line.turn()
    line.run_until(lambda: line.keeper.as_dict()["phone"]["last_error"], what="the failure")
    line.run_until(lambda: line.keeper.as_dict()["phone"]["lag_events"] == 2400, what="what waits")
    assert line.passed() == {"phone": 0}
    notify_receiver.start()

    def later() -> bool:
        clock.now += 10
        return line.passed()["phone"] == 2400

    line.run_until(later, 60, f"all of it: {line.passed()}")
    line.close()
    assert len(notify_receiver.notices) == 5
    assert [each["title"] for each in notify_receiver.notices[:4]] == ["gw: 500 new, worst WARN"] * 4
    assert all(len(each["message"]) <= 3000 for each in notify_receiver.notices)
