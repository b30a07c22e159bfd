"""Pairs of a name and a value: `T=21.5;H=48`, `temp=21.5&hum=48`."""

from __future__ import annotations

import re

SEPARATORS = ("\n", "&", ";", "|", "\t", ",", " ")
"""Possible separators of pairs or values; the first one found in a payload applies."""

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


def pairs_in(text: str, decimal: str = ".") -> dict[str, str] | None:
    """The pairs of a name and a value that a text consists of; None if it consists of anything else.

    Args:
        text: The text.
        decimal: Text before the decimals of a number, where a comma doesn't separate pairs.
    """
    for separator in SEPARATORS:
        if separator not in text or (separator == "," and decimal == ","):
            continue
        found = [_pair_in(each) for each in text.split(separator) if each.strip()]
        pairs = [each for each in found if each is not None]
        if len(pairs) == len(found) > 0:
            return {_unescaped(key): _unescaped(value) for key, value in pairs} if separator == "&" else dict(pairs)
    alone = None if "\n" in text else _pair_in(text)
    return None if alone is None else dict([alone])


def _pair_in(text: str) -> tuple[str, str] | None:
    """The name and the value of a pair, without the quotes around them; None if it isn't one."""
    ends = [place for each in "=:" if (place := text.find(each)) >= 0]
    if not ends:
        return None
    name, value = text[: min(ends)].strip().strip('"'), text[min(ends) + 1 :].strip().strip('"')
    return (name, value) if name and '"' not in name else None


def _unescaped(text: str) -> str:
    """What a form's text says: `+` is a space, and `%3A` the byte of that number (WHATWG URL, 5.1)."""
    plain = text.replace("+", " ").encode("utf-8", "surrogatepass")
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), plain).decode("utf-8", "replace")
