"""Types of option values: globs on sensor names, severities, and event words as they are printed."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

import click

from config.notation.topics import glob_problem
from config.problems import suggestion
from edge.core.model.notation.globs import fits
from edge.core.model.notation.printable import printable
from edge.core.model.notation.quantities import counted

MOST_OFFERED = 3

Row = TypeVar("Row")

KIND_ALIASES = {"silence": "missing", "silent": "missing", "stuck": "flatline", "limits": "range"}
"""Alternative names of a kind, in sentences and detectors."""

TRANSITIONS = (
    "raised",
    "updated",
    "cleared",
    "acknowledged",
    "shelved",
    "unshelved",
    "expired",
    "gap",
    "discovered",
    "forgotten",
)


def latest_of(rows: list[Row], most: int | None, what: str) -> list[Row]:
    """The latest `most` of some rows, which are one more if there are earlier ones: that is said on stderr."""
    if most is None or len(rows) <= most:
        return rows
    click.echo(f"Only the latest {counted(most, what)}; --all shows the earlier ones too.", err=True)
    return rows[1:]


class SensorGlob(click.ParamType[str]):
    """A glob on sensor names, as in the configuration: `*` within a level, `**` across levels."""

    name = "glob"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        problem = glob_problem(str(value))
        if problem:
            self.fail(problem, param, ctx)
        return str(value)


class Word(click.ParamType[str]):
    """One of several words, case-insensitive; spaces and hyphens count as underscores.

    Args:
        name: A description of the words, for the help.
        words: Valid words.
        aliases: Other words, and their equivalents.
    """

    def __init__(self, name: str, words: Collection[str], aliases: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._words = words
        self._aliases = aliases or {}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        word = str(value).strip().lower().replace("-", "_").replace(" ", "_")
        word = self._aliases.get(word, word)
        if word not in self._words:
            self.fail(f"there is no {self.name} {printable(str(value))!r}{suggestion(word, self._words)}", param, ctx)
        return word


class Severity(click.ParamType[int]):
    """A minimum severity: 1 to 1000, or INFO, WARN, ERROR, FATAL for the lowest number of that class."""

    name = "severity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See `click.ParamType`."""
        from edge.core.incidents.events.event import SEVERITIES  # noqa: PLC0415 - loaded when a command runs

        text = str(value).strip()
        if text.isascii() and text.isdigit():
            if not 1 <= int(text) <= 1000:
                self.fail(f"{text} is not between 1 and 1000", param, ctx)
            return int(text)
        names: list[str] = [name for name, _ in SEVERITIES]
        if text.upper() not in names:
            self.fail(f"there is no severity {printable(text)!r}; known are 1 to 1000, {', '.join(names)}", param, ctx)
        return 1 + 250 * names.index(text.upper())


class Kind(click.ParamType[str]):
    """A kind of incident, as printed in lists or in sentences; or the reason of a gap."""

    name = "kind"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        from typing import get_args  # noqa: PLC0415 - loaded when a command runs

        from edge.core.incidents.events.event import Kind as IncidentKind  # noqa: PLC0415
        from edge.core.incidents.events.gaps import WORDS  # noqa: PLC0415

        return Word("kind", (*get_args(IncidentKind), *WORDS), KIND_ALIASES).convert(value, param, ctx)


class Reason(click.ParamType[str]):
    """A reason for refusing input or a command."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        return Word("reason", _reasons()).convert(value, param, ctx)


class TopicFilter(click.ParamType[str]):
    """An MQTT topic or topic filter."""

    name = "topic"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        from config.notation.topics import filter_problem  # noqa: PLC0415 - loaded when a command runs

        problem = filter_problem(str(value)) if any(each in str(value) for each in "+#") or not value else None
        if problem:
            self.fail(problem, param, ctx)
        return str(value)


def meaning_of(reason: str) -> str:
    """The meaning of a reason for refusal."""
    return _reasons().get(reason, reason)


def _reasons() -> dict[str, str]:
    from edge.core.model.readings.messages import REASONS  # noqa: PLC0415 - loaded when a command runs
    from edge.core.operator.commands import REASONS as OF_COMMANDS  # noqa: PLC0415

    return {**OF_COMMANDS, **REASONS}


class UnknownSensorError(Exception):
    """A glob matches no sensor; the message suggests similar names."""


def matching(glob: str | None, names: Iterable[str]) -> list[str]:
    """The names that a glob matches; all of them without a glob.

    Raises:
        UnknownSensorError: It matches none.
    """
    every = list(names)
    if glob is None:
        return every
    found = [each for each in every if fits(glob, each)]
    if not found:
        raise UnknownSensorError(no_sensor(glob, every))
    return found


def no_sensor(glob: str, names: Iterable[str]) -> str:
    """The error text for a glob that matches no sensor: the nearest names, or else the number of sensors."""
    every = [printable(each) for each in names]
    near = difflib.get_close_matches(printable(glob).replace("*", ""), every, n=MOST_OFFERED, cutoff=0.5)
    text = f"no sensor's name matches {printable(glob)!r}"
    if near:
        return f"{text}; the nearest are {', '.join(near)}"
    if not every:
        return f"{text}: no sensor is known yet"
    hint = "; * matches one level, ** any number of them" if "*" in glob else ""
    return f"{text}; {len(every)} are known, such as {every[0]}{hint}"
