from __future__ import annotations

import pytest

from config.problems import ConfigurationError, KeyPath, Problem, key_text, suggestion


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("broker", "port"), "broker.port"),
        (("rule", 0, "detectors", "ewma", "memory"), "rule[0].detectors.ewma.memory"),
        (("values", "a b"), 'values."a b"'),
        (("list", 2, 1), "list[2][1]"),
    ],
)
def test_a_key_path_looks_as_in_the_file(path: KeyPath, text: str) -> None:
    assert key_text(path) == text


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.b", 3, "must be"), "f.toml:3: a.b: must be"),
        (Problem("", 3, "must be"), "f.toml:3: must be"),
        (Problem("", None, "must be"), "f.toml: must be"),
    ],
)
def test_a_problem_begins_with_its_position(problem: Problem, text: str) -> None:
    assert problem.located("f.toml") == text


def test_an_error_lists_all_problems_one_per_line() -> None:
    error = ConfigurationError([Problem("a", 1, "x"), Problem("b", 2, "y")], "f.toml")
    assert str(error) == "f.toml:1: a: x\nf.toml:2: b: y"
    assert len(error.problems) == 2


def test_a_suggestion_is_the_nearest_word_or_lists_all_words() -> None:
    assert suggestion("prot", ["port", "host"]) == "; did you mean port?"
    assert suggestion("PORT", ["port", "host"]) == "; did you mean port?"
    assert suggestion("xyz", ["port", "host"]) == "; known are host, port"
    assert suggestion("xyz", []) == ""
