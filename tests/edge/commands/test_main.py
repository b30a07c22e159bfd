from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import edge.commands
from edge.commands import COMMANDS, PLUGIN_HELP, main

HEAVY = ("numpy", "paho", "sqlite3", "msgspec", "sqlite_utils", "detectors", "config")


def test_help_lists_every_command_with_a_sentence() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.help in " ".join(result.output.split())
    assert all(len(entry.help) < 66 for entry in COMMANDS.values())


def test_listing_the_commands_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom edge.commands import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print('LOADED', [each for each in {HEAVY!r} if each in sys.modules])"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_python_m_edge_is_edgewarden() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "edge", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        timeout=60,
    )
    assert done.stdout.startswith("edgewarden ")


def test_a_mistyped_command_is_a_usage_error_that_suggests_the_nearest() -> None:
    result = CliRunner().invoke(main, ["chekc"])
    assert result.exit_code == 2
    assert "check" in result.stderr


@pytest.mark.parametrize("name", ["init", "check", "detectors", "schema"])
def test_each_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@click.command()
def added() -> None:
    """An added command."""
    click.echo("added ran")


no_command = 5


def plug_in(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    found = tuple(EntryPoint(name, value, edge.commands.PLUGIN_GROUP) for name, value in values.items())
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: found)
    monkeypatch.setitem(sys.modules, "a_plugin", sys.modules[__name__])


def test_entry_points_add_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, extra="a_plugin:added", demo="a_plugin:added")
    listed = CliRunner().invoke(main, ["--help"]).output
    assert "Added by a_plugin." in listed
    assert PLUGIN_HELP["demo"] in listed
    assert CliRunner().invoke(main, ["extra"]).output == "added ran\n"


def test_an_entry_point_can_not_replace_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, schema="a_plugin:added")
    assert "added ran" not in CliRunner().invoke(main, ["schema"]).output


@pytest.mark.parametrize("where", ["a_plugin:missing", "no_such_module:x", "a_plugin:no_command"])
def test_a_broken_entry_point_gives_one_line_and_affects_no_other(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    plug_in(monkeypatch, extra=where)
    result = CliRunner().invoke(main, ["extra"])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the command extra can't be loaded: ")
    assert CliRunner().invoke(main, ["--help"]).exit_code == 0
