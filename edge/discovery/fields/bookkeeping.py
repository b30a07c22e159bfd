"""Bookkeeping: fields about the sender or the message itself, which aren't worth a sensor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from config.notation.topics import glob_problem
from edge.core.intake.decoders.documents.keys.identifier_keys import is_version
from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.notation.text_numbers import TextNumbers
from edge.core.model.readings.messages import Message

WORDS = frozenset(
    {
        "id", "rssi", "wifirssi", "snr", "lorasnr", "lqi", "linkquality", "uptime", "uptimesec", "uptimes", "heap",
        "freeheap", "heapfree", "freemem", "seq", "sequence", "seqno", "counter", "fcnt", "fport", "msgid", "messageid",
        "messagecount", "mqttcount", "mqttfails", "txfails", "qos", "retain", "version", "fwversion", "swversion",
        "hwversion", "firmware", "firmwareversion", "protocol", "channel", "port", "minutets", "epoch", "applicationid",
        "deveui", "devaddr", "devid", "deviceid", "sensorid", "gatewayid", "mac", "macaddress", "ieeeaddr", "serial",
        "serialnumber", "serialno", "imei", "imsi", "iccid", "uuid", "ip", "ipaddress", "model", "modelid",
        "txpower", "spreadingfactor", "spfact", "bootcount", "signalstrength", "wifisignal", "freememory", "memfree",
        "freeram",
    }
)  # fmt: skip
"""Names of such fields, in lower case and without separators; those of devices may consist of digits only."""

_OF_PART = re.compile(
    r".*(?:(?<!con)(?<!in)(?<!di)(?<!per)(?<!ver)version|(?:part|serial|model|article|batch)(?:no|nr|number))"
)
"""Ends of such names that concern a part of a device or its software, unlike those of a conversion."""

_RECEPTION = re.compile(r".*(?:rssi|snr|lqi)(?:dbm?)?")
"""Ends of such names that concern a radio, with a unit behind them or not."""

_COORDINATES = re.compile(r"(.*?)(?:(lat(?:itude)?)|(?:lon|lng|long)(?:itude)?)")
"""A latitude or a longitude, as `plain_key()` writes them; what precedes both is the same."""

_PLACE = "coordinates"
"""The key of both in GeoJSON (RFC 7946)."""

RADIO = frozenset({"freq", "frequency"})
"""Names of fields that concern a radio if their values are as large as below, and otherwise mains or a motor."""

LOWEST_RADIO = 300.0
"""Minimum in megahertz, or in smaller units."""

NEAR_S = 400 * 86_400.0
"""A number within this many seconds of the arrival is a time."""

_TEXTS = TextNumbers(units=True)
"""Reads numbers with a unit, such as the frequency `868M` of a radio."""

_UNSUITABLE = re.compile(r"[*+#]")


def is_bookkeeping(name: str, values: Sequence[tuple[float, float]]) -> bool:
    """Whether a field or topic is bookkeeping.

    Args:
        name: Name of the field or topic.
        values: Its values with their arrival times, in seconds since the epoch.
    """
    plain = plain_key(name)
    if plain in RADIO:
        return all(value >= LOWEST_RADIO for value, _ in values)
    is_told = plain in WORDS or is_reception(name) or is_version(name) or _OF_PART.fullmatch(plain) is not None
    return is_told or all(_is_time(value, arrived) for value, arrived in values)


def is_reception(name: str) -> bool:
    """Whether a field holds what a radio has measured of its reception."""
    return _RECEPTION.fullmatch(plain_key(name)) is not None


def is_bookkeeping_name(path: str) -> bool:
    """Whether a field is bookkeeping by its name alone, whatever it holds."""
    return plain_key(path.rpartition("/")[2]) in WORDS | RADIO


def bookkeeping_in(documents: Iterable[tuple[object, float]]) -> list[str]:
    """Globs on the bookkeeping fields of documents.

    Args:
        documents: JSON documents with their arrival times.
    """
    values: dict[tuple[bool, str], list[tuple[float, float]]] = {}
    for document, arrived in documents:
        for depth, name, value in _numbers(document, 0, ""):
            if not _UNSUITABLE.search(name) and "/" not in name and name and glob_problem(f"**/{name}") is None:
                values.setdefault((depth > 1, name), []).append((value, arrived))
    places = _places({name: [value for value, _ in seen] for (_, name), seen in values.items()})
    found = [
        (is_deep, name) for (is_deep, name), seen in values.items() if name in places or is_bookkeeping(name, seen)
    ]
    return list(dict.fromkeys(f"**/{name}" if is_deep else name for is_deep, name in found))


def is_bookkeeping_topic(messages: Sequence[Message]) -> bool:
    """Whether a topic of plain numbers is bookkeeping, judged by its last level that is a name."""
    values = [(value, each.arrived) for each in messages if (value := _number(each.payload)) is not None]
    levels = [each for each in messages[-1].topic.split("/") if each not in {"state", "value"}]
    return bool(values) and is_bookkeeping(levels[-1] if levels else "", values)


def _places(values: Mapping[str, Sequence[float]]) -> set[str]:
    """The names of coordinates; latitudes and longitudes only occur together."""
    pairs: dict[str, dict[bool, str]] = {}
    places = {name for name in values if plain_key(name) == _PLACE}
    for name, seen in values.items():
        if (found := _COORDINATES.fullmatch(plain_key(name))) is not None:
            is_latitude = found[2] is not None
            if all(abs(each) <= (90.0 if is_latitude else 180.0) for each in seen):
                pairs.setdefault(found[1], {})[is_latitude] = name
    return places.union(*(pair.values() for pair in pairs.values() if len(pair) > 1))


def _is_time(value: float, arrived: float) -> bool:
    return any(abs(value / scale - arrived) < NEAR_S for scale in (1.0, 1e3, 1e6, 1e9))


def _numbers(value: object, depth: int, name: str) -> Iterator[tuple[int, str, float]]:
    """The numbers in a document, with depth and field name; an element of a list may have a name before its fields."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, depth + 1, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, depth + 1, name)
    elif isinstance(value, (int, float, str)) and (number := _number(value)) is not None:
        yield depth, name, number


def _number(value: float | str | bytes) -> float | None:
    try:
        return float(value)
    except (ValueError, OverflowError):
        text = _TEXTS.find(value) if isinstance(value, str) else None
        return None if text is None else text.value
