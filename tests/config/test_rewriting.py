"""Inputs are written into a configuration without changing the rest of it."""

from __future__ import annotations

import tomllib

from config.loading import parse
from config.writing.rewriting import with_inputs
from config.writing.template import template

TABLES = '[[input]]\nconvention = "tasmota"\n\n[[input]]\ntopic = "a"\n'


def test_they_replace_an_input_that_reads_everything() -> None:
    made = with_inputs(template(), TABLES)
    assert [each.topic for each in parse(made).configuration.inputs] == ["tele/+/SENSOR", "a"]
    before, after = template().split("[[input]]")[0], template().split("# When incidents")[1]
    assert made.startswith(before)
    assert made.endswith(f"# When incidents{after}")


def test_they_are_inserted_after_existing_inputs() -> None:
    text = '[[input]]\ntopic = "x/#" # mine\n\n# about the store\n[store]\npath = "a.db"\n'
    made = with_inputs(text, TABLES)
    assert [each.get("topic") for each in tomllib.loads(made)["input"]] == ["x/#", None, "a"]
    assert tomllib.loads(made)["store"] == {"path": "a.db"}
    assert "# mine" in made


def test_a_file_without_inputs_gets_them_at_its_end() -> None:
    assert tomllib.loads(with_inputs('[gateway]\nname = "g"\n', TABLES)) == {
        "gateway": {"name": "g"},
        "input": [{"convention": "tasmota"}, {"topic": "a"}],
    }
