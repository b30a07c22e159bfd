"""Loading: reads a file to a configuration, or to all of its errors. Nothing but that file is opened."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from config.checking.error_text import problem_at
from config.checking.lint import doubts_of
from config.checking.toml_lines import LineIndex
from config.problems import ConfigurationError, Problem
from config.schema import Configuration, repeated_topics
from config.tables.common.fields import Files, InvalidValueError
from config.tables.common.validation import validated

LARGEST_BYTES = 1024 * 1024

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_VALUE = re.compile(r"\s*[\w.-]+\s*=\s*([^\s#][^#]{0,100}?)?\s*(?:#.*)?", re.ASCII)
_COMMA, _UNQUOTED = re.compile(r"[+-]?\d+,\d+", re.ASCII), re.compile(r"[A-Za-z_][\w /+.:-]*")
_TWICE, _QUOTED = re.compile(r"Cannot declare \((.*)\) twice"), re.compile(r"'([^']*)'")


class Inspection(NamedTuple):
    """A valid configuration with its warnings.

    Attributes:
        configuration: The configuration.
        doubts: Warnings: allowed, but probably not on purpose.
    """

    configuration: Configuration
    doubts: tuple[Problem, ...]


def load(path: Path, open_store: Path | None = None) -> Configuration:
    """Read a configuration file.

    Args:
        path: Path of the file. Paths in it are relative to its directory.
        open_store: A store that this process has open, and which must therefore not be examined.

    Raises:
        ConfigurationError: Contains all errors.
    """
    return inspect(path, open_store).configuration


def inspect(path: Path, open_store: Path | None = None) -> Inspection:
    """Read a configuration file and its warnings.

    Raises:
        ConfigurationError: Contains all errors.
    """
    source = str(path)
    return parse(_read(path, source), source, path.parent.resolve(), open_store)


def parse(
    text: str, source: str = "configuration", folder: Path | None = None, open_store: Path | None = None
) -> Inspection:
    """Validate the text of a configuration.

    Args:
        text: TOML.
        source: Name of the text, for errors.
        folder: Directory for relative paths; None to skip the check for referenced files.
        open_store: A store that this process has open, and which must therefore not be examined.

    Raises:
        ConfigurationError: Contains all errors.
    """
    try:
        raw = tomllib.loads(text)
        lines = LineIndex(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([_syntax_problem(str(error), text)], source) from None
    except RecursionError:
        raise ConfigurationError([Problem("", None, "is nested too deeply")], source) from None
    try:
        configuration = validated(Configuration, raw, None if folder is None else Files(folder, open_store))
    except InvalidValueError as refused:
        raise ConfigurationError(_problems(refused, raw, lines), source) from None
    doubts = [problem_at(each.path, each.message, lines) for each in doubts_of(configuration)]
    return Inspection(configuration, tuple(doubts))


def _read(path: Path, source: str) -> str:
    def failed(message: str, line: int | None = None) -> ConfigurationError:
        return ConfigurationError([Problem("", line, message)], source)

    try:
        if not path.exists():
            raise failed("there is no such file; edgewarden init writes one")
        if not path.is_file():
            raise failed("is not a file")
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise failed(f"can't be read: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise failed("is larger than 1 MiB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise failed("is not UTF-8 text: save it with that encoding", line) from None


def _syntax_problem(message: str, text: str) -> Problem:
    place = _PLACE.search(message)
    if place is None:
        return Problem("", None, f"is not TOML: {message}")
    line = int(place[1]) if place[1] else max(1, len(text.splitlines()))
    what = message[: place.start()]
    if twice := _TWICE.fullmatch(what.strip()):
        name = ".".join(_QUOTED.findall(twice[1]))
        return Problem("", line, f"the table [{name}] is there a second time: put its keys below the first one")
    if what.startswith("Cannot overwrite a value"):
        return Problem("", line, "this key or table is there a second time: leave one of them out")
    return Problem(
        "", line, f"is not TOML: {what[:1].lower()}{what[1:]}{_mistake_in(text.splitlines()[line - 1 : line])}"
    )


def _mistake_in(lines: list[str]) -> str:
    """The correction of a usual mistake in the line of a syntax error; empty if there is none.

    It repeats nothing of the line, which may hold a secret.
    """
    value = _VALUE.fullmatch(lines[0]) if lines else None
    given = (value and value[1]) or ""
    if _COMMA.fullmatch(given):
        return "; the decimal separator is a point"
    if given.lower() in {"true", "false"}:
        return f"; it is written {given.lower()}"
    if given.startswith('"') and "\\" in given:
        return "; a text with backslashes is in single quotes"
    return "; a text is in quotes" if _UNQUOTED.fullmatch(given) else ""


def _problems(refused: InvalidValueError, raw: dict[str, Any], lines: LineIndex) -> list[Problem]:
    problems = [problem_at(each.path, each.message, lines) for each in refused.faults]
    inputs = raw.get("input")
    if isinstance(inputs, list):  # inputs are compared once each of them is right
        topics = [each.get("topic") if isinstance(each, dict) else None for each in inputs]
        problems += [problem_at(("input", *fault.path), fault.message, lines) for fault in repeated_topics(topics)]
    return sorted(dict.fromkeys(problems), key=lambda each: each.line or 0)
