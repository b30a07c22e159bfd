"""Error text: converts pydantic's errors to problems with key, line, and a correction."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from config.checking.toml_lines import LineIndex
from config.problems import KeyPath, Problem, key_text, suggestion

_LONGEST_SHOWN = 60


def explain(error: ErrorDetails, model: type[BaseModel], lines: LineIndex) -> list[Problem]:
    """The problems behind a pydantic error.

    Args:
        error: An item of `ValidationError.errors()`.
        model: The validated data.
        lines: Line numbers of the keys.
    """
    path = _existing_types(error["loc"])
    if error["type"] == "faults":
        faults = error["ctx"]["faults"]
        return [problem_at((*path, *fault.path), fault.message, lines) for fault in faults]
    return [problem_at(path, _message(error, path, model), lines)]


def problem_at(path: KeyPath, message: str, lines: LineIndex) -> Problem:
    """A problem with the key at a path."""
    return Problem(key_text(path), lines.line_of(path), message)


def _existing_types(path: tuple[int | str, ...]) -> KeyPath:
    """The path without the elements that pydantic adds for the keys of a mapping."""
    return tuple(part for part in path if part != "[key]")


def _message(error: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    kind, given = error["type"], error["input"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return "must be given" if path != ("input",) else "is missing: at least one [[input]] must define what to read"
    if kind == "tuple_type":
        tables = path in {("input",), ("rule",), ("device",), ("sink",)}
        return f"must be written with two brackets: [[{path[-1]}]]" if tables else "must be a list"
    if kind == "literal_error":
        return _choice(context["expected"], given)
    explain_kind = _MESSAGES.get(kind)
    if explain_kind is None:
        return error["msg"]
    return f"{explain_kind(context)}{_shown(given, kind)}"


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "refused": lambda context: str(context["message"]),
    "greater_than": lambda context: f"must be above {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_number(context['ge'])}",
    "less_than": lambda context: f"must be below {_number(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_number(context['le'])}",
    "finite_number": lambda _: "must be a finite number",
    "float_type": lambda _: "must be a number",
    "int_type": lambda _: "must be a whole number",
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be a text in quotes",
    "is_instance_of": lambda _: "must be a text in quotes",
    "path_type": lambda _: "must be a text in quotes",
    "date_type": lambda _: "must be a day such as 2000-01-01",
    "dict_type": lambda _: "must be a table",
    "model_type": lambda _: "must be a table",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "too_short": lambda _: "must not be empty",
}

_SAY_IT_ALL = frozenset({"refused", "string_too_short", "too_short", "string_too_long"})


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _shown(given: object, kind: str) -> str:
    if kind in _SAY_IT_ALL:
        return ""
    return f", is {_plain(given)}"


def _plain(given: object) -> str:
    """A value as written in the file, truncated."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, dict):
        return "a table"
    if isinstance(given, list):
        return "a list"
    if isinstance(given, str):
        return f'"{given}"' if len(given) <= _LONGEST_SHOWN else f'"{given[:_LONGEST_SHOWN]}..."'
    text = str(given)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _choice(expected: str, given: object) -> str:
    words = expected.replace("'", '"')
    return f"must be {words}, is {_plain(given)}"


def _unknown_key(path: KeyPath, model: type[BaseModel]) -> str:
    *parents, key = path
    around = model_at(tuple(parents), model)
    known = [] if around is None else keys_of(around)
    what = "detector" if parents and parents[-1] == "detectors" else "key"
    return f"there is no such {what}{suggestion(str(key), known)}"


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a table as written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def model_at(path: KeyPath, model: type[BaseModel]) -> type[BaseModel] | None:
    """The model of the table at a path; None if no table belongs there."""
    for part in path:
        if isinstance(part, int):
            continue
        field = next((each for name, each in model.model_fields.items() if (each.alias or name) == part), None)
        inner = None if field is None else model_within(field.annotation)
        if inner is None:
            return None
        model = inner
    return model


def model_within(annotation: Any) -> type[BaseModel] | None:
    """The model within a type: itself, an optional one, or the element of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in {Union, types.UnionType, tuple, Annotated}:
        for each in get_args(annotation):
            inner = model_within(each)
            if inner is not None:
                return inner
    return None
