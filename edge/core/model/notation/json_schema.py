"""JSON Schemas of events, and of the tables of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct, structs

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema_of(
    kind: type[Struct], name: str, other: Callable[[type], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what a class allows, which is no other keys than its own.

    Args:
        kind: The class.
        name: The schema's name.
        other: The schemas of types that JSON doesn't have.
    """
    _, shared = msgspec.json.schema_components([kind], schema_hook=other)
    _order(shared, {frozenset(words): words for words in _choices(kind)})
    for each in shared.values():
        each["additionalProperties"] = False
    whole = shared.pop(kind.__name__)
    return {"$schema": DIALECT, "$id": name, "$defs": shared, **whole}


def _choices(kind: Any) -> Iterator[tuple[Any, ...]]:
    """The words of each choice in a type."""
    if get_origin(kind) is Literal:
        yield get_args(kind)
    is_struct = isinstance(kind, type) and issubclass(kind, Struct)
    for each in (field.type for field in structs.fields(kind)) if is_struct else get_args(kind):
        yield from _choices(each)


def _order(schema: Any, choices: Mapping[frozenset[Any], tuple[Any, ...]]) -> None:
    """Give the words of choices the order of the classes, as msgspec sorts them."""
    if isinstance(schema, dict) and isinstance(schema.get("enum"), list):
        schema["enum"] = list(choices[frozenset(schema["enum"])])
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for each in inner:
        _order(each, choices)
