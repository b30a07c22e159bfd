"""The problems of a configuration, described for operators.

ConfigurationError
  .problems -> Problem(key, line, message), one for each fault
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")

_CALLED: Mapping[str, tuple[str, ...]] = {
    "broker": ("mqtt", "server", "connection"),
    "host": ("server", "url", "uri", "address", "hostname", "ip"),
    "username": ("user", "login"),
    "password_file": ("password", "passwd", "pass"),
    "tls": ("ssl",),
    "page": ("web", "http", "ui", "dashboard"),
    "store": ("database", "db"),
    "ignore": ("exclude", "skip"),
    "zone": ("timezone", "time_zone", "tz"),
    "high": ("max", "maximum", "upper"),
    "low": ("min", "minimum", "lower"),
    "detectors.limits": ("limits",),
    "detectors.limits.high": ("high", "max", "maximum", "upper"),
    "detectors.limits.low": ("low", "min", "minimum", "lower"),
    "incidents.threshold": ("threshold",),
}
"""What keys are called elsewhere; the first level of each must be known where it is suggested."""


class Problem(NamedTuple):
    """An error or a warning.

    Attributes:
        key: Path of the key, such as `rule[0].detectors.ewma.half_life`; empty for the file as a whole.
        line: Line in the file, from 1, or None if there is none.
        message: The problem, and a correction.
    """

    key: str
    line: int | None
    message: str

    def located(self, source: str) -> str:
        """The problem on one line, preceded by the name of its file, as compilers print it."""
        place = source if self.line is None else f"{source}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigurationError(Exception):
    """A configuration is invalid.

    Attributes:
        problems: All errors in the order of the file.
        source: Name of the file as given.
    """

    def __init__(self, problems: Sequence[Problem], source: str) -> None:
        super().__init__("\n".join(each.located(source) for each in problems))
        self.problems = tuple(problems)
        self.source = source


def key_text(path: KeyPath) -> str:
    """A key path as text: `("rule", 0, "unit")` is `rule[0].unit`; keys that TOML would quote are quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else f'"{part}"'
            text += f".{key}" if text else key
    return text


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests the nearest known word, or lists all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

    words, given = list(known), wrong.lower()
    near = [key for key, others in _CALLED.items() if given in others and key.partition(".")[0] in words]
    near += get_close_matches(given, words, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are {', '.join(sorted(words))}" if words else ""
