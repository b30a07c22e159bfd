"""Describes what a rejected payload looks like, to help the operator choose the right format.

Decoding never depends on this guess. The description goes into the refusal's detail, the log and the dead letter. It
quotes nothing from the payload except common states such as `Online`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from edge.core.intake.decoders.notation.other_values import DURATION, other_value
from edge.core.intake.decoders.notation.text_numbers import BOUND, is_bound, text_of, ungrouped
from edge.core.intake.decoders.recognition.other_formats import other_format
from edge.core.intake.decoders.recognition.readable_texts import (
    decimal_of_row,
    number_in,
    options_for_pairs,
    problem_of_line,
)

LOOKED_AT = 4096
"""Number of payload bytes examined."""

FORMATS = {
    "json": "JSON",
    "number": "a plain number",
    "text": "pairs of a name and a value",
    "msgpack": "MessagePack",
    "cbor": "CBOR",
    "senml": "SenML",
    "senml-cbor": "SenML in CBOR",
    "influx": "line protocol",
    "sparkplug": "Sparkplug B",
}
"""Display names of the formats that an input may have."""

_SIGNATURES = (
    (b"\x1f\x8b", "gzip"),
    (b"x\x9c", "zlib"),
    (b"x\x01", "zlib"),
    (b"x\xda", "zlib"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x89PNG", "a PNG image"),
    (b"%PDF-", "a PDF file"),
    (b"\xff\xfe", "text in UTF-16"),
    (b"\xfe\xff", "text in UTF-16"),
)

_STATES = re.compile(
    "on(line)?|off(line)?|true|false|open(ed)?|closed|(dis)?connected|(un)?available|unknown|none|null|up|down|ready|lost"
    "|init|sleeping|(not_)?home|detected|clear|(un)?locked|yes|no"
    r"|undefined|n/?a|nil|err(or)?|fail(ed|ure)?|-{1,5}|\?{1,5}",
    re.IGNORECASE | re.ASCII,
)
_OFF = re.compile("off(line)?|false|closed|disconnected|down|lost|not_home|clear|unlocked|no", re.IGNORECASE | re.ASCII)
_ABSENT = re.compile(
    r"unavailable|unknown|undefined|none|null|nil|n/?a|err(?:or)?|fail(?:ed|ure)?|-{1,5}|\?{1,5}",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""Each text matches in one way only, here and below: it is repeated, and a second way doubles the time each time."""

_IN_A_ROW = 'numbers in a row: format = "text" with columns = ["...", "..."]'
_PERHAPS_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_TIME_OF_DAY = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?\s?(?:Z|[+-]\d{2}:?\d{2}|[AaPp][Mm])?"
_DATE = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4})"
_TIME = re.compile(rf"{_TIME_OF_DAY}|{_DATE}(?:[T ]{_TIME_OF_DAY})?")
_SHORT_TEXTS = (
    (re.compile(_NUMBER), "a plain number", "number"),
    (re.compile(r"0[xX][0-9A-Fa-f]+"), "a hexadecimal number", ""),
    (re.compile(r"(?:[0-9A-Fa-f]{2}){4,}"), "hexadecimal digits", ""),
    (re.compile(rf'"\s*{_NUMBER}\s*"'), "a number in quotes", ""),
    (_TIME, "a time, not a value", ""),
    (re.compile(r"\d{1,5}T\d{2}:\d{2}:\d{2}"), DURATION, ""),
    (
        re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})|[+-]?[1-9]\d{0,2}(?:\.\d{3}){2}"),
        f"a number whose thousands are separated, which no option reads, or {_IN_A_ROW}",
        "",
    ),
)
_HEADING = r"[^\W\d_][\w .()/%°-]{0,40}"
_TEXTS = (
    (
        re.compile(rf"{_HEADING}([;,\t]){_HEADING}(?:\1{_HEADING})*\r?\n\s*[+-]?\d[^\n]*(?:\n[^\n]*)*"),
        'rows below the names of their columns: format = "text" with columns = ["...", "..."]',
        "",
    ),
    (re.compile(r"(?:[0-9A-Fa-f]{2}){4,}"), "hexadecimal digits", ""),
    (re.compile(r"<[?!A-Za-z].*", re.DOTALL), "XML or HTML", ""),
    (
        re.compile(r"(?:#[^\n]*\n)*[^\s,=#{\[\"]+(?:,[^\s,=]+=[^\s,]+)* [^\s,=]+=\S.*", re.DOTALL),
        "line protocol",
        "influx",
    ),
    (
        re.compile(
            r"[^\s=:;&|,{}<>]{1,64}\s?[=:]\s?[+-]?\.?\d[^;&|,=\n]*(?:[;&|,\n][^=:;&|,\n]{1,64}[=:][^;&|,=\n]*)*;?"
        ),
        "pairs",
        "text",
    ),
    (re.compile(r"[^\s=&{}<>]{1,64}=[^\s=&]*(?:&[^\s=&]{1,64}=[^\s=&]*)+"), "pairs", "text"),
    (re.compile(r"(?:[^\s=:;&|,{}<>]{1,64}[=:][+-]?\.?\d[^\s=:;&|,]*(?:\s+|$))+"), "pairs", "text"),
    (
        re.compile(rf"{_NUMBER}(?:[;|,\t ]+{_NUMBER})+[;|,\t ]*"),
        _IN_A_ROW,
        "",
    ),
    (re.compile(r"[^=:<>{}]{1,64}[=:].*", re.DOTALL), "pairs", "text"),
)
_PYTHON = re.compile(r"[\[\s]*\{\s*'[^'\n]{0,100}'\s*:")
_SHORT = 64
"""Maximum length in characters of a text that may be a number; longer texts aren't parsed."""

