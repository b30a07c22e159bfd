from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from msgspec import NODEFAULT, Meta

from config.loading import parse
from config.schema import Configuration
from config.tables.common.fields import Table
from config.tables.common.validation import TableField, fields_of, table_within
from config.writing.template import template
from detectors import DETECTORS
from detectors.parameters import parameters_of

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "configuration.md").read_text("utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = {match[1]: (match[2].strip(), match[3].strip(), match[4].strip()) for match in ROW.finditer(PAGE)}


def keys_of(table: type[Table], prefix: str = "") -> Iterator[tuple[str, TableField]]:
    for field in fields_of(table):
        path = f"{prefix}{field.key}"
        inner = table_within(field.kind)
        if path in {"rule[].incidents", "rule[].detectors", "device[].incidents"}:
            continue
        if inner is None:
            yield path, field
        else:
            yield from keys_of(inner, f"{path}{'[]' if is_list(field) else ''}.")


def parts_of(kind: Any) -> Iterator[Any]:
    """A type, and all types and marks in it."""
    yield kind
    for each in get_args(kind):
        yield from parts_of(each)


def is_list(field: TableField) -> bool:
    return get_origin(get_args(field.kind)[0]) is tuple


FIELDS = dict(keys_of(Configuration))
PARAMETERS = {
    f"detectors.{name}.{each.name}": each for name, detector in DETECTORS.items() for each in parameters_of(detector)
}
SPECIAL = {"rule[].incidents.*", "rule[].detectors.NAME.enabled", "device[].incidents.*"}


def test_the_page_has_a_row_for_every_key_and_nothing_else() -> None:
    assert ROWS.keys() == FIELDS.keys() | PARAMETERS.keys() | SPECIAL
    assert len(ROWS) == len(ROW.findall(PAGE))


def written(cell: str) -> Any:
    return tomllib.loads(f"value = {cell.strip('`')}")["value"]


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_the_page_gives_the_default(key: str) -> None:
    cell, _, _ = ROWS[key]
    field = FIELDS[key]
    if field.default is NODEFAULT:
        assert cell == "required"
    elif field.default is None:
        assert cell == "not set"
    else:
        assert written(cell) == plain(field.default)


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_the_page_gives_the_range(key: str) -> None:
    _, allowed, meaning = ROWS[key]
    assert meaning.endswith(".")
    numbers = {float(each) for each in re.findall(r"\d+(?:\.\d+)?", allowed)}
    parts = list(parts_of(FIELDS[key].kind))
    for bound in (each for each in parts if isinstance(each, Meta)):
        for name in ("ge", "gt", "le", "lt", "max_length"):
            value = getattr(bound, name, None)
            if value is not None and not ("host" in key or "user" in key):
                assert float(value) in numbers, f"{name} {value}"
    for choice in (each for each in parts if get_origin(each) is Literal):
        for option in get_args(choice):
            assert str(option) in allowed


@pytest.mark.parametrize("key", sorted(PARAMETERS))
def test_the_page_lists_the_parameters_of_detectors(key: str) -> None:
    cell, allowed, _ = ROWS[key]
    parameter = PARAMETERS[key]
    if isinstance(parameter.default, float) and math.isnan(parameter.default):
        assert cell == "not set"
    else:
        assert written(cell) == parameter.default
    numbers = {float(each) for each in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", allowed)}
    bounds = (parameter.range.above, parameter.range.below, parameter.range.at_least, parameter.range.at_most)
    assert {each for each in bounds if each is not None} <= numbers
    assert parameter.unit in allowed


def test_every_table_has_a_chapter_on_the_page() -> None:
    for field in fields_of(Configuration):
        brackets = f"[[{field.key}]]" if is_list(field) else f"[{field.key}]"
        assert f"## `{brackets}`" in PAGE


def test_the_template_is_a_configuration_without_errors_and_warnings() -> None:
    inspection = parse(template())
    assert inspection.doubts == ()
    assert inspection.configuration == parse('[[input]]\ntopic = "#"\n').configuration


def uncommented() -> str:
    """The template with all commented keys switched on, except those that exclude each other."""
    lines = []
    for line in template().splitlines():
        if match := re.match(r"# (\[|[a-z_.]+ = )(.*)", line):
            lines.append(match[1] + match[2])
        else:
            lines.append(line)
    return "\n".join(lines)


def test_the_commented_keys_in_the_template_show_every_key_and_its_default() -> None:
    data = tomllib.loads(uncommented())
    shown_by_example = (
        "broker.tls",
        "upstream",
        "rule[]",
        "broker.username",
        "broker.password",
        "broker.client_id",
    )
    shown_by_example += (
        "input[].topic",
        "input[].convention",
        "input[].items",
        "input[].availability",
        "input[].host_id",
        "input[].values",
        "input[].repetition",
        "incidents.threshold",
        "limits.forget_days",
        "maintenance[]",
        "device[].sensors",
        "device[].name",
        "device[].description",
        "device[].labels",
        "device[].hold_s",
        "page.password_file",
        "homeassistant.birth_topic",
        "homeassistant.url",
    )
    for key, field in FIELDS.items():
        value = data
        if key.startswith("upstream.") and key != "upstream.host":
            continue
        if key.startswith(("sink[]", "forward[]", "kafka.")):
            continue
        for part in key.split("."):
            value = value[part[:-2]][0] if part.endswith("[]") else value[part]
        assert key.startswith(shown_by_example) or value == plain(field.default), key


def test_the_commented_keys_in_the_template_can_be_used() -> None:
    text = (
        uncommented()
        .replace('password_env = "MQTT_PASSWORD"', "")
        .replace("password_credential", "# password_credential")
        .replace("host_id", "# host_id")
    )
    text = re.sub('every = ".*"', "", text)
    text = re.sub(r"(?s)\[kafka\]\n.*?\n\n", "", text)  # replaces [broker]
    configuration = parse(text).configuration
    assert configuration.rule_for("line1/a/temperature").unit == "°C"
    assert configuration.outbound is not None


@pytest.mark.parametrize("value", ['a"b', "ü\\n", "\x7f\t", "𝛑"])
def test_values_filled_into_the_template_are_quoted(value: str) -> None:
    assert tomllib.loads(template(gateway=value))["gateway"]["name"] == value
    assert tomllib.loads(template(host=value))["broker"]["host"] == value
    assert tomllib.loads(template(topic=value))["input"][0]["topic"] == value
