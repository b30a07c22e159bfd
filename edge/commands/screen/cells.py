"""Terminal cells: width, truncation and padding of text, and sparklines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import combining, east_asian_width


class Glyphs(NamedTuple):
    """Characters that a terminal can display.

    Attributes:
        bars: Bars of a sparkline, from lowest to highest.
        ellipsis: Marks truncated text.
        dash: Placeholder for a missing value.
    """

    bars: str
    ellipsis: str
    dash: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "…", "-")
ASCII = Glyphs("_.-:=+*#", "~", "-")


def glyphs_for(encoding: str | None) -> Glyphs:
    """The characters available in an encoding."""
    try:
        "".join(UNICODE).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def width(text: str) -> int:
    """Number of columns that a text occupies."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int, ellipsis: str = "…") -> str:
    """The text truncated to `columns` columns, with an ellipsis if it is longer."""
    if width(text) <= columns:
        return text
    kept, room = [], max(0, columns - 1)
    for each in text:
        room -= _width(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept) + ellipsis if columns > 0 else ""


def cut_left(text: str, columns: int, ellipsis: str = "…") -> str:
    """The text truncated on the left, because names of sensors differ at their end."""
    while text and width(text) > columns:
        text = ellipsis + text[2 if text.startswith(ellipsis) else 1 :]
        if text == ellipsis:
            break
    return text if width(text) <= columns else ""


def fitted(text: str, columns: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """The text truncated or padded to exactly `columns` columns."""
    found = cut(text, columns, ellipsis)
    padding = " " * (columns - width(found))
    return padding + found if right else found + padding


def wrapped(text: str, columns: int, most: int | None = None, ellipsis: str = "…") -> list[str]:
    """The text wrapped to `columns` columns; if there are more than `most` lines, the last one is truncated."""
    lines: list[str] = []
    line = ""
    for given in text.split():
        word = given
        if width(line) + bool(line) + width(word) > columns:
            lines += [line] if line else []
            line = ""
        while width(word) > columns:
            head = cut(word, columns + 1, "")[: max(1, columns)]
            while width(head) > columns and len(head) > 1:
                head = head[:-1]
            lines.append(head)
            word = word[len(head) :]
        line = f"{line} {word}" if line else word
    lines += [line] if line else []
    if most is not None and len(lines) > most:
        lines = [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), columns, ellipsis)]
    return lines


def sparkline(values: Sequence[float], columns: int, glyphs: Glyphs) -> str:
    """The last `columns` finite values as bars, scaled to their minimum; empty without a value."""
    kept = [each for each in values if math.isfinite(each)][-columns:] if columns > 0 else []
    if not kept:
        return ""
    low, high = min(kept), max(kept)
    steps = len(glyphs.bars) - 1
    if not math.isfinite(high - low) or high <= low:
        return glyphs.bars[steps // 2] * len(kept)
    return "".join(glyphs.bars[round(steps * ((each - low) / (high - low)))] for each in kept)
