from __future__ import annotations

import math

import pytest

from edge.commands.screen.cells import ASCII, UNICODE, cut, cut_left, fitted, glyphs_for, sparkline, width, wrapped


@pytest.mark.parametrize(
    ("text", "columns", "found"),
    [("pump", 4, "pump"), ("pumps", 4, "pum…"), ("温度計", 5, "温度…"), ("温度計", 4, "温…"), ("x", 0, "")],
)
def test_a_text_is_truncated_to_columns_with_an_ellipsis(text: str, columns: int, found: str) -> None:
    assert cut(text, columns) == found
    assert width(cut(text, columns)) <= columns


def test_a_truncated_name_keeps_its_end() -> None:
    assert cut_left("plant/hall1/energy", 9) == "…1/energy"
    assert cut_left("energy", 9) == "energy"


def test_wide_and_combining_characters_are_padded_by_their_columns() -> None:
    assert fitted("温度", 6) == "温度  "
    assert fitted("e\u0301", 3) == "e\u0301  "
    assert fitted("5", 3, right=True) == "  5"


def test_long_words_are_broken_and_excess_lines_are_cut() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("abcdefgh", 3) == ["abc", "def", "gh"]
    assert wrapped("one two three four", 7, most=2) == ["one two", "three …"]
    assert all(width(each) <= 5 for each in wrapped("温度計温度計", 5))


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0.0, 7.0, math.nan, 3.5], 10, UNICODE) == "▁█▅"
    assert sparkline([1.0, 2.0, 3.0], 2, ASCII) == "_#"
    assert sparkline([5.0, 5.0], 9, UNICODE) == "▄▄"
    assert sparkline([-1e308, 1e308], 9, UNICODE) == "▄▄"
    assert sparkline([math.nan], 9, UNICODE) == ""


def test_an_encoding_without_bars_gets_ascii() -> None:
    assert glyphs_for("utf-8") is UNICODE
    assert glyphs_for("latin-1") is ASCII
    assert glyphs_for(None) is ASCII
