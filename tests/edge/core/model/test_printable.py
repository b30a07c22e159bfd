from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.notation.printable import printable, printable_bytes, printable_json, shortened

HIDDEN = {
    "a control character": ("a\x1b[31mb", "a\\x1b[31mb"),
    "the end of a line": ("a\nb", "a\\x0ab"),
    "a C1 control": ("a\x9bb", "a\\x9bb"),
    "an override of the direction": ("a\u202eb", "a\\u202eb"),
    "an isolate": ("a\u2066b", "a\\u2066b"),
    "a zero-width space": ("a\u200bb", "a\\u200bb"),
    "a soft hyphen": ("a\u00adb", "a\\xadb"),
    "a byte order mark": ("a\ufeffb", "a\\ufeffb"),
    "a tag": ("a\U000e0041b", "a\\U000e0041b"),
    "a variation selector": ("a\ufe0fb", "a\\ufe0fb"),
    "a filler": ("a\u3164b", "a\\u3164b"),
    "a space that isn't one": ("a\u00a0b", "a\\xa0b"),
    "half of a surrogate pair": ("a\ud800b", "a\\ud800b"),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_invisible_characters_are_shown_as_escapes(what: str) -> None:
    text, shown = HIDDEN[what]
    assert printable(text) == shown


@pytest.mark.parametrize("text", ["line1/pump3", "Kessel 3, 21,5 °C", "温度", "насос", "مضخة", "", "a" * 500])
def test_visible_characters_are_unchanged(text: str) -> None:
    assert printable(text) == text


@given(st.text())
def test_no_control_or_format_character_is_shown(text: str) -> None:
    assert {unicodedata.category(each) for each in printable(text)}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_is_equivalent_afterwards(text: str) -> None:
    shown = printable_json(json.dumps({"sensor": text}, ensure_ascii=False))
    assert json.loads(shown) == {"sensor": text}
    assert printable(shown) == shown


def test_a_payload_is_shown_with_its_bytes_and_truncated() -> None:
    assert printable_bytes(b'{"a": 1}\xff\x00', 80) == '{"a": 1}\\xff\\x00'
    assert printable_bytes(b"x" * 100, 10) == "xxxxxxxxx…"


def test_a_text_is_truncated_only_if_it_is_longer() -> None:
    assert shortened("abcd", 4) == "abcd"
    assert shortened("abcde", 4) == "abc…"
