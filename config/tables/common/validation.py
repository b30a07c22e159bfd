"""Validation: makes a table from the keys of a TOML document, or finds all of its errors.

A table's class says all: the types of its fields, their limits (`msgspec.Meta`), and its checks. The fields are read in
their order, so that a check knows the valid ones before its own.
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta, structs

from config.checking.error_text import either, number, shown, unknown_key
from config.tables.common.fields import (
    Check,
    Checked,
    Checks,
    FieldFault,
    FieldPlace,
    Files,
    InvalidValueError,
    Table,
    refuse,
)

AnyTable = TypeVar("AnyTable", bound=Table)

_BOUNDS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("le", operator.le, "at most"),
    ("lt", operator.lt, "below"),
    ("ge", operator.ge, "at least"),
    ("gt", operator.gt, "above"),
)


class TableField(NamedTuple):
    """A field of a table.

    Attributes:
        name: Its name.
        key: Its key in the file.
        kind: The type of its values, with limits and checks.
        default: Its default; `NODEFAULT` if the key is required.
        checks: The table's checks of it.
    """

    name: str
    key: str
    kind: Any
    default: Any
    checks: tuple[tuple[Checks, Check], ...]


@cache
def fields_of(table: type[Table]) -> tuple[TableField, ...]:
    """The fields of a table in the order in which they are read."""
    methods = [each for one in reversed(table.__mro__) for each in vars(one).values() if isinstance(each, staticmethod)]
    marked = [(each.__func__.checks, each.__func__) for each in methods if hasattr(each.__func__, "checks")]
    found = []
    for each in structs.fields(table):
        default = each.default if each.default_factory is NODEFAULT else each.default_factory()
        own = tuple((about, check) for about, check in marked if each.name in about.names)
        found.append(TableField(each.name, each.encode_name, each.type, default, own))
    return tuple(found)


def default_of(table: type[Table], name: str) -> Any:
    """The default of a field."""
    return next(each.default for each in fields_of(table) if each.name == name)


def table_within(kind: Any) -> type[Table] | None:
    """The table in a type: itself, an optional one, or the element of a tuple."""
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind
    return next((found for each in get_args(kind) if (found := table_within(each)) is not None), None)


def validated(table: type[AnyTable], keys: Any, files: Files | None = None) -> AnyTable:
    """The table with these keys.

    Args:
        table: Its class.
        keys: The keys as `tomllib` returns them.
        files: The files around the configuration; None to leave them unexamined.

    Raises:
        InvalidValueError: Contains all errors.
    """
    if not isinstance(keys, dict):
        empty = ": an empty one is {}" if keys is True else ""
        raise refuse(f"must be a table, is {shown(keys)}{empty}")
    keys = table.completed(keys)
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    fields = fields_of(table)
    for each in fields:
        try:
            values[each.name] = _field(each, keys, FieldPlace(each.key, values, files))
        except InvalidValueError as refused:
            faults += refused.below(each.key)
    known = [each.key for each in fields]
    faults += [FieldFault((key,), unknown_key(key, known, table.holds)) for key in keys if key not in known]
    if faults:
        raise InvalidValueError(faults)
    made = table.made(values, frozenset(each.name for each in fields if each.key in keys))
    made.verify()
    return made


def _field(field: TableField, keys: Mapping[str, Any], place: FieldPlace) -> Any:
    is_given = field.key in keys
    value = keys[field.key] if is_given else field.default
    if value is NODEFAULT:
        is_list = table_within(field.kind) is not None
        raise refuse(
            f"is missing: at least one [[{field.key}]] must define what to read" if is_list else "must be given"
        )
    own = [(about, check) for about, check in field.checks if is_given or about.absent]
    for about, check in own:
        value = check(value, place) if about.first else value
    if is_given:
        value = _value(field.kind, value, place)
    elif isinstance(value, Table | Path):  # as if an empty table, or the path, had been written
        value = _value(field.kind, {} if isinstance(value, Table) else str(value), place)
    for about, check in own:
        value = value if about.first else check(value, place)
    return value


def _value(kind: Any, given: Any, place: FieldPlace) -> Any:
    """The value of a type that one from a file stands for."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        value = _value(arguments[0], given, place)
        for mark in arguments[1:]:
            if isinstance(mark, Meta):
                _check_limits(value, given, mark)
            elif isinstance(mark, Checked):
                value = mark.check(value, place)
        return value
    if origin in {Union, types.UnionType}:
        return None if given is None else _value(_member(arguments, given), given, place)
    if origin is Literal:
        return _choice(arguments, given)
    if origin is tuple:
        return _elements(arguments[0], given, place)
    if origin is dict:
        return _entries(arguments[1], given, place)
    return validated(kind, given, place.files) if issubclass(kind, Table) else _READERS[kind](given, place)


