"""JSON as sketches, scripts and shells print it, rewritten as the JSON that it can only mean.

Read are keys and texts without quotes or in single ones (`{temp:21.5}` is what a shell leaves, `{'temp': 21.5}` what
Python prints), a comma too many, a value left out (`"temp":,`), numbers such as `.5`, `5.`, `+5` and `05`, constants of
other languages, and objects one after another. A payload that is cut off, or in which a quotation mark is missing, has
no single meaning and stays malformed.
"""

from __future__ import annotations

import re

import msgspec

MOST_CHARACTERS = 65_536
"""Maximum length of a payload that is rewritten; whoever prints such JSON sends short ones."""

_DOUBLE = r'(?P<double>"(?:[^"\\\x00-\x1f]|\\.)*+")'
_SINGLE = r"(?P<single>'(?:[^'\\\x00-\x1f]|\\.)*+')"
_KEY = re.compile(rf"\s*+(?:{_DOUBLE}|{_SINGLE}|(?P<bare>[^\s{{}}\[\]:,\"']++))\s*+:|\s*+(?P<mark>\}})")
_VALUE = re.compile(
    rf"\s*+(?:{_DOUBLE}|{_SINGLE}|(?P<mark>[{{}}\[\],])|(?P<bare>[^\s{{}}\[\]:,\"'][^{{}}\[\],\"'\n]*+))"
)
_MORE = re.compile(r"\s*+(?P<mark>[{}\],]|\Z)")

_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d{1,4})?", re.ASCII)
_ENDLESS = re.compile(r"[+-]?(?:nan(?:\(\w{1,12}\))?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
_CONSTANTS = {"null": "null", "none": "null", "nil": "null", "undefined": "null", "true": "true", "false": "false"}
_IN_SINGLE = re.compile(r"\\(.)|\"", re.DOTALL)
_CLOSES = {"{": "}", "[": "]"}

LONGEST_NUMBER = 400
"""Maximum length of a number in characters; the longest printed float has 327 before the decimal point."""


def rewritten(text: str) -> str | None:  # noqa: C901 - a state machine
    """The JSON that a text can only mean, several objects as an array; None if there is none. Takes linear time.

    Args:
        text: A text that isn't JSON. What is returned needn't be JSON either, as escapes aren't examined.
    """
    first = text.lstrip()[:1]
    if len(text) > MOST_CHARACTERS or first not in {"{", "["}:
        return None
    written: list[str] = []
    opened: list[str] = []
    documents, place, wants, is_first = 0, 0, _VALUE, True
    while True:
        found = wants.match(text, place)
        if found is None:
            return None
        mark, place = found["mark"], found.end()
        if wants is _MORE and mark == "" and not opened:
            return "".join(written) if documents == 1 else f"[{''.join(written)}]"
        if mark == "," and wants is _MORE and opened:
            wants, is_first = _KEY if opened[-1] == "{" else _VALUE, False
        elif mark in {"}", "]"} and opened and mark == _CLOSES[opened[-1]]:
            if wants is _VALUE and mark == "}":
                written.append("null")  # a value left out before the end
            written.append(mark)
            opened.pop()
            wants = _MORE
        elif mark in {"{", "["} and (wants is _VALUE or (not opened and mark == first)):
            # Elements of an array, and documents one after another, are separated here.
            is_next = not is_first if opened and opened[-1] == "[" else documents > 0 and not opened
            documents += not opened
            written.append(f",{mark}" if is_next else mark)
            opened.append(mark)
            wants, is_first = _KEY if mark == "{" else _VALUE, True
        elif mark == "," and wants is _VALUE:
            written.append("null" if opened[-1] == "{" or is_first else ",null")
            place, wants = found.start("mark"), _MORE
        elif mark is None and wants is _KEY:
            written.append(f"{'' if is_first else ','}{_text(found)}:")
            wants = _VALUE
        elif mark is None and opened:
            written.append(f"{',' if opened[-1] == '[' and not is_first else ''}{_value(found)}")
            wants = _MORE
        else:
            return None


def _text(found: re.Match[str]) -> str:
    """A text in double quotes."""
    if found["double"] is not None:
        return found["double"]
    if found["single"] is not None:
        return f'"{_IN_SINGLE.sub(_in_double, found["single"][1:-1])}"'
    return msgspec.json.encode(found["bare"].strip()).decode()


def _in_double(found: re.Match[str]) -> str:
    """What an escape or a double quote of a text in single quotes is in double ones."""
    return '\\"' if found[1] in {None, '"'} else "'" if found[1] == "'" else found[0]


def _value(found: re.Match[str]) -> str:
    """A text, a number or a constant."""
    bare = found["bare"]
    if bare is None:
        return _text(found)
    bare = bare.strip()
    number = _NUMBER.fullmatch(bare) if len(bare) <= LONGEST_NUMBER else None
    if number is not None and (number[2] or number[3]):
        sign, whole, decimals, exponent = number.groups(default="")
        point = f".{decimals}" if decimals else ""
        return f"{'-' if sign == '-' else ''}{whole.lstrip('0') or '0'}{point}{exponent}"
    if _ENDLESS.fullmatch(bare):
        return "1e999"
    return _CONSTANTS.get(bare.lower()) or _text(found)
