"""`edgewarden deadletters`."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from owned_stores import edgewarden, json_lines, refused

from edge.shell.store import SqliteStore


@pytest.fixture
def letters(folder: Path) -> Path:
    kept = SqliteStore(folder / "edgewarden.db")
    kept.append([], [refused("malformed"), refused("late", "plant/a/b", b"\xff\x1b[31m" + b"y" * 400, 1e9)])
    kept.append([], [refused("malformed", "house/x\u202e")])
    kept.close()
    return kept.path


def test_dead_letters_are_shown_in_readable_form(letters: Path) -> None:
    result = edgewarden("deadletters")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "3 refused messages; the service is not running"
    assert lines[1] == "1970-01-01 00:00:05  malformed  plant/door"
    assert lines[2] == "  the payload doesn't match the input's format (at value): not a number"
    assert lines[3] == "  Online"
    assert "  \\xff\\x1b[31myyy" in result.stdout
    assert "… and 150 bytes more" in result.stdout
    assert "house/x\\u202e" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "topics"),
    [
        (("--reason", "malformed"), ["plant/door", "house/x\u202e"]),
        (("--topic", "plant/#"), ["plant/door", "plant/a/b"]),
        (("--topic", "plant/+"), ["plant/door"]),
        (("--topic", "plant/a/b"), ["plant/a/b"]),
        (("--since", "2001-01-01"), ["plant/a/b"]),
        (("--last", "1"), ["house/x\u202e"]),
        (("--last", "1", "--reason", "late"), ["plant/a/b"]),
        (("--reason", "late", "--reason", "no_window"), ["plant/a/b"]),
    ],
)
def test_dead_letters_can_be_filtered(letters: Path, arguments: tuple[str, ...], topics: list[str]) -> None:
    found = json_lines(edgewarden("deadletters", "--json", *arguments))
    assert [each["topic"] for each in found] == topics


def test_earlier_dead_letters_are_mentioned(letters: Path) -> None:
    assert edgewarden("deadletters", "--last", "3").stderr == ""
    cut = edgewarden("deadletters", "--last", "2")
    assert cut.stderr == "Only the latest 2 messages; --all shows the earlier ones too.\n"
    assert cut.stdout.startswith("2 refused messages of 3 that are kept; ")


def test_dead_letters_as_json_contain_the_bytes(letters: Path) -> None:
    (late,) = json_lines(edgewarden("deadletters", "--json", "--reason", "late"))
    assert base64.b64decode(late["beginning"])[:6] == b"\xff\x1b[31m"
    assert late["size"] == 406


@pytest.mark.parametrize("arguments", [("--reason", "malfromed"), ("--topic", "a/#/b")])
def test_an_unknown_reason_or_an_invalid_filter_is_refused(letters: Path, arguments: tuple[str, ...]) -> None:
    assert edgewarden("deadletters", *arguments).exit_code == 2
