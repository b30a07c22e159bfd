"""Rewriting: adds `[[input]]` tables to a configuration file, leaving the rest unchanged."""

from __future__ import annotations

import re
import tomllib

_TABLE = re.compile(r"^\[", re.MULTILINE)
_INPUT = re.compile(r"^\[\[input\]\][^\n]*\n", re.MULTILINE)
_EVERYTHING = re.compile(r'^topic\s*=\s*"#"', re.MULTILINE)


def has_inputs(text: str) -> bool:
    """Whether a configuration contains inputs; assumed for one that isn't valid TOML."""
    try:
        return "input" in tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return True


def with_inputs(text: str, tables: str) -> str:
    """A configuration with additional inputs.

    They are inserted in place of an input that reads everything (`topic = "#"`), which was meant for the time before
    the topics are known. Otherwise they follow the last input, or are added at the end.

    Args:
        text: Valid TOML.
        tables: `[[input]]` tables.
    """
    begins = [each.start() for each in _TABLE.finditer(text)] + [len(text)]
    blocks = [(begin, next(end for end in begins if end > begin)) for begin in begins[:-1]]
    inputs = [(begin, end) for begin, end in blocks if _INPUT.match(text, begin)]
    for begin, end in inputs:
        if _EVERYTHING.search(text, begin, end):
            return f"{text[:begin]}{tables}\n{_comment_before(text[begin:end])}{text[end:]}"
    at = inputs[-1][1] if inputs else len(text)
    before = text[:at].rstrip("\n")
    return f"{before}\n\n{tables}\n{text[at:]}"


def _comment_before(block: str) -> str:
    """The lines at the end of a table that belong to the next one: comments after a blank line."""
    *_, last = block.rpartition("\n\n")
    return last if last.startswith("#") else ""
