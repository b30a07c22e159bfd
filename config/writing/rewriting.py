"""Writing `[[input]]` tables into a configuration file, with the rest of it as it stands."""

from __future__ import annotations

import re
import tomllib

_TABLE = re.compile(r"^\[", re.MULTILINE)
_INPUT = re.compile(r"^\[\[input\]\][^\n]*\n", re.MULTILINE)
_EVERYTHING = re.compile(r'^topic\s*=\s*"#"', re.MULTILINE)


def has_inputs(text: str) -> bool:
    """Whether a configuration says what to read; one that isn't TOML is taken to say so."""
    try:
        return "input" in tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return True


def with_inputs(text: str, tables: str) -> str:
    """A configuration with more inputs.

    They stand before an input that reads everything (`topic = "#"`), which is taken out: it was there until it is known
    what there is. Otherwise they follow the last input, or are added at the end.

    Args:
        text: TOML without faults.
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
    """The lines at the end of a table that belong to the next one: comments behind a blank line."""
    *_, last = block.rpartition("\n\n")
    return last if last.startswith("#") else ""