_SENML = re.compile(r'\s*\[\s*\{[^{}\[\]]*"(?:n|bn|bt|bu|v|vb|vs)"\s*:')

_decode_msgpack = msgspec.msgpack.Decoder().decode


def instead(wanted: str, payload: bytes) -> str | None:
    """What a payload looks like instead of the configured format; None if it looks like nothing else.

    Args:
        wanted: The input's format, a key of `FORMATS`.
        payload: Any bytes.

    Returns:
        A phrase such as `not JSON but a number followed by a unit`, or `not JSON; looks like gzip`.
    """
    head = payload[:LOOKED_AT]
    signature = next((name for begin, name in _SIGNATURES if head.startswith(begin) and _is_likely(name, head)), None)
    if signature is not None:
        return f"not {FORMATS[wanted]}; looks like {signature}"
    text = _text(head, is_whole=len(payload) <= LOOKED_AT)
    if text is None:
        words = _latin(wanted, payload) or _binary(wanted, payload)
        return None if words is None else f"not {FORMATS[wanted]}; {words}"
    words = _textual(wanted, text)
    return None if words is None else f"not {FORMATS[wanted]} but {words}"


def is_time(payload: bytes) -> bool:
    """Whether a payload is a text that holds a time of day, a date, or both."""
    text = _text(payload[:LOOKED_AT], is_whole=True) if len(payload) <= _SHORT else None
    return text is not None and _TIME.fullmatch(text.strip()) is not None


def _is_likely(signature: str, head: bytes) -> bool:
    """Whether a signature that ordinary text may also begin with is genuine."""
    return signature not in {"zlib", "bzip2"} or not head.isascii()


