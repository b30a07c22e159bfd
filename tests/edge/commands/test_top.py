"""`edgewarden top` in a terminal: over an idle store, and with a running service."""

from __future__ import annotations

import json
import re
import shutil
import signal
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from configurations import OVEN
from running import Consumer, RunningService, configuration, wait_until
from terminal_screen import TerminalScreen

from config.loading import load
from edge.commands import main
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore

HOSTILE = 'plant/<b>"\u202e'
HOUR_AGO = time.time() - 3600


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration and a store: an oven that is too hot, and 40 others, one with a hostile name."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "edgewarden.toml").write_text(OVEN)
    chosen = load(folder / "edgewarden.toml")
    pipeline = make_pipeline(chosen)
    kept = SqliteStore(chosen.store.path)
    names = [HOSTILE, *(f"plant/fan{number:02}" for number in range(40))]
    for number in range(60):
        at = HOUR_AGO + 10 * number
        value = 900 if number > 50 else 200 + number % 3
        messages = [Message("plant/oven", str(value).encode(), at)]
        messages += [Message(name, str(number % 8).encode(), at) for name in names]
        step = pipeline.process(messages)
        assert step.journal is not None
        kept.append(step.events, [], pack([step.journal]), now=at)
        if number == 20:
            kept.remember(pipeline.save("digest"), "digest", at)
    kept.close()
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the present directory."""
    monkeypatch.chdir(shutil.copytree(recorded, tmp_path, dirs_exist_ok=True))
    return tmp_path


@pytest.fixture
def screen(folder: Path) -> Iterator[TerminalScreen]:
    with TerminalScreen(folder, "top") as made:
        made.wait("q quit")
        yield made


def test_it_shows_incidents_and_sensors_and_that_no_service_is_running(screen: TerminalScreen) -> None:
    assert "not running: the service is not running" in screen.wait("not running")
    line = screen.wait("plant/oven is above its limit")
    assert line.startswith("> ERROR")
    row = screen.wait("plant/fan00")
    assert re.search(r"plant/fan00 +ok +3 +\d.* ago +[▁▂▃▄▅▆▇█]{8}$", row), row
    assert "1 incident" in screen.wait("OPEN INCIDENTS")
    assert "42 sensors: 1 open" in screen.wait("SENSORS")


def test_no_line_is_wider_or_longer_than_the_terminal_and_names_can_not_control_it(screen: TerminalScreen) -> None:
    assert r'plant/<b>"\u202e' in screen.wait("u202e")
    assert "\u202e" not in screen.written
    assert [each for each in screen.lines() if len(each) > 80] == []
    screen.resize(120, 40)
    wait_until(lambda: "q quit" in screen.lines()[39], what="the new size")
    screen.resize(30, 5)
    screen.wait("smaller than")
    assert [each for each in screen.lines() if len(each) > 30] == []


def test_keys_select_open_and_search(screen: TerminalScreen) -> None:
    screen.press("\x1b[B\x1b[B")
    assert screen.wait("> plant/fan00")
    screen.press("\x1b[F")
    assert screen.wait("> plant/oven").split()[2:4] == ["open", "ERROR"]
    screen.press("\r")
    assert screen.wait("900 Cel at").startswith("  value")
    assert screen.wait("range, ERROR, severity ")
    screen.press("\x1b")
    screen.wait("SENSORS")
    screen.press("/fan3\r")
    screen.wait("SENSORS  42 sensors, 10 with 'fan3' in their name")
    assert not any("plant/fan00" in each for each in screen.lines())
    screen.press("\x1b")
    screen.wait("plant/fan00")


def test_it_restores_the_terminal_at_the_end(screen: TerminalScreen) -> None:
    screen.press("q")
    assert screen.process.wait(60) == 0
    wait_until(lambda: screen.written.endswith("\x1b[?1049l"), what="the shell's picture")
    assert termios.tcgetattr(screen._ours)[3] == screen.before[3]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGTERM, signal.SIGHUP))]
)
def test_a_signal_restores_the_terminal(screen: TerminalScreen, number: int) -> None:
    screen.process.send_signal(number)
    assert screen.process.wait(60) == 0
    wait_until(lambda: screen.written.endswith("\x1b[?1049l"), what="the shell's picture")


def test_without_colours_everything_is_expressed_in_words(folder: Path) -> None:
    with TerminalScreen(folder, "top", NO_COLOR="1") as screen:
        screen.wait("q quit")
        assert screen.wait("ERROR")
        assert re.findall(r"\x1b\[[0-9;]*3[0-7][0-9;]*m", screen.written) == []
    with TerminalScreen(folder, "top") as screen:
        screen.wait("q quit")
        assert "\x1b[1;31mERROR" in screen.written


def test_a_pipe_gets_the_whole_output_once(folder: Path) -> None:
    found = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["top"], catch_exceptions=False)
    assert found.exit_code == 0
    assert "plant/oven is above its limit of 250 Cel, at 900 Cel" in found.stdout
    assert sum("plant/fan" in each for each in found.stdout.splitlines()) == 40
    assert "\x1b" not in found.stdout
    with TerminalScreen(folder, "top", TERM="dumb") as screen:
        assert screen.process.wait(60) == 0
        assert "\x1b" not in screen.written


def test_a_missing_store_is_reported_and_ends_with_1_where_it_is_printed_once(folder: Path) -> None:
    (folder / "edgewarden.db").unlink()
    found = CliRunner().invoke(main, ["top", "--once"], catch_exceptions=False)
    assert found.exit_code == 1
    assert "no such file; the service creates it when it starts" in found.stderr


@pytest.mark.long
def test_another_store_at_the_same_path_is_shown_once_it_exists(screen: TerminalScreen, folder: Path) -> None:
    screen.wait("plant/fan00")
    shutil.move(folder / "edgewarden.db", folder / "away.db")
    screen.wait("no such file")
    screen.wait("plant/fan00")  # what was known stays
    chosen = load(folder / "edgewarden.toml")
    kept, pipeline = SqliteStore(chosen.store.path), make_pipeline(chosen)
    step = pipeline.process([Message("plant/other", b"5", time.time())])
    assert step.journal is not None
    kept.append(step.events, [], pack([step.journal]), now=time.time())
    kept.close()
    screen.wait("plant/other")
    assert not any("plant/fan00" in each for each in screen.lines())


@pytest.mark.long
def test_a_spike_is_on_the_screen_and_acknowledged_by_a_key(
    own_mosquitto: EmbeddedBroker, make_service: Callable[[str], RunningService]
) -> None:
    service = make_service(configuration(own_mosquitto.port, commands="enabled = true")).start()
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 30, what="the service's start")
    with TerminalScreen(service.folder, "top", "--every", "0.5") as screen:
        assert "the service is running" in screen.wait("fine: ")
        values = [20 + index % 5 / 10 for index in range(200)]
        readings = [json.dumps({"ts": HOUR_AGO + 10 * at, "value": each}) for at, each in enumerate([*values, 99.0])]
        consumer.publish_all("plant/pump/temp", readings)
        screen.wait("plant/pump/temp is at 99")
        screen.press("a")
        wait_until(lambda: [each for each in consumer.events() if each["data"]["acknowledged"]], 60, what="the event")
        screen.wait("[seen]")
        screen.press("m\r")
        screen.wait("[muted]")
        screen.press("n")
        screen.wait("Is it normal?")
        screen.press("n\r")
        screen.press("mlater\r")
        screen.wait("isn't a time")
        assert service.end() == 0
        screen.wait("not running")
    consumer.close()
