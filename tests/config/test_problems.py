from __future__ import annotations

import pytest

from config.problems import _CALLED, ConfigurationError, KeyPath, Problem, key_text, suggestion
from edge.commands.support.configuration_schema import configuration_json_schema


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


@pytest.mark.parametrize(
    ("wrong", "known", "meant"),
    [
        ("MQTT", ["broker", "input"], "broker"),
        ("server", ["broker", "input"], "broker"),
        ("server", ["host", "port"], "host"),
        ("password", ["password_env", "password_file"], "password_file"),
        ("max", ["high", "low"], "high"),
        ("high", ["detectors", "weight"], "detectors.limits.high"),
        ("limits", ["detectors", "unit"], "detectors.limits"),
        ("threshold", ["incidents", "unit"], "incidents.threshold"),
    ],
)
def test_a_key_is_suggested_by_what_it_is_called_elsewhere(wrong: str, known: list[str], meant: str) -> None:
    assert suggestion(wrong, known) == f"; did you mean {meant}?"


def test_what_keys_are_called_elsewhere_leads_to_keys_that_there_are() -> None:
    schema = str(configuration_json_schema())
    assert [key for key in _CALLED if f"'{key.rpartition('.')[2]}'" not in schema] == []
