"""`edgewarden status` with and without a running service."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from owned_stores import WELL, edgewarden, payload_of, says
from store_examples import event

from edge.commands.support.service.service_state import ServiceState
from edge.commands.support.service.well_being import well_being
from edge.shell.activity.problems import lacking
from edge.shell.activity.status_file import status_path
from edge.shell.link.versions.abilities import QOS_1, RETAINED
from edge.shell.store import SqliteStore


def test_a_healthy_service_gives_0(store: Path) -> None:
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
        ({"health": {"problems": [lacking(QOS_1)]}}, "the broker has no QoS 1: events wait in the outbox"),
    ],
)
def test_an_unhealthy_service_gives_1_and_the_reason(store: Path, more: dict[str, Any], words: str) -> None:
    says(store, **more)
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "not well: " in result.stdout
    assert f"! {words}" in result.stdout


def test_what_a_broker_lacks_without_delaying_events_is_a_note(store: Path) -> None:
    weakened = {"problem": "subscription_weakened", "filter": "plant/#", "effect": "they are lost"}
    says(store, health={"problems": [lacking(RETAINED), weakened]})
    result = edgewarden("status")
    assert result.exit_code == 0
    assert "- the broker has no retained messages: who subscribes later" in result.stdout
    assert "- the broker sends plant/# with QoS 0 only: they are lost" in result.stdout


@pytest.mark.parametrize("command", ["status", "sensors"])
def test_a_store_of_another_gateway_is_called_so(store: Path, command: str) -> None:
    says(store, pid=7, state="stopped")
    assert edgewarden(command).stderr == ""
    note = edgewarden(command, "--store", str(store)).stderr
    assert note == "This is the store of gw; edgewarden.toml is about gateway.\n"
    (store.parent / "edgewarden.toml").unlink()
    assert "is about" not in edgewarden(command, "--store", str(store)).stderr


def test_undelivered_events_are_unhealthy(store: Path) -> None:
    kept = SqliteStore(store)
    kept.append([event(1, transition="cleared")], [], now=time.time() - 30)
    says(store)
    assert edgewarden("status", "-q").exit_code == 0
    kept.append([event(2, transition="cleared")], [], now=time.time() - 300)
    kept.close()
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "events aren't delivered: the oldest has waited for 5 min" in result.stdout


def test_a_service_that_stopped_writing_its_status_is_unhealthy(store: Path) -> None:
    says(store)
    os.utime(status_path(store), (0, time.time() - 120))
    result = edgewarden("status")
    assert result.exit_code == 1
    assert "it has written no status for 2 min" in result.stdout


@pytest.mark.parametrize(
    ("flag", "free", "words"),
    [
        (os.ST_RDONLY, 10**9, "the file system of the store is read-only"),
        (0, 4096, "the disk of the store is full"),
        (0, 10**9, None),
    ],
)
def test_a_disk_that_cannot_be_written_is_seen_although_the_last_status_was_fine(
    store: Path, flag: int, free: int, words: str | None
) -> None:
    says(store)
    disk = SimpleNamespace(f_flag=flag, f_bavail=free // 4096, f_frsize=4096)
    with patch("edge.commands.support.service.disk.os.statvfs", return_value=disk):
        result = edgewarden("status")
    assert result.exit_code == (0 if words is None else 1)
    assert words is None or f"! {words}: nothing is received" in result.stdout


def test_a_service_without_a_status_yet_is_starting() -> None:
    for status in ({}, {"state": "stopped", "pid": 7}, {"state": "running", "pid": 7}):
        state = ServiceState(running=True, pid=8, status=status, age_s=0.0)
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
            "clock shows 1970-01-01T00:00:30Z, it was never set; 2026-01-01T00:00:00Z is used",
        ),
        (
            {
                "problem": "clock_wrong",
                "own": "2026-01-01T00:00:00Z",
                "believed": "2026-01-01T02:00:00Z",
                "because": "senders",
            },
            "2026-01-01T00:00:00Z, readings show that it is behind; 2026-01-01T02:00:00Z is used",
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


def test_mistakes_of_sensors_are_shown_and_are_not_faults_of_the_service(store: Path) -> None:
    example = {
        "last": datetime.now(UTC).isoformat(),
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


def test_what_is_no_longer_refused_comes_last_and_says_since_when(store: Path) -> None:
    def example(hours: float) -> dict[str, str]:
        last = datetime.fromtimestamp(time.time() - 3600 * hours, UTC).isoformat()
        return {"last": last, "topic": "p/x", "path": "", "detail": "", "payload": "On"}

    refused = [("malformed", 900, 3.0), ("too_late", 4, 0.01)]
    says(store, refused=[{"reason": name, "count": count, **example(hours)} for name, count, hours in refused])
    text = " ".join(edgewarden("status").stdout.split())
    assert "malformed 900, none for 3 h: " in text
    assert text.index("too_late 4: ") < text.index("malformed 900")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"state": "stopped"}, "not running: the service is not running (stopped 0"),
        ({"pid": 2**22 + 1}, "not running: the service is not running (ended unexpectedly; last seen 0"),
        ({"pid": 0}, "not running"),
    ],
)
def test_a_stopped_service_gives_3(store: Path, said: dict[str, Any], words: str) -> None:
    says(store, **said)
    result = edgewarden("status")
    assert result.exit_code == 3
    assert words in result.stdout
    assert "edgewarden.db" in result.stdout


def test_a_missing_store_means_that_no_service_is_running(folder: Path) -> None:
    result = edgewarden("status")
    assert result.exit_code == 3
    assert "missing; the service creates it" in result.stdout
    assert list(folder.glob("*.db*")) == []


def test_the_status_as_json_has_the_same_content(store: Path) -> None:
    kept = SqliteStore(store)
    kept.append([event(1, severity=700)._replace(payload=payload_of("a", 700))], [], now=time.time())
    kept.close()
    says(store)
    result = edgewarden("status", "--json")
    found = json.loads(result.stdout)
    assert (found["running"], found["well"], found["problems"], found["pid"]) == (True, True, [], os.getpid())
    assert (found["open_incidents"], found["worst_severity"], found["kept"]["waiting"]) == (1, 700, 1)
    assert found["said"]["gateway"] == "gw"


def test_a_quiet_status_is_an_exit_code_only(store: Path) -> None:
    result = edgewarden("status", "--quiet")
    assert (result.exit_code, result.output) == (3, "")


def test_a_wrong_configuration_gives_2(tmp_path: Path) -> None:
    assert edgewarden("status", "--config", str(tmp_path / "none.toml")).exit_code == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"refused_publications": 3}, "the broker has refused 3 publications since the start"),
        ({"takeovers": 1}, "another client with our client id has taken over the session 1 time"),
    ],
)
def test_refusals_by_a_broker_need_attention(store: Path, more: dict[str, Any], words: str) -> None:
    says(store, connections=[{**WELL, **more}])
    result = edgewarden("status")
    assert result.exit_code == 0
    assert f"- {words}" in result.stdout
