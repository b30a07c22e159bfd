"""Series and tables: arrays that are readings of one sensor at several times, and rows below the names of columns.

{"time": [1700000000, 1700000060], "temp": [21.5, 21.6]}
{"timestamps": [1700000000, 1700000060], "values": [21.5, 21.6]}
{"columns": ["time", "temp", "hum"], "values": [[1700000000, 21.5, 48], [1700000060, 21.6, 48]]}
{"temp": [[1700000000, 21.5], [1700000060, 21.6]]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.keys.time_keys import TimeKeys

_HEADINGS = frozenset({"columns", "columnnames", "fields", "fieldnames", "names", "headers", "header"})
_ROWS = frozenset({"values", "rows", "data", "points", "row"})
"""Fields with the names of a table's columns, and with its rows, as `plain_key()` writes them."""


def rows_in(fields: Mapping[str, Any]) -> tuple[frozenset[str], list[dict[str, Any]]] | None:
    """The rows of an object that is a table: an array of names, and an array of rows or a single row, as wide.

    Returns:
        The two keys, and each row as an object; None if it is no table.
    """
    lists = {key: value for key, value in fields.items() if isinstance(value, list) and value}
    names = next((key for key in lists if plain_key(key) in _HEADINGS and _are_names(lists[key])), None)
    held = next((key for key in lists if plain_key(key) in _ROWS and key != names), None)
    if names is None or held is None:
        return None
    given = lists[held]
    rows = given if isinstance(given[0], list) else [given]
    if not all(isinstance(each, list) and len(each) == len(lists[names]) for each in rows):
        return None
    return frozenset({names, held}), [dict(zip(lists[names], each, strict=True)) for each in rows]


def _are_names(values: Sequence[Any]) -> bool:
    return all(isinstance(each, str) and each for each in values) and len(set(values)) == len(values)


def columns_in(
    fields: Mapping[str, Any], times: TimeKeys, arrived: float
) -> tuple[str, dict[str, list[tuple[float, Any]]]] | None:
    """The columns of an object that has an array of times.

    Args:
        fields: The object.
        times: The time keys.
        arrived: Arrival time, seconds since the epoch, or NaN.

    Returns:
        The key of the times, and times and values, in order of time, of each array that is as long and holds no
        containers; None if no time key holds an array of times.
    """
    for key in times.columns_among(fields):
        given = fields[key]
        found = times.read_all(given, arrived) if isinstance(given, list) and given else None
        if found is not None:
            return key, {
                name: sorted(zip(found, values, strict=True), key=_time)
                for name, values in fields.items()
                if name != key and isinstance(values, list) and len(values) == len(found) and not _holds_any(values)
            }
    return None


def pairs_in(elements: Sequence[Any], times: TimeKeys, arrived: float) -> list[tuple[float, Any]] | None:
    """Times and values, in order of time, if all elements are pairs of them; else None."""
    if not elements or not all(isinstance(each, list) and len(each) == 2 for each in elements):
        return None
    values = [each[1] for each in elements]
    found = None if _holds_any(values) else times.read_all([each[0] for each in elements], arrived)
    return None if found is None else sorted(zip(found, values, strict=True), key=_time)


def _time(pair: tuple[float, Any]) -> float:
    return pair[0]


def _holds_any(values: Sequence[Any]) -> bool:
    """Whether any value is an object or an array."""
    return any(isinstance(each, (dict, list)) for each in values)