def _text(head: bytes, *, is_whole: bool) -> str | None:
    """The bytes as UTF-8 text; None if they aren't UTF-8 or hold control characters unusual in text."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if is_whole or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode()
    return None if re.search(r"[\x01-\x08\x0e-\x1f]", text) else text


def _textual(wanted: str, text: str) -> str | None:
    ends_in_nul, text = text.endswith("\0"), text.strip()
    if ends_in_nul or not text:
        return "a text that ends in a NUL character" if ends_in_nul else "white space"
    if text[0] in "{[":
        return _bracketed(wanted, text)
    if _STATES.fullmatch(text):
        return _state(wanted, text)
    short = ungrouped(text) if len(text) <= _SHORT else ""
    if (other := BOUND if is_bound(short) else other_value(short)) is not None:
        return other
    found = next(_found_in(_SHORT_TEXTS, short), None) if short else None
    if found is None and short and (number := number_in(short)) is not None:
        doubt = ", unless the comma separates thousands" if _PERHAPS_THOUSANDS.fullmatch(short) else ""
        return f"{number[0]}{doubt}: {_as_number(wanted)}{number[1]}"
    in_row = None if found else _in_a_row(text)
    return other_format(text) or in_row or _hint(wanted, found or next(_found_in(_TEXTS, short or text), None))


def _in_a_row(text: str) -> str | None:
    """What reads values in a row between which is no comma; None if a text is no such row."""
    decimal = decimal_of_row(text)
    return None if decimal is None else f'{_IN_A_ROW} and decimal = ","' if decimal == "," else _IN_A_ROW


def _found_in(patterns: Iterable[tuple[re.Pattern[str], str, str]], text: str) -> Iterator[tuple[str, str, str]]:
    """What a text is, the format that reads it, and the options that it needs; the last two may be empty."""
    for pattern, words, named in patterns:
        if not pattern.fullmatch(text):
            continue
        if named == "influx" and (problem := problem_of_line(text)) is not None:
            yield f"{words} with {problem}", "", ""
        elif (options := options_for_pairs(text) if named == "text" else "") is not None:
            yield words, named, options


def _hint(wanted: str, found: tuple[str, str, str] | None) -> str | None:
    """What a text is, and what reads it; None if it is what is wanted."""
    if found is None:
        return None if wanted == "influx" else "a text"
    words, named, options = found
    if named == wanted or words.partition(" with ")[0] == FORMATS[wanted]:
        return f"{words}: {options}" if options else None
    return f'{words}: format = "{named}"{" with " if options else ""}{options}' if named else words


def _bracketed(wanted: str, text: str) -> str | None:
    if _PYTHON.match(text):
        return "a printed Python dictionary: json.dumps() writes JSON"
    if wanted in {"json", "senml"}:
        return None
    found = "senml" if _SENML.match(text) else "json"
    return f'{FORMATS[found]}: format = "{found}"'


def _state(wanted: str, text: str) -> str:
    if _ABSENT.fullmatch(text):
        return f'the text "{text}", which says that there is no value: {_as_number(wanted)}no_value = ["{text}"]'
    return f'the text "{text}": {_as_number(wanted)}values = {{ {text} = {0 if _OFF.fullmatch(text) else 1} }}'


def _as_number(wanted: str) -> str:
    """The format that reads plain numbers, unless the input has it already, as the beginning of a hint."""
    return "" if wanted == "number" else 'format = "number" with '


def _binary(wanted: str, payload: bytes) -> str | None:
    found = None
    if _is_sparkplug(payload):
        return 'looks like Sparkplug B: convention = "sparkplug"'
    if _is_msgpack(payload):
        found = "msgpack"
    elif payload[0] in range(0xA1, 0xBC) or payload[0] in range(0x81, 0x9C) or payload[0] in {0x9F, 0xBF, 0xD9}:
        found = "cbor"
    if found is None:
        return None if wanted in {"cbor", "msgpack", "senml-cbor"} else "it is binary"
    if found in wanted:
        return None
    return f'looks like {FORMATS[found]}: format = "{found}"'


def _latin(wanted: str, payload: bytes) -> str | None:
    """What a short text in Latin-1 is if it is a number with a unit, as in `21.5 °C`; else None."""
    number = number_in(text_of(payload).strip()) if len(payload) <= _SHORT else None
    return None if number is None else f"{number[0]} in Latin-1: {_as_number(wanted)}{number[1]}"


def _is_sparkplug(payload: bytes) -> bool:
    """Whether a payload begins like Sparkplug B: a time in milliseconds, then metrics or a sequence number."""
    if payload[0] != 0x08 or len(payload) < 8:
        return False
    time = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(payload[1:7]))
    return 946_684_800_000 < time < 4_102_444_800_000 and payload[6] < 0x80 and payload[7] in {0x12, 0x18}


def _is_msgpack(payload: bytes) -> bool:
    """Whether a payload is a MessagePack map or array; a long one is judged by its beginning."""
    if not (payload[0] in range(0x81, 0xA0) or payload[0] in range(0xDC, 0xE0)):
        return False
    if len(payload) > LOOKED_AT:
        return payload[0] >= 0xDC
    try:
        _decode_msgpack(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True
