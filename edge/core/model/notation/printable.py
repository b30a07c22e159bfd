r"""Printable text: makes external names and values safe to show in a terminal and in a log line.

Senders choose topics, field names and payloads. Control characters could drive the terminal, bidirectional controls
reorder the surrounding text, and invisible characters make two names look the same. All of them are shown as the
escapes of Python and JSON, such as `\x1b` and `\u202e`.

Source: Unicode Technical Reports 36 (security considerations) and 39 (restricted characters).
"""

from __future__ import annotations

import re

_BLANK = re.compile(
    "["
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
    "\u2800"  # Braille blank
    "]"
)
"""Invisible characters that Unicode doesn't class as control, format or space."""


def printable(text: str) -> str:
    r"""The text with every control, bidirectional, invisible or unassigned character escaped.

    >>> printable("pump\u202e3\x1b[31m")
    'pump\\u202e3\\x1b[31m'
    >>> printable("Kessel 3, 21.5 °C")
    'Kessel 3, 21.5 °C'
    """
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(_escape(each) if _is_hidden(each) else each for each in text)


def printable_json(text: str) -> str:
    """Equivalent JSON text on one line, with hidden characters in strings written as JSON escapes."""
    if text.isprintable() and not _BLANK.search(text):
        return text
    return "".join(_json_escape(each) if _is_hidden(each) else each for each in text)


def printable_bytes(content: bytes, most: int) -> str:
    r"""The beginning of a payload for display: text as it is, other bytes as `\xff`; at most `most` characters."""
    text = printable(content.decode("utf-8", "backslashreplace"))
    return shortened(text, most)


def shortened(text: str, most: int) -> str:
    """The text, truncated to `most` characters with an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _is_hidden(character: str) -> bool:
    return not character.isprintable() or _BLANK.match(character) is not None


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[each : each + 2].hex()}" for each in range(0, len(units), 2))
