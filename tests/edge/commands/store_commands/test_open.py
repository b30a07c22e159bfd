"""`edgewarden open`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from owned_stores import HOUR_AGO, edgewarden, json_lines, opened, says
from store_examples import event

from config.loading import load
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore


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


def test_an_incident_whose_events_were_deleted_is_still_open(folder: Path) -> None:
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


def test_an_acknowledged_incident_keeps_its_description(folder: Path) -> None:
    kept = SqliteStore(folder / "edgewarden.db")
    data = {"severity": 300, "started": "2026-01-01T00:00:00.000Z", "message": "a was acknowledged", "kind": "spike"}
    payload = {"subject": "a", "severitytext": "WARN", "data": data | {"acknowledged": True, "shelved": False}}
    acknowledged = opened(2, "a", 300, "acknowledged")._replace(payload=json.dumps(payload).encode())
    kept.append([opened(1, "a", 300)._replace(message="a is at 9"), acknowledged], [])
    kept.close()
    lines = edgewarden("open").stdout.splitlines()
    assert lines[1].endswith("spike, severity 300, acknowledged")
    assert lines[2].strip() == "a is at 9"


def test_late_and_duplicate_readings_are_not_counted_as_learned(folder: Path) -> None:
    configuration = load(folder / "edgewarden.toml")
    pipeline, kept = make_pipeline(configuration), SqliteStore(configuration.store.path)
    for seconds, value in ((0, 1), (10, 2), (10, 9), (5, 9), (20, 3)):
        text = f'{{"ts": {HOUR_AGO + seconds}, "value": {value}}}'.encode()
        step = pipeline.process([Message("plant/fan", text, HOUR_AGO + 60)])
        kept.append([], [], pack([step.journal] if step.journal else []), now=HOUR_AGO)
    kept.close()
    (fan,) = json_lines(edgewarden("sensors", "--json"))
    assert (fan["readings"], fan["value"], fan["interval_s"]) == (pipeline.counters.readings_taken, 3.0, 10.0)


def test_a_plant_without_open_incidents_is_reported_as_such(store: Path) -> None:
    says(store)
    assert edgewarden("open").stdout == f"no open incidents; the service is running (process {os.getpid()})\n"
