"""A changed configuration is told from an upgrade, by what the operator has written."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import config.tables.convention as convention_tables
from config.loading import parse
from config.schema import Configuration
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.state.change import Change
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore

TEXT = '[[input]]\ntopic = "#"\nformat = "number"\n[[rule]]\nsensors = "a"\ndetectors.ewma.memory = 77\n'
START = 1_700_000_000.0


def configuration(text: str = TEXT) -> Configuration:
    return parse(text).configuration


@pytest.mark.parametrize(
    ("stored", "present", "change"),
    [
        ("a:b", "a:b", Change.NONE),
        ("a", "a:b", Change.NONE),
        ("a:b", "c:b", Change.UPGRADE),
        ("a:b", "c:d", Change.CONFIGURATION),
        ("a", "c:d", Change.CONFIGURATION),
        ("a:", "c:", Change.CONFIGURATION),
    ],
)
def test_a_change_is_one_of_the_configuration_unless_what_is_written_is_the_same(
    stored: str, present: str, change: Change
) -> None:
    assert Change.between(stored, present) is change


def test_what_is_written_ignores_defaults_and_what_a_convention_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[[input]]\nconvention = "tasmota"\nqos = 0\n'
    before = configuration(text).digests()
    known = dict(convention_tables.conventions())
    tasmota = known["tasmota"]
    known["tasmota"] = tasmota._replace(keys={**tasmota.keys, "ignore": ["**/Id"]})
    for place in ("config.tables.convention.conventions", "config.tables.inputs.conventions"):
        monkeypatch.setattr(place, lambda: known)
    assert Change.between(before, configuration(text).digests()) is Change.UPGRADE
    assert Change.between(before, configuration(f'{text}ignore = ["**/Ig"]\n').digests()) is Change.CONFIGURATION
    assert Change.between(before, configuration(f"{text}[log]\nlevel = 'debug'\n").digests()) is Change.UPGRADE


@pytest.mark.parametrize(("written", "told"), [("same", "upgraded"), ("other", "configuration_changed")])
def test_the_log_calls_an_upgrade_so(tmp_path: Path, caplog: pytest.LogCaptureFixture, written: str, told: str) -> None:
    caplog.set_level(logging.INFO)
    store = SqliteStore(tmp_path / "store.db", "process")
    old, new = configuration(TEXT.replace("77", "78")), configuration()
    pipeline = make_pipeline(old)
    readings = [Message("a", b"%d" % (20 + each % 3), START + each) for each in range(100)]
    store.append([], [], pack([pipeline.process(readings).journal]), now=START)  # type: ignore[list-item]
    _, _, of_old = old.digests().partition(":")
    effective, _, of_new = new.digests().partition(":")
    digest = f"{old.digest()}:{of_new if written == 'same' else of_old}"
    store.remember(pipeline.save(digest, new.inputs_digest()), digest, START)
    resume(lambda: make_pipeline(new), store, f"{effective}:{of_new}", new.inputs_digest(), START + 200)
    store.close()
    assert f"{told} sensors_concerned=1" in caplog.text
