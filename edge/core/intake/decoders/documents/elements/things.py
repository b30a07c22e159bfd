"""Things: fields that say which thing an element of an array is of, so that it has one name in every message.

{"trucks": [{"plate": "B-AB 1", "temp": 4.5}, {"plate": "B-AB 2", "temp": 5.5}]}
{"packs": [{"pack": 1, "volts": 51.2}]}
[{"pump": "P1", "bar": 3, "time": 1700000000}]

Only the elements' keys and the looks of their texts decide, never how many elements there are or whether their texts
differ: a truck that leaves doesn't rename the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.keys.quality_keys import is_quality_key
from edge.core.intake.decoders.documents.options import identifying_text

_NUMBERED = frozenset(
    {"string", "slot", "port", "channel", "ch", "phase", "mppt", "vehicle", "truck", "lorry", "trailer", "wagon", "bay"}
    | {"rack", "silo", "compartment", "section", "sector", "circuit", "feeder", "station", "substation", "node"}
    | {"loadpoint"}
)
"""Things that are named by texts or whole numbers, as `plain_key()` writes them."""

_UNIQUE = frozenset(
    {"plate", "licenseplate", "registration", "serial", "serialno", "serialnumber", "sn", "imei", "eui", "deveui"}
    | {"gatewayid", "gatewayeui", "gweui", "gwid", "propertyalias", "alias"}
)
"""Fields each of which names its thing by itself, next to which a `channel` may be that of a radio link."""

_NAMED = frozenset(
    {"cell", "pack", "module", "inverter", "tracker", "turbine", "chiller", "charger", "line", "axis", "well", "vin"}
    | {"pump", "fan", "valve", "motor", "heater", "door", "compressor", "drive", "robot", "press", "oven", "kiln"}
    | {"furnace", "mixer", "mill", "conveyor", "crane", "lift", "elevator", "gate", "dock", "cabinet", "fridge"}
    | {"freezer", "probe", "container", "reactor", "vessel", "boiler", "tower", "panel", "array", "bank", "floor"}
    | {"transformer", "breaker", "engine", "generator", "building", "field", "house", "greenhouse", "garden", "hive"}
)
"""Things of which a whole number may be the state, the speed or a voltage, so that only a text names them."""

_PHASES = 3
"""Maximum of a number that names a phase rather than an angle."""

_SUFFIX = re.compile(r"(?:id|name|no|nr|num|number|label|ref)$")
_MOST, _HIGHEST = 3, 999
"""Maximum number of fields that name an element together, and of a number that names a part of a whole."""

_DESIGNATION = re.compile(r"[A-Za-z](?=[^\d]{0,23}\d)[\w .:#-]{0,23}", re.ASCII)
"""`P1`, `HUMI8` and `B-AB 12` name something; `run` may be its state."""

_DECIMAL = re.compile(r"[+-]?\d*[.,]\d+", re.ASCII)

STATES = frozenset(
    {"on", "off", "true", "false", "yes", "no", "open", "closed", "ok", "high", "low", "good", "bad", "normal", "none"}
    | {"run", "running", "stop", "stopped", "idle", "auto", "manual", "alarm", "warning", "error", "unknown"}
    | {"start", "started", "active", "inactive", "enabled", "disabled", "online", "offline", "stable", "fault"}
)
"""Texts that are a state of something rather than its name, in lower case."""

_DESCRIPTIVE = frozenset(
    {"state", "status", "mode", "unit", "units", "uom", "u", "type", "kind", "format", "datatype", "dtype", "class"}
    | {"description", "desc", "message", "msg", "comment", "note", "text", "info", "reason", "title", "trend", "level"}
    | {"severity", "color", "colour", "icon", "model", "modelid", "version", "ver", "fw", "firmware", "hw", "hardware"}
    | {"sw", "software", "brand", "vendor", "manufacturer", "chip", "board", "platform", "os", "ssid", "bssid", "ip"}
    | {"url", "uri", "host", "topic", "protocol", "proto", "codec", "encoding", "region", "category", "data", "payload"}
    | {"raw", "hex", "context", "token", "hash", "uuid", "guid", "requestid", "messageid", "entryid", "correlationid"}
    | {"batch", "lot", "order", "job", "recipe", "program", "programme", "product", "article", "user", "operator"}
    | {"error", "alarm", "fault", "code", "event", "action", "source", "origin", "method", "condition", "weather"}
    | {"value", "v", "val", "currency", "day", "weekday", "month", "direction", "quality", "dataformat", "coderate"}
)
"""Fields whose texts describe an element, or what it makes, and may change."""


def may_name_thing(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may be named by one of them in any array."""
    return any(_thing(each, "") is not None for each in keys)


def things_in(elements: Sequence[dict[str, Any]], within: str) -> tuple[str, ...]:
    """The fields of which every element has one that names the thing that it is of.

    Args:
        elements: The objects of an array.
        within: The key of the array, such as `trucks`; empty if it has none.
    """
    found = []
    for key in elements[0]:
        highest = _thing(key, within)
        if highest is not None and all(_names(each.get(key), highest) for each in elements):
            found.append(key)
            if plain_key(key) in _UNIQUE:
                return (key,)
    return tuple(found) if len(found) <= _MOST and all(len(each) > len(found) for each in elements) else ()


@lru_cache(maxsize=4096)
def _thing(key: str, within: str) -> int | None:
    """The highest number with which a field may name a thing, -1 if only a text names one; None if it names none."""
    plain, part = plain_key(key), _singular(plain_key(within))
    base = _SUFFIX.sub("", plain)
    if part and part in {plain, base} and plain not in _DESCRIPTIVE:
        return _HIGHEST
    if plain == "phase":
        return _PHASES
    if plain in _UNIQUE or plain in _NUMBERED or base in _NUMBERED or (base in _NAMED and plain not in _NAMED):
        return 10**18
    return -1 if plain in _NAMED else None


def _names(value: object, highest: int) -> bool:
    """Whether the value of a field that may name a thing does so."""
    if isinstance(value, str):
        return is_name(value)
    return type(value) is int and 0 <= value <= highest


def _singular(plain: str) -> str:
    """The singular of a plural; an empty text if it doesn't look like one."""
    if not plain.endswith("s") or plain.endswith("ss"):
        return ""
    return f"{plain[:-3]}y" if plain.endswith("ies") else plain[:-1]


def designations_in(elements: Sequence[dict[str, Any]], known: set[str]) -> tuple[str, ...]:
    """The one or two fields of which every element has a text that looks like a designation; else none.

    Args:
        elements: The objects of an array.
        known: Keys that don't name them.
    """
    found = tuple(
        key
        for key in elements[0]
        if key not in known and not describes(key) and all(is_designation(each.get(key)) for each in elements)
    )
    return found if len(found) in {1, 2} else ()


def is_designation(value: object) -> bool:
    """Whether a value is a text that looks like a designation, such as `P1`."""
    return isinstance(value, str) and _DESIGNATION.fullmatch(value) is not None and is_name(value)


def describes(key: str) -> bool:
    """Whether a field describes its object instead of naming it."""
    plain = plain_key(key)
    return plain in _DESCRIPTIVE or is_quality_key(key)


def is_name(text: str) -> bool:
    """Whether a text may name something: it can be a part of a path, and is neither a state nor a decimal number."""
    return (
        identifying_text(text) is not None
        and text.strip().lower() not in STATES
        and _DECIMAL.fullmatch(text.strip()) is None
    )
