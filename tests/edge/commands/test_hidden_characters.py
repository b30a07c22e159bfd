"""No command prints hidden characters, whether they come from a sender or from the configuration."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.loading import load
from edge.commands import main
from edge.core.model.readings.messages import DeadLetter, Message, Refusal
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore

HIDDEN = "\u202e\u2066\u200b\u00ad\ufeff\u061c\u0085\x1b[31m\x7f"
CONFIGURATION = r"""
[gateway]
name = "gw"
[[input]]
topic = "plant/#"
[[input]]
topic = "f\u202eoo/+"
[[rule]]
sensors = "plant/**"
unit = "C\u200bel"
[rule.detectors.limits]
high = 250.0
[[device]]
name = "machine"
sensors = ["plant/**"]
"""
NOW = 1_790_000_000.0
COMMANDS = [
    ("check",),
    ("status",),
    ("status", "--json"),
    ("sensors",),
    ("sensors", "--json"),
    ("open",),
    ("open", "--json"),
    ("events",),
    ("events", "--json"),
    ("deadletters",),
    ("deadletters", "--json"),
    ("levels",),
    ("levels", "--json"),
    ("shelved",),
    ("top",),
    ("replay", "--journal", "edgewarden.db"),
    ("sensors", f"plant/o{HIDDEN[0]}ven"),
    ("events", "--sensor", f"no{HIDDEN[0]}body"),
    ("check", f"no{HIDDEN[0]}file.toml"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration and a store, both with names that contain hidden characters."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgewarden.toml").write_text(CONFIGURATION)
    configuration = load(tmp_path / "edgewarden.toml")
    pipeline = make_pipeline(configuration)
    store = SqliteStore(configuration.store.path)
    topics = [f"plant/o{each}ven" for each in HIDDEN if each not in "[31m"]
    for number in range(40):
        value = str(300 if number == 39 else 200 + number % 3).encode()
        step = pipeline.process([Message(topic, value, NOW + 10 * number) for topic in topics])
        assert step.journal is not None
        store.append(step.events, [], pack([step.journal]), now=NOW + 10 * number)
    letter = DeadLetter.of(Message(f"p/{HIDDEN}", HIDDEN.encode(), NOW), Refusal("malformed", HIDDEN, HIDDEN))
    store.append([], [letter], now=NOW)
    store.remember(pipeline.save(configuration.digest(), configuration.inputs_digest()), configuration.digest(), NOW)
    store.close()
    return tmp_path


def hidden(text: str) -> list[str]:
    return sorted({hex(ord(each)) for each in text if each != "\n" and unicodedata.category(each) in {"Cc", "Cf"}})


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(main, arguments)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:2]).encode("ascii", "replace").decode()
)
def test_no_command_prints_hidden_characters(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.output.strip()
    assert hidden(result.output) == []


def test_a_faulty_configuration_is_reported_without_them(folder: Path) -> None:
    faulty = CONFIGURATION.replace(
        "[[device]]",
        r"""[[device]]
"no\u202ekey" = 1
""",
    ).replace('"machine"', r'"ma\u202echine"')
    (folder / "edgewarden.toml").write_text(faulty)
    result = run("check")
    assert result.exit_code == 2
    assert r"ma\u202echine" in result.output
    assert hidden(result.output) == []


@pytest.mark.usefixtures("folder")
def test_hidden_characters_are_shown_as_escapes() -> None:
    assert r"plant/o\u202even" in run("sensors").output
    assert r"plant/o\u202even" in run("open").output
