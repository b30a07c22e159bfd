from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.checking.toml_lines import LineIndex

DOCUMENT = '''\
# a comment with [a.table] and key = 1
top = 1
[gateway]   # behind it
name = "a # no comment"

[broker.tls]
"quoted key" = 'C:\\'
a . "b.c" . d = 5
text = """
[not.a.table]
key = 1
""\\" still
"""
literal = \'\'\'
it's
\'\'\'
after = true
list = [
  1, # one, with ] and "
  "two ] \\" three",
  [ 3,
    4 ],
  { five = 5, six.seven = 7 },
]
inline = { x = 1, y = { z = [1, 2] }, "q r" = """a
b""", w = 2 }
last = 1979-05-27 07:32:00

[[rule]]
sensors = "a"
[rule.detectors.limits]
high = 1
[[rule]]
  sensors = "b"
  detectors.ewma.half_life = 3
  [[rule.part]]
  x = 1
  [[rule.part]]
  x = 2
  [rule.part.deep]
  y = 1
[ "odd table" . x ]
z = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("gateway",), 3),
        (("gateway", "name"), 4),
        (("broker",), 6),
        (("broker", "tls"), 6),
        (("broker", "tls", "quoted key"), 7),
        (("broker", "tls", "a"), 8),
        (("broker", "tls", "a", "b.c", "d"), 8),
        (("broker", "tls", "text"), 9),
        (("broker", "tls", "literal"), 14),
        (("broker", "tls", "after"), 17),
        (("broker", "tls", "list"), 18),
        (("broker", "tls", "list", 0), 19),
        (("broker", "tls", "list", 1), 20),
        (("broker", "tls", "list", 2, 1), 22),
        (("broker", "tls", "list", 3, "five"), 23),
        (("broker", "tls", "list", 3, "six", "seven"), 23),
        (("broker", "tls", "inline", "y", "z"), 25),
        (("broker", "tls", "inline", "q r"), 25),
        (("broker", "tls", "inline", "w"), 26),
        (("broker", "tls", "last"), 27),
        (("rule",), 29),
        (("rule", 0), 29),
        (("rule", 0, "detectors"), 31),
        (("rule", 0, "detectors", "limits", "high"), 32),
        (("rule", 1), 33),
        (("rule", 1, "sensors"), 34),
        (("rule", 1, "detectors", "ewma"), 35),
        (("rule", 1, "part", 0, "x"), 37),
        (("rule", 1, "part", 1), 38),
        (("rule", 1, "part", 1, "x"), 39),
        (("rule", 1, "part", 1, "deep", "y"), 41),
        (("odd table", "x", "z"), 43),
    ],
)
def test_each_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert LineIndex(DOCUMENT).lines[path] == line


def test_a_missing_key_has_the_line_of_its_table() -> None:
    index = LineIndex(DOCUMENT)
    assert index.line_of(("rule", 1, "part", 1, "missing")) == 38
    assert index.line_of(("rule", 1, "missing", "too")) == 33
    assert index.line_of(("nowhere", "at", "all")) == 1


def test_windows_line_ends_count_once() -> None:
    assert LineIndex("a = 1\r\n\r\n[b]\r\nc = '''\r\nx'''\r\nd = 2\r\n").lines[("b", "d")] == 6


def test_an_empty_document_has_no_keys() -> None:
    assert LineIndex("").lines == {}
    assert LineIndex("# nothing").line_of(("a",)) == 1


@pytest.mark.parametrize("quotes", ['"', '""', '"" "'])
def test_quotes_at_the_end_of_a_multiline_string_belong_to_it(quotes: str) -> None:
    text = f'a = """x{quotes}"""\nb = 1\n'
    tomllib.loads(text)
    assert LineIndex(text).lines == {("a",): 1, ("b",): 2}


def paths_of(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = [path] if path else []
    for key, each in inner:
        found += paths_of(each, (*path, key))
    return found


KEYS = st.sampled_from(["a", "b", "c-1", "1", "true", '"d e"', '"f.g"', "'h'", '"\\u00e9"', '"=["', "'#'"])
SCALARS = st.sampled_from(
    [
        *("1", "-1.5e3", "true", "inf", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00", "0xff"),
        *('""', '"a]#,}"', '"\\""', '"\\\\"', "'a\"'", "'\\'", '"""\n[x]\n"""', "'''a\n#b'c'''"),
        *('"""""a"""""', '"""\\"""""'),
    ]
)
BLANKS = st.sampled_from(["", " ", "\n", " # ]}\n", "\n\n\t"])
SPACES = st.sampled_from(["", " ", "\t"])


@st.composite
def arrays(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    text = "["
    for each in draw(st.lists(values, max_size=3)):
        text += draw(BLANKS) + each + draw(BLANKS) + ","
    return text + draw(BLANKS) + "]"


@st.composite
def inline_tables(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    keys = draw(st.lists(KEYS, max_size=3, unique=True))
    pairs = [f"{draw(SPACES)}{key}{draw(SPACES)}={draw(SPACES)}{draw(values)}{draw(SPACES)}" for key in keys]
    return "{" + ",".join(pairs) + "}"


VALUES = st.recursive(SCALARS, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    lines = []
    for _ in range(draw(st.integers(0, 6))):
        key = f"{draw(SPACES)}.{draw(SPACES)}".join(draw(st.lists(KEYS, min_size=1, max_size=3)))
        form = draw(st.sampled_from(["[{}]", "[[{}]]", "{}"]))
        end = draw(st.sampled_from(["", "  # [comment]", "\n", "\r\n# x = 1\r"]))
        head = form.format(key) if form != "{}" else f"{key} = {draw(VALUES)}"
        lines.append(draw(SPACES) + head + end)
    return "\n".join(lines)


@settings(max_examples=300)
@given(documents(), st.integers(0, 5))
def test_every_key_of_any_document_is_found_and_moves_with_it(text: str, blank_lines: int) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    index = LineIndex(text)
    assert set(paths_of(data)) == set(index.lines)
    moved = LineIndex("\n" * blank_lines + text)
    assert moved.lines == {path: line + blank_lines for path, line in index.lines.items()}


@settings(max_examples=200)
@given(st.lists(st.tuples(KEYS, VALUES), max_size=6, unique_by=lambda pair: tomllib.loads(pair[0] + "=1").popitem()[0]))
def test_a_key_is_on_the_line_where_it_was_written(pairs: list[tuple[str, str]]) -> None:
    text, expected = "", {}
    for key, value in pairs:
        expected[(next(iter(tomllib.loads(f"{key} = 1"))),)] = text.count("\n") + 1
        text += f"{key} = {value}\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    index = LineIndex(text)
    assert {path: line for path, line in index.lines.items() if len(path) == 1} == expected
