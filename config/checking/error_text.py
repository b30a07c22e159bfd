"""Error text: how errors name values, choices and keys."""

from __future__ import annotations

from collections.abc import Sequence

from config.checking.toml_lines import LineIndex
from config.problems import KeyPath, Problem, key_text, suggestion

_LONGEST_SHOWN = 60


def problem_at(path: KeyPath, message: str, lines: LineIndex) -> Problem:
    """A problem with the key at a path."""
    return Problem(key_text(path), lines.line_of(path), message)


def shown(given: object) -> str:
    """A value as written in the file, truncated."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, dict):
        return "a table"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str):
        return f'"{given}"' if len(given) <= _LONGEST_SHOWN else f'"{given[:_LONGEST_SHOWN]}..."'
    text = str(given)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def number(value: float) -> str:
    """A bound as a reader would write it."""
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def either(words: Sequence[str]) -> str:
    """The words as a choice: `a, b or c`."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def unknown_key(key: str, known: Sequence[str], what: str = "key") -> str:
    """The error of a key that a table doesn't have, with the nearest one that it has."""
    return f"there is no such {what}{suggestion(key, known)}"
