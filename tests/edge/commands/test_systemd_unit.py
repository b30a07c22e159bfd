"""The unit written by `init --systemd`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.writing.unit import COMMAND, CONFIGURATION, UNIT, UnitError, unit
from edge.commands import main

SHIPPED = files("config.writing").joinpath(UNIT).read_text("utf-8")
PYTHON = Path("/usr")
MOST_EXPOSED = 1.5


def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze isn't installed")
    return program


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/opt/ours/bin/edgewarden"])
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    return tmp_path


def test_systemd_finds_no_error_in_the_unit(tmp_path: Path) -> None:
    path = tmp_path / UNIT
    path.write_text(unit(Path("/bin/true"), PYTHON))
    done = subprocess.run([analyze(), "verify", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, [each for each in done.stderr.splitlines() if UNIT in each]) == (0, [])


def test_systemd_rates_the_unit_as_little_exposed(tmp_path: Path) -> None:
    path = tmp_path / UNIT
    path.write_text(SHIPPED)
    arguments = [analyze(), "security", "--offline=yes", "--no-pager", str(path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    rated = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert rated is not None, done.stderr
    assert float(rated[1]) <= MOST_EXPOSED


@pytest.mark.usefixtures("folder")
def test_it_contains_the_path_of_the_installed_command_and_explains_how_to_enable_it() -> None:
    result = CliRunner().invoke(main, ["init", "--systemd"])
    assert result.exit_code == 0, result.output
    text = Path(UNIT).read_text()
    assert f"ExecStart=/opt/ours/bin/edgewarden run {CONFIGURATION}\n" in text
    assert "ExecReload=/bin/kill -HUP $MAINPID\n" in text
    assert "systemctl enable --now edgewarden" in result.stdout
    assert f"init {CONFIGURATION} --store /var/lib/edgewarden/edgewarden.db" in result.stdout
    again = CliRunner().invoke(main, ["init", "--systemd"])
    assert (again.exit_code, "already exists" in again.stderr) == (1, True)
    assert CliRunner().invoke(main, ["init", "--systemd", "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("command", "python", "words"),
    [
        ("/home/me/.local/bin/edgewarden", "/usr", "below /home"),
        ("/opt/edgewarden/bin/edgewarden", "/root/python", "below /root"),
        ("/opt/my tools/edgewarden", "/usr", "characters with a special meaning to systemd"),
    ],
)
def test_a_command_that_the_service_could_not_run_is_refused(command: str, python: str, words: str) -> None:
    with pytest.raises(UnitError, match=words):
        unit(Path(command), Path(python))


def test_each_path_to_be_filled_in_appears_once_in_the_shipped_unit() -> None:
    assert SHIPPED.count(COMMAND) == SHIPPED.count(CONFIGURATION) == 1


def test_the_documentation_contains_the_commands_printed_by_init(folder: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "howto" / "systemd.md").read_text("utf-8")
    printed = CliRunner().invoke(main, ["init", "--systemd"]).stdout.splitlines()
    commands = [each.strip() for each in printed if each.startswith("  ")]
    assert len(commands) == 7
    for each in commands:
        assert each.split("    ")[0].replace("/opt/ours/bin/edgewarden", COMMAND) in page