def _choice(options: tuple[Any, ...], given: object) -> Any:
    for each in options:
        if each == given:
            return each
    raise refuse(f"must be {either([shown(each) for each in options])}, is {shown(given)}")


def _member(kinds: tuple[Any, ...], given: object) -> Any:
    """The type of a union that a value is meant for: that of texts or lists for one of these, otherwise the first."""
    others = {_bare(each): each for each in kinds if each is not types.NoneType}
    wanted = (str, tuple) if isinstance(given, str) else (tuple,) if isinstance(given, list) else ()
    return next((others[each] for each in wanted if each in others), next(iter(others.values())))


def _bare(kind: Any) -> Any:
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return get_origin(kind) or kind


def _elements(kind: Any, given: object, place: FieldPlace) -> tuple[Any, ...]:
    if not isinstance(given, list | tuple):
        is_table = table_within(kind) is not None
        raise refuse(f"must be written with two brackets: [[{place.key}]]" if is_table else _list_of(given))
    return tuple(_each(kind, dict(enumerate(given)), place).values())


def _list_of(given: object) -> str:
    """The error of a value that should be a list, with the list that was probably meant."""
    is_scalar = isinstance(given, str | int | float)
    return f"must be a list: write [{shown(given)}]" if is_scalar else "must be a list"


def _entries(kind: Any, given: object, place: FieldPlace) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise refuse(f"must be a table, is {shown(given)}")
    return _each(kind, given, place)


def _each(kind: Any, given: Mapping[Any, Any], place: FieldPlace) -> dict[Any, Any]:
    """The values below each key or index."""
    values: dict[Any, Any] = {}
    faults: list[FieldFault] = []
    for key, each in given.items():
        try:
            values[key] = _value(kind, each, place)
        except InvalidValueError as refused:
            faults += refused.below(key)
    if faults:
        raise InvalidValueError(faults)
    return values


def _check_limits(value: Any, given: object, limits: Meta) -> None:
    for name, holds, words in _BOUNDS:
        bound = getattr(limits, name)
        if bound is not None and not holds(value, bound):
            raise refuse(f"must be {words} {number(bound)}, is {shown(given)}")
    if limits.min_length is not None and len(value) < limits.min_length:
        raise refuse("must not be empty")
    if limits.max_length is not None and len(value) > limits.max_length:
        if isinstance(value, str):
            raise refuse(f"must have at most {limits.max_length} characters")
        raise refuse(f"must have at most {limits.max_length} elements, has {len(value)}")


def _whole_number(given: object, _: FieldPlace) -> int:
    if type(given) is not int:
        raise refuse(f"must be a whole number, is {shown(given)}")
    return given


def _finite_number(given: object, _: FieldPlace) -> float:
    if type(given) is not float and type(given) is not int:
        raise refuse(f"must be a number, is {shown(given)}")
    try:
        value = float(given)
    except OverflowError:
        raise refuse(f"must be a number, is {shown(given)}") from None
    if not math.isfinite(value):
        raise refuse(f"must be a finite number, is {shown(given)}")
    return value


def _truth(given: object, _: FieldPlace) -> bool:
    if type(given) is not bool:
        raise refuse(f"must be true or false, is {shown(given)}")
    return given


def _text(given: object, _: FieldPlace) -> str:
    if not isinstance(given, str):
        raise refuse(f"must be a text in quotes, is {shown(given)}")
    return given


def _path(given: object, place: FieldPlace) -> Path:
    text = _text(given, place)
    if not text or "\0" in text:
        raise refuse("must be the path of a file")
    return Path() / text if place.files is None else place.files.folder / text


def _day(given: object, _: FieldPlace) -> date:
    try:
        day = date.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        day = None
    if type(day) is not date:
        raise refuse(f"must be a day such as 2000-01-01, is {shown(given)}")
    return day


def _moment(given: object, _: FieldPlace) -> datetime:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise refuse(f"must be a time such as 2000-01-01T06:00:00, is {shown(given)}")
    return moment


_READERS: Mapping[type, Callable[[Any, FieldPlace], Any]] = {
    int: _whole_number,
    float: _finite_number,
    bool: _truth,
    str: _text,
    Path: _path,
    date: _day,
    datetime: _moment,
}
