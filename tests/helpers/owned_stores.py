"""The status that a service publishes next to its store, and commands that read both."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from configurations import OVEN
from store_examples import event

from edge.commands import main
from edge.core.model.readings.messages import DeadLetter, Refusal
from edge.shell.activity.status_file import status_path
from edge.shell.store.protection.owner import owned

CONFIGURATION = f"""{OVEN}
[[rule]]
sensors = "plant/spare"
[rule.detectors]
"""
WELL = {"carries": "readings and events", "host": "b", "port": 1883, "connected": True, "version": "5"}
HOUR_AGO = time.time() - 3600
RUNNING: list[ExitStack] = []
"""Stores owned by a service during the running test."""


def edgewarden(*arguments: str, columns: int = 100) -> Result:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(main, arguments, catch_exceptions=False)


def json_lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def says(store: Path, *, pid: int | None = None, state: str = "running", **more: Any) -> None:
    """Write a service's status, and act as its process, unless it is meant to have ended."""
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


# open


def payload_of(sensor: str, severity: int, started: str = "2026-01-01T00:00:00.000Z") -> bytes:
    data = {"severity": severity, "started": started, "message": f"{sensor} is at 9\u202e", "kind": "spike"}
    flags = {"acknowledged": False, "shelved": False}
    return json.dumps({"subject": sensor, "severitytext": "WARN", "data": data | flags}).encode()


def opened(sequence: int, sensor: str, severity: int, transition: str = "raised", incident: str = "") -> Any:
    made = event(sequence, severity=severity, incident=incident or f"of {sensor}", transition=transition)
    return made._replace(sensor=sensor, payload=payload_of(sensor, severity))
