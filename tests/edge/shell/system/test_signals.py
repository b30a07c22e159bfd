"""SIGTERM at any moment: the service ends with exit code 0, and its store is intact."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from long_journal import fill
from running import ROOT, RunningService, configuration
from service_manager import ServiceManager
from store_examples import rows_of

from config.loading import parse
from edge.core.persistence.journal import unpack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore
from edge.shell.system.signals import Signals, StopRequested

MakeService = Callable[[str], RunningService]
MANY = 150_000
"""Enough readings to keep any machine busy for some seconds."""


def test_signals_are_recorded_and_their_handlers_end_with_the_context() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        signals.check()
        assert (signals.reload, signals.stopping) == (True, False)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequested):
            signals.check()
    assert signal.getsignal(signal.SIGTERM) is before


def test_sigterm_during_a_long_recovery_ends_it(free_port: int, tmp_path: Path, make_service: MakeService) -> None:
    store = tmp_path / "edgewarden.db"
    fill(store, MANY)
    before = rows_of(store)
    with ServiceManager(tmp_path) as manager:
        service = make_service(configuration(free_port)).start(NOTIFY_SOCKET=manager.address)
        manager.wait_for("EXTEND_TIMEOUT_USEC=")
        assert service.end(signal.SIGTERM) == 0
        assert "READY=1" not in manager.states()
    assert rows_of(store) == before
    assert "Traceback" not in service.log.read_text()


def test_sigterm_while_a_changed_configuration_relearns_ends_it(
    free_port: int, tmp_path: Path, make_service: MakeService
) -> None:
    text = configuration(free_port)
    old = parse(text).configuration
    pipeline = make_pipeline(old)
    store = tmp_path / "edgewarden.db"
    fill(store, 500)
    filled = SqliteStore(store)
    pipeline.replay(part for entry in filled.recall().since for part in unpack(entry))
    filled.close()
    store.unlink()
    fill(store, MANY, state=pipeline.save(old.digest(), old.inputs_digest()), digest=old.digest())
    before = rows_of(store)
    changed = f"{text}[[rule]]\nsensors = '**'\ndetectors.ewma.memory = 77\n"
    with ServiceManager(tmp_path) as manager:
        service = make_service(changed).start(NOTIFY_SOCKET=manager.address)
        manager.wait_for("EXTEND_TIMEOUT_USEC=")
        assert service.end(signal.SIGTERM) == 0
        assert "READY=1" not in manager.states()
    assert rows_of(store) == before
    assert "configuration_changed" in service.log.read_text()


@pytest.mark.long
def test_a_long_recovery_is_complete_and_requests_more_time(
    free_port: int, tmp_path: Path, make_service: MakeService
) -> None:
    fill(tmp_path / "edgewarden.db", MANY // 10)
    with ServiceManager(tmp_path) as manager:
        service = make_service(configuration(free_port)).start(NOTIFY_SOCKET=manager.address)
        extended = manager.wait_for("EXTEND_TIMEOUT_USEC=")
        assert manager.wait_for("READY=1", timeout_s=120) > extended
        assert service.end(signal.SIGTERM) == 0
    store = SqliteStore(tmp_path / "edgewarden.db")
    assert store.recall().state is not None
    assert store.recall().since == []
    store.close()
    assert f"journal_entries={MANY // 10 // 500}" in service.log.read_text()


SIGNALLED_AS_IT_LOADS = """
import os, runpy, signal, sys

number = signal.Signals[sys.argv[1]]

class Signalling:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), number)

sys.meta_path.insert(0, Signalling())
sys.argv[:] = ["edgewarden", *sys.argv[2:]]
runpy.run_module("edge", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("arguments", "number", "code"),
    [
        (("run",), "SIGTERM", 0),
        (("run",), "SIGINT", 0),
        (("run", "missing.toml"), "SIGHUP", 2),
        (("replay", "run"), "SIGTERM", -signal.SIGTERM),
    ],
)
def test_a_signal_counts_before_anything_large_is_loaded(
    tmp_path: Path, arguments: tuple[str, ...], number: str, code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED_AS_IT_LOADS, number, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
