"""If another configuration finds other incidents after a crash, subscribers are told the current state."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.state.stored_state import resume
from edge.shell.store import EventFilter, SqliteStore, read_events

START = 1_700_000_000.0
LIMITED = "[[rule]]\nsensors = '**'\ndetectors.limits.high = 21.0\n"
FREE = ""


def configured(rules: str) -> Pipeline:
    return make_pipeline(parse(f'[[input]]\ntopic = "plant/+"\n{rules}', "test").configuration)


def readings(first: int, last: int, value: float) -> list[Message]:
    return [
        Message("plant/a", json.dumps({"ts": START + each, "value": value + each % 5 / 10}).encode(), START + each)
        for each in range(first, last)
    ]


def crashed(path: Path, rules: str) -> SqliteStore:
    """The store of a service that was killed while a sensor was above 21, long after its last snapshot."""
    store, made = SqliteStore(path, "process"), configured(rules)
    for messages in (readings(0, 100, 20.0), readings(100, 110, 21.5)):
        step = made.process(messages)
        assert step.journal is not None
        store.append(step.events, [], pack([step.journal]), now=START)
        if messages[0].arrived == START:
            store.remember(made.save(rules, ""), rules, START)
    return store


def published(path: Path) -> list[str]:
    return [each["transition"] for each in read_events(path, EventFilter())]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (LIMITED, FREE, ["raised", "expired"]),
        (FREE, LIMITED, ["raised"]),
        (LIMITED, LIMITED, ["raised"]),
        (FREE, FREE, []),
    ],
)
def test_events_after_a_crash_match_the_configuration(
    tmp_path: Path, before: str, now: str, expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "store.db"
    store = crashed(path, before)
    for _ in range(2):
        made, _, _ = resume(lambda: configured(now), store, now, "", START + 200)
        assert published(path) == expected
        assert list(made.open_incidents.events) == (["plant/a"] if expected == ["raised"] else [])
    assert ("incidents_corrected" in caplog.text) == (before != now)
    following = made.process(readings(110, 400, 20.0)).events
    assert [each.transition for each in following if each.transition != "updated"] == (
        ["cleared"] if expected == ["raised"] else []
    )
    assert min((each.sequence for each in following), default=100) > store.last_sequence()
    assert list(store.ended()) == (["plant/a"] if "expired" in expected else [])
    store.close()


def test_nothing_is_concluded_from_damaged_events(tmp_path: Path) -> None:
    store = crashed(tmp_path / "store.db", LIMITED)
    store._database.execute("UPDATE events SET payload = 'rubbish'")
    resume(lambda: configured(FREE), store, FREE, "", START + 200)
    assert published(tmp_path / "store.db") == ["raised"]
    store.close()


def test_nothing_is_concluded_from_a_store_that_replaced_a_damaged_one(tmp_path: Path) -> None:
    store = crashed(tmp_path / "store.db", LIMITED)
    resume(lambda: configured(FREE), store, FREE, "", START + 200, is_whole=False)
    assert published(tmp_path / "store.db") == ["raised"]
    resume(lambda: configured(FREE), store, FREE, "", START + 200)
    assert published(tmp_path / "store.db") == ["raised"]
    store.close()
