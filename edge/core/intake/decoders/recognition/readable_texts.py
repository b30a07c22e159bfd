"""Readable texts: which keys of an input read a text that its format refuses, so that a hint names only what helps."""

from __future__ import annotations

import re

from edge.core.intake.decoders.notation.pairs import pairs_in
from edge.core.intake.decoders.notation.text_numbers import TextNumbers
from edge.core.intake.decoders.records.line_protocol import read_line

_OPTIONS = (
    (".", False, ""),
    (".", True, "units = true"),
    (",", False, 'decimal = ","'),
    (",", True, 'decimal = "," and units = true'),
)
_CLOCK = re.compile(r"\d{1,2}:\d\d")
_TEXTS = [(options, decimal, TextNumbers(decimal=decimal, units=units)) for decimal, units, options in _OPTIONS]
_WORDS = dict(
    zip(
        (options for _, _, options in _OPTIONS),
        (
            "",
            "a number followed by a unit",
            "a number with a decimal comma",
            "a number with a decimal comma and a unit",
        ),
        strict=True,
    )
)


def number_in(text: str) -> tuple[str, str] | None:
    """What a text that is a number in some notation is, and the options that read it; None for any other text."""
    options = next((options for options, _, texts in _TEXTS[1:] if texts.find(text) is not None), None)
    return None if options is None else (_WORDS[options], options)


def decimal_of_row(text: str) -> str | None:
    """The decimal separator of values in a row, between which is no comma; None if a text is no such row."""
    line = text.splitlines()[0] if text else ""
    separator = next((each for each in ";|\t" if each in line), None)
    fields = [] if separator is None else [each.strip() for each in line.split(separator)]
    if len(fields) < 2 or any("=" in each or (":" in each and not _CLOCK.search(each)) for each in fields):
        return None
    for decimal in (",", "."):
        texts = TextNumbers(decimal=decimal)
        if any(decimal in each and texts.find(each) is not None for each in fields):
            return decimal
    return None


def options_for_pairs(text: str) -> str | None:
    """The options of the format `text` that read pairs in a text, perhaps empty; None if none do."""
    for options, decimal, texts in _TEXTS:
        pairs = pairs_in(text, decimal=decimal) or {}
        if any(texts.find(each) is not None for each in pairs.values()):
            return options
    return None


def problem_of_line(text: str) -> str | None:
    """Why the first line that is no comment holds no number in line protocol; None if it does."""
    place = 0
    while place < len(text) and text[place] == "#":
        newline = text.find("\n", place)
        place = len(text) if newline < 0 else newline + 1
    if place == len(text):
        return "comments only"
    line = read_line(text, place, 1, {})
    return None if line.values else next((each.detail for each in line.refusals if each.detail), "no number")
