"""Commands that look at a store: status, sensors, open, deadletters; while a service runs and while none does."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from configurations import OVEN
from store_examples import event

from config.loading import load
from edge.commands import main
from edge.commands.support.service.service_state import ServiceState
from edge.commands.support.service.well_being import well_being
from edge.core.model.readings.messages import DeadLetter, Message, Refusal
from edge.core.persistence.journal import pack
from edge.shell.activity.status_file import status_path
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore
from edge.shell.store.protection.owner import owned

CONFIGURATION = f"""{OVEN}
[[rule]]
sensors = "plant/spare"
[rule.detectors]
"""
WELL = {"carries": "readings and events", "host": "b", "port": 1883, "connected": True, "version": "5"}
HOUR_AGO = time.time() - 3600


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewarden.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Path:
    """And a store: 100 readings of an oven, 60 of them covered by a snapshot, 5 of a fan after it."""
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    kept = SqliteStore(configuration.store.path)
    for number in range(100):
        messages = [Message("plant/oven", str(200 + number % 3).encode(), HOUR_AGO + 10 * number)]
        if number >= 95:
            messages.append(Message("plant/fan", b"7", HOUR_AGO + 10 * number))
        step = pipeline.process(messages)
        assert step.journal is not None
        kept.append(step.events, [], pack([step.journal]), now=HOUR_AGO + number)
        if number == 59:
            kept.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    kept.close()
    return kept.path


RUNNING: list[ExitStack] = []
"""Stores that a service has, in the test that runs."""


@pytest.fixture(autouse=True)
def _running() -> Iterator[None]:
    with ExitStack() as stack:
        RUNNING[:] = [stack]
        yield


def edgewarden(*arguments: str, columns: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(main, arguments, catch_exceptions=False)


def json_lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def says(store: Path, *, pid: int | None = None, state: str = "running", **more: Any) -> None:
    """Write what a service says of itself, and be that service, unless it has ended."""
    if state == "running" and pid is None:
        RUNNING[0].enter_context(owned(store))
    content = {
        "state": state,
        "pid": os.getpid() if pid is None else pid,
        "gateway": "gw",
        "version": "1",
        "connections": [WELL],
        "inputs": [{"topic": "plant/#", "messages": 5, "per_minute": 5.0, "last": "2026-01-01T00:00:00.000Z"}],
        "refused": [],
        "health": {"uptime_s": 100.0, "sensors": 2, "readings_taken": 50, "store_writable": True},
        **more,
    }
    status_path(store).write_text(json.dumps(content))


def refused(reason: str, topic: str = "plant/door", payload: bytes = b"Online", arrived: float = 5.0) -> DeadLetter:
    return DeadLetter(topic, arrived, Refusal(reason, "value", "not a number"), payload[:256], len(payload))


# status


def test_a_service_that_is_well_is_0(store: Path) -> None:
    says(store)
    result = edgewarden("status")
    assert result.exit_code == 0
    assert f"fine: the service is running (process {os.getpid()})" in result.stdout
    assert "readings and events: b:1883, connected with MQTT 5" in result.stdout
    assert "5 messages, 5 a minute" in result.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"connections": [{"carries": "events", "host": "up", "port": 8883, "connected": False, "version": "5"}]},
            "not connected to up:8883 for events",
        ),
        (
            {"connections": [{**WELL, "refused_subscriptions": {"plant/#": "Not authorized"}}]},
            "the broker refuses the subscription to plant/#: Not authorized",
        ),
        ({"health": {"store_writable": False}}, "the store can't be written"),
    ],
)
def test_a_service_that_is_not_well_is_1_and_says_why(store: Path, more: dict[str, Any], words: str) -> None:
    says(store, **more)
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "not well: " in result.stdout
    assert f"! {words}" in result.stdout


def test_events_that_do_not_get_out_are_not_well(store: Path) -> None:
    kept = SqliteStore(store)
    kept.append([event(1, transition="cleared")], [], now=time.time() - 30)
    says(store)
    assert edgewarden("status", "-q").exit_code == 0
    kept.append([event(2, transition="cleared")], [], now=time.time() - 300)
    kept.close()
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "events don't get out: the oldest has waited for 5 min" in result.stdout


def test_a_service_that_writes_no_status_any_more_is_not_well(store: Path) -> None:
    says(store)
    os.utime(status_path(store), (0, time.time() - 120))
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "it has written no status for 2 min" in result.stdout


def test_a_service_that_has_said_nothing_yet_is_starting() -> None:
    for said in ({}, {"state": "stopped", "pid": 7}, {"state": "running", "pid": 7}):
        state = ServiceState(running=True, pid=8, said=said, age_s=0.0)
        assert well_being(state, None).problems == ["it is starting, and has not written its status yet"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {
                "problem": "clock_wrong",
                "own": "1970-01-01T00:00:30Z",
                "believed": "2026-01-01T00:00:00Z",
                "because": "unset",
            },
            "clock says 1970-01-01T00:00:30Z, it was never set; 2026-01-01T00:00:00Z is believed",
        ),
        (
            {
                "problem": "clock_wrong",
                "own": "2026-01-01T00:00:00Z",
                "believed": "2026-01-01T02:00:00Z",
                "because": "senders",
            },
            "2026-01-01T00:00:00Z, readings show that it is behind; 2026-01-01T02:00:00Z is believed",
        ),
        (
            {"problem": "clock_doubted", "own": "2026-01-01T00:00:00Z", "held": 3},
            "readings lie ahead of this machine's clock (2026-01-01T00:00:00Z); 3 messages are held",
        ),
    ],
)
def test_a_clock_that_may_be_wrong_is_shown(store: Path, more: dict[str, object], words: str) -> None:
    says(
        store,
        health={"uptime_s": 100.0, "sensors": 2, "readings_taken": 50, "store_writable": True, "problems": [more]},
    )
    result = edgewarden("status")
    assert result.exit_code == 1
    assert words in " ".join(result.stdout.split())


def test_what_sensors_do_wrong_is_shown_and_is_no_fault_of_the_service(store: Path) -> None:
    example = {
        "last": "2026-01-01T00:00:00.000Z",
        "topic": "p/\\u202e",
        "path": "",
        "detail": "byte 0",
        "payload": "On",
    }
    says(
        store,
        refused=[{"reason": "malformed", "count": 70, **example}],
        inputs=[{"topic": "plant/+/x", "messages": 0, "per_minute": 0.0, "last": None}],
    )
    result = edgewarden("status")
    assert result.exit_code == 0
    text = " ".join(result.stdout.split())
    assert "malformed 70: the payload doesn't match the input's format the last" in text
    assert "p/\\u202e, byte 0: On" in text
    assert "- nothing has arrived for the input plant/+/x" in text
    assert "- more was refused (70) than taken (50), most of it as malformed" in text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"state": "stopped"}, "not running: the service is not running (stopped 0"),
        ({"pid": 2**22 + 1}, "not running: the service is not running (ended without a goodbye; last seen 0"),
        ({"pid": 0}, "not running"),
    ],
)
def test_a_service_that_does_not_run_is_3(store: Path, said: dict[str, Any], words: str) -> None:
    says(store, **said)
    result = edgewarden("status")
    assert result.exit_code == 3
    assert words in result.stdout
    assert "edgewarden.db" in result.stdout


def test_a_store_that_is_not_there_yet_is_no_running_service(folder: Path) -> None:
    result = edgewarden("status")
    assert result.exit_code == 3
    assert "not there yet" in result.stdout
    assert list(folder.glob("*.db*")) == []


def test_the_status_as_json_says_the_same(store: Path) -> None:
    kept = SqliteStore(store)
    kept.append([event(1, severity=700)._replace(payload=payload_of("a", 700))], [], now=time.time())
    kept.close()
    says(store)
    result = edgewarden("status", "--json")
    found = json.loads(result.stdout)
    assert (found["running"], found["well"], found["problems"], found["pid"]) == (True, True, [], os.getpid())
    assert (found["open_incidents"], found["worst_severity"], found["kept"]["waiting"]) == (1, 700, 1)
    assert found["said"]["gateway"] == "gw"


def test_a_quiet_status_is_an_exit_code(store: Path) -> None:
    result = edgewarden("status", "--quiet")
    assert (result.exit_code, result.output) == (3, "")


def test_a_wrong_configuration_is_2(tmp_path: Path) -> None:
    assert edgewarden("status", "--config", str(tmp_path / "none.toml")).exit_code == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"refused_publications": 3}, "the broker has refused 3 publications since the start"),
        ({"takeovers": 1}, "another client with our client id has taken over the session 1 time"),
    ],
)
def test_what_a_broker_has_refused_is_worth_a_look(store: Path, more: dict[str, Any], words: str) -> None:
    says(store, connections=[{**WELL, **more}])
    result = edgewarden("status")
    assert result.exit_code == 0
    assert f"- {words}" in result.stdout


# sensors


def test_sensors_are_listed_with_what_the_journal_says_since_the_snapshot(store: Path) -> None:
    fan, oven = sorted(json_lines(edgewarden("sensors", "--json")), key=lambda each: each["sensor"])
    assert (fan["sensor"], fan["value"], fan["readings"], fan["interval_s"]) == ("plant/fan", 7.0, 5, 10.0)
    assert (oven["value"], oven["readings"], oven["interval_s"]) == (200.0, 100, 10.0)
    assert oven["age_s"] == pytest.approx(time.time() - HOUR_AGO - 990, abs=60)
    assert (fan["learned"], oven["learned"]) == ("new", "learning")


def test_sensors_say_what_watches_them(store: Path) -> None:
    fan, oven = sorted(json_lines(edgewarden("sensors", "--json")), key=lambda each: each["sensor"])
    assert (oven["rule"], oven["unit"], oven["limits"]) == ("plant/oven", "Cel", {"high": 250.0})
    assert "limits" in oven["detectors"]
    assert (fan["rule"], fan["unit"], fan["limits"]) == (None, "", None)
    assert "ewma" in fan["detectors"]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_list_of_sensors_cuts_nothing(store: Path, columns: int) -> None:
    result = edgewarden("sensors", columns=columns)
    text = " ".join(result.stdout.split())
    assert text.startswith("2 sensors; the service is not running")
    assert "plant/oven 200 Cel" in text
    assert "limits (high 250)" in text
    assert max(map(len, result.stdout.splitlines())) <= columns


def test_one_sensor_in_full(store: Path) -> None:
    text = " ".join(edgewarden("sensors", "--long", "plant/oven").stdout.split())
    assert "learned learning: 100 readings" in text
    assert "limits high 250" in text
    assert "interval 10 s" in text


@pytest.mark.long
def test_sensors_that_are_machines_with_states_say_which(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    for minute in range(3000):
        pump = 3.2 if minute % 40 < 8 else 0.0
        values = {"plant/noise": float(minute % 7), "plant/oven": pump, "plant/pump": pump}
        time_s = HOUR_AGO - 200_000.0 + 60.0 * minute
        pipeline.process([Message(name, str(value).encode(), time_s) for name, value in values.items()])
    store = SqliteStore(configuration.store.path)
    store.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    store.close()
    rows = {each["sensor"]: each["states"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert rows == {"plant/noise": [], "plant/pump": [0, 3.2], "plant/oven": [0, 3.2]}
    assert "states 0, 3.2" in " ".join(edgewarden("sensors", "--long", "plant/pump").stdout.split())
    assert "0, 3.2" in edgewarden("sensors").stdout


def test_sensors_that_are_counters_say_why_and_how_fast_they_count(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    for minute in range(1600):
        values = {"plant/noise": float(minute % 7), "plant/water": 10.0 * minute + minute * minute % 13 / 4}
        time_s = HOUR_AGO - 200_000.0 + 60.0 * minute
        pipeline.process([Message(name, str(value).encode(), time_s) for name, value in values.items()])
    store = SqliteStore(configuration.store.path)
    store.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    store.close()
    rows = {each["sensor"]: each["counter"] for each in json_lines(edgewarden("sensors", "--json"))}
    assert rows["plant/noise"] is None
    assert rows["plant/water"] == {"by": "it only rises", "unit": "1/min", "stretch_s": 60.0}
    text = " ".join(edgewarden("sensors", "--long", "plant/water").stdout.split())
    assert "as it only rises, but for resets; watched by its pace in 1/min over 1 min" in text


def test_sensors_of_a_store_alone_say_what_they_can(store: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path.parent)
    result = edgewarden("sensors", "--store", str(store))
    assert result.exit_code == 0
    assert "plant/oven" in result.stdout
    assert "name it with --config" in result.stderr


def test_a_sensor_that_is_not_known_is_an_error_with_the_nearest(store: Path) -> None:
    result = edgewarden("sensors", "plant/ovne")
    assert result.exit_code == 1
    assert "the nearest are plant/oven" in result.stderr


def test_a_glob_is_given_once(store: Path) -> None:
    assert json_lines(edgewarden("sensors", "--sensor", "*/fan", "--json"))[0]["sensor"] == "plant/fan"
    assert edgewarden("sensors", "*/fan", "--sensor", "*/oven").exit_code == 2


# open


def payload_of(sensor: str, severity: int, started: str = "2026-01-01T00:00:00.000Z") -> bytes:
    data = {"severity": severity, "started": started, "message": f"{sensor} is at 9\u202e", "kind": "spike"}
    flags = {"acknowledged": False, "shelved": False}
    return json.dumps({"subject": sensor, "severitytext": "WARN", "data": data | flags}).encode()


def opened(sequence: int, sensor: str, severity: int, transition: str = "raised", incident: str = "") -> Any:
    made = event(sequence, severity=severity, incident=incident or f"of {sensor}", transition=transition)
    return made._replace(sensor=sensor, payload=payload_of(sensor, severity))


def test_open_incidents_are_listed_the_worst_first_with_their_latest_state(folder: Path) -> None:
    kept = SqliteStore(folder / "edgewarden.db")
    kept.append([opened(1, "a", 300), opened(2, "b", 900), opened(3, "c", 500), opened(4, "a", 950, "updated")], [])
    kept.append([opened(5, "c", 1, "cleared"), opened(6, "d", 400), opened(7, "d", 1, "expired")], [])
    kept.append([event(8, transition="gap")], [])
    kept.close()
    assert [each["subject"] for each in json_lines(edgewarden("open", "--json"))] == ["a", "b"]
    lines = edgewarden("open").stdout.splitlines()
    assert lines[0] == "2 open incidents; the service is not running"
    assert "severity 950" in lines[1]
    assert lines[2].strip() == "a is at 9\\u202e"
    assert [each["subject"] for each in json_lines(edgewarden("open", "b", "--json"))] == ["b"]
    assert json_lines(edgewarden("open", "--severity", "951", "a", "--json")) == []
    assert edgewarden("open", "z").exit_code == 1


def test_an_incident_whose_events_were_deleted_is_open_still(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline, kept = make_pipeline(configuration), SqliteStore(configuration.store.path)
    step = pipeline.process([Message("plant/oven", b"300", HOUR_AGO)])
    assert [each.transition for each in step.events] == ["raised"]
    kept.append([], [], pack([step.journal] if step.journal else []), now=HOUR_AGO)
    kept.remember(pipeline.save("digest"), "digest", HOUR_AGO)
    assert [each["subject"] for each in json_lines(edgewarden("open", "--json"))] == ["plant/oven"]
    (raised,) = step.events
    kept.append([raised._replace(sequence=2, id="later", transition="cleared")], [])
    kept.close()
    assert json_lines(edgewarden("open", "--json")) == []


def test_an_acknowledged_incident_says_what_is_wrong_still(folder: Path) -> None:
    kept = SqliteStore(folder / "edgewarden.db")
    data = {"severity": 300, "started": "2026-01-01T00:00:00.000Z", "message": "a was acknowledged", "kind": "spike"}
    payload = {"subject": "a", "severitytext": "WARN", "data": data | {"acknowledged": True, "shelved": False}}
    acknowledged = opened(2, "a", 300, "acknowledged")._replace(payload=json.dumps(payload).encode())
    kept.append([opened(1, "a", 300)._replace(message="a is at 9"), acknowledged], [])
    kept.close()
    lines = edgewarden("open").stdout.splitlines()
    assert lines[1].endswith("spike, severity 300, acknowledged")
    assert lines[2].strip() == "a is at 9"


def test_readings_that_came_late_or_twice_are_not_among_those_learned(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline, kept = make_pipeline(configuration), SqliteStore(configuration.store.path)
    for seconds, value in ((0, 1), (10, 2), (10, 9), (5, 9), (20, 3)):
        text = f'{{"ts": {HOUR_AGO + seconds}, "value": {value}}}'.encode()
        step = pipeline.process([Message("plant/fan", text, HOUR_AGO + 60)])
        kept.append([], [], pack([step.journal] if step.journal else []), now=HOUR_AGO)
    kept.close()
    (fan,) = json_lines(edgewarden("sensors", "--json"))
    assert (fan["readings"], fan["value"], fan["interval_s"]) == (pipeline.counters.readings_taken, 3.0, 10.0)


def test_a_plant_without_open_incidents_says_so(store: Path) -> None:
    says(store)
    assert edgewarden("open").stdout == f"no open incidents; the service is running (process {os.getpid()})\n"


# deadletters


@pytest.fixture
def letters(folder: Path) -> Path:
    kept = SqliteStore(folder / "edgewarden.db")
    kept.append([], [refused("malformed"), refused("late", "plant/a/b", b"\xff\x1b[31m" + b"y" * 400, 1e9)])
    kept.append([], [refused("malformed", "house/x\u202e")])
    kept.close()
    return kept.path


def test_dead_letters_are_shown_readable(letters: Path) -> None:
    result = edgewarden("deadletters")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "3 refused messages; the service is not running"
    assert lines[1] == "1970-01-01 00:00:05  malformed  plant/door"
    assert lines[2] == "  the payload doesn't match the input's format (at value): not a number"
    assert lines[3] == "  Online"
    assert "  \\xff\\x1b[31myyy" in result.stdout
    assert "… and 150 bytes more" in result.stdout
    assert "house/x\\u202e" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "topics"),
    [
        (("--reason", "malformed"), ["plant/door", "house/x\u202e"]),
        (("--topic", "plant/#"), ["plant/door", "plant/a/b"]),
        (("--topic", "plant/+"), ["plant/door"]),
        (("--topic", "plant/a/b"), ["plant/a/b"]),
        (("--since", "2001-01-01"), ["plant/a/b"]),
        (("--last", "1"), ["house/x\u202e"]),
        (("--last", "1", "--reason", "late"), ["plant/a/b"]),
        (("--reason", "late", "--reason", "no_window"), ["plant/a/b"]),
    ],
)
def test_dead_letters_are_chosen(letters: Path, arguments: tuple[str, ...], topics: list[str]) -> None:
    found = json_lines(edgewarden("deadletters", "--json", *arguments))
    assert [each["topic"] for each in found] == topics


def test_dead_letters_as_json_hold_the_bytes(letters: Path) -> None:
    (late,) = json_lines(edgewarden("deadletters", "--json", "--reason", "late"))
    assert base64.b64decode(late["beginning"])[:6] == b"\xff\x1b[31m"
    assert late["size"] == 406


@pytest.mark.parametrize("arguments", [("--reason", "malfromed"), ("--topic", "a/#/b")])
def test_an_unknown_reason_or_a_filter_that_is_none_is_refused(letters: Path, arguments: tuple[str, ...]) -> None:
    assert edgewarden("deadletters", *arguments).exit_code == 2


# all of them


@pytest.mark.parametrize("command", ["sensors", "open", "deadletters", "events", "levels", "export"])
def test_a_store_that_is_not_there_is_said_and_not_made(folder: Path, command: str) -> None:
    result = edgewarden(command)
    assert result.exit_code == 1
    assert "no such file" in result.stderr
    assert list(folder.glob("*.db*")) == []


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters"])
def test_a_store_in_which_nothing_has_happened_is_shown(folder: Path, command: str) -> None:
    SqliteStore(folder / "edgewarden.db").close()
    assert edgewarden(command).exit_code == (3 if command == "status" else 0)


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events"])
def test_a_folder_is_no_store(folder: Path, command: str) -> None:
    result = edgewarden(command, "--store", str(folder))
    assert result.exit_code == 1
    assert "is a folder" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events"])
def test_a_store_that_may_not_be_read_is_said(store: Path, command: str) -> None:
    store.chmod(0)
    result = edgewarden(command)
    assert result.exit_code == 1
    assert "the service's user may read it" in result.stderr


@pytest.mark.parametrize("command", ["status", "sensors", "open", "deadletters", "events", "levels", "export"])
def test_what_is_no_store_is_said(folder: Path, command: str) -> None:
    (folder / "edgewarden.db").write_text("some text " * 100)
    result = edgewarden(command)
    assert result.exit_code == 2
    assert "store.path: " in result.stderr
    assert "another kind of file" in result.stderr
    assert (folder / "edgewarden.db").read_text() == "some text " * 100


@pytest.mark.parametrize("command", ["sensors", "open", "deadletters", "events", "levels", "export"])
def test_what_is_no_store_is_said_where_it_is_named_itself(folder: Path, command: str) -> None:
    (folder / "notes.txt").write_text("some text " * 100)
    result = edgewarden(command, "--store", "notes.txt")
    assert result.exit_code == 1
    assert "notes.txt is another kind of file" in result.stderr
