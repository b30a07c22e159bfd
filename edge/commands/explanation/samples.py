"""Samples: a message that an input reads, and the sensor that it gives, by the input's own decoder and template.

A convention has messages of its own. Others are made from the keys of the input: the configured topic, with letters for
its wildcards, and a payload with the fields that the keys ask for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from config.notation.topics import LONGEST_NAME, sender_of
from config.schema import LimitsTable
from config.tables.common.validation import default_of
from config.tables.convention import conventions
from config.tables.inputs import Input
from edge.core.intake.decoders import Repetition
from edge.core.intake.decoders.documents.paths import OF
from edge.core.intake.routes import Resolved, Route, match
from edge.core.model.readings.messages import Refused
from edge.shell.service.assembly.decoders import decoder_of

VALUE = 21.5
TIME = "1700000000"

_BY_FORMAT = {
    "senml": ('[{"bn": "dev1/", "n": "temperature", "v": 21.5}]', "dev1/temperature"),
    "influx": ("boiler,room=cellar temperature=21.5", "boiler/cellar/temperature"),
    "sparkplug": ("(a metric temperature)", "plant1/node1/device1/temperature"),
}
"""For formats whose fields aren't configured: a payload, and the path of the number in it."""

_AS_TEXT = {"msgpack": "json", "cbor": "json", "senml-cbor": "senml"}
"""Binary formats, and the text that is shown for them."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class MessageSample(NamedTuple):
    """A message and what it gives.

    Attributes:
        topic: Its topic.
        payload: Its payload, as text.
        sensor: Name of the first sensor; None if that isn't usable.
        more: Number of further sensors.
    """

    topic: str
    payload: str
    sensor: str | None
    more: int = 0


def sample_of(given: Input) -> MessageSample:
    """A message that an input reads."""
    topic = _topic(given)
    for on, payload in _messages(given, topic):
        names = _sensors(given, on, payload)
        if names:
            return MessageSample(on, payload, names[0], len(names) - 1)
    payload, path = _BY_FORMAT.get(given.format, (_payload(given), ""))
    asked = "".join(f"{each.rpartition('.')[2].removesuffix('?').upper()}{OF}" for each in sender_of(given.sensor))
    return MessageSample(topic, payload, _resolved(given, topic).sensor(f"{asked}{path}"))


def _messages(given: Input, topic: str) -> Iterator[tuple[str, str]]:
    """Topics and payloads that may be read, the most telling first."""
    examples = () if given.convention is None else conventions()[given.convention].examples
    for each in examples:
        if not each.hexadecimal:
            is_its = match(given.topic.split("/"), each.topic.split("/")) is not None
            yield each.topic if is_its else topic, each.payload
    if given.format != "sparkplug":
        yield topic, _payload(given)


def _sensors(given: Input, topic: str, payload: str) -> list[str]:
    """The sensors that a message gives; none if it isn't read."""
    shown = given.replaced(format=_AS_TEXT.get(given.format, given.format))
    try:
        samples = decoder_of(shown, LimitsTable()).decode(payload.encode()).samples
    except Refused:
        return []
    resolved = _resolved(given, topic)
    return [name for each in samples if (name := resolved.sensor(each.path)) is not None]


def _resolved(given: Input, topic: str) -> Resolved:
    decoder = decoder_of(given, LimitsTable())
    route = Route(given.topic, given.sensor, decoder, Repetition.PERIODIC)
    return Resolved(route, topic, match(given.topic.split("/"), topic.split("/")) or [])


def _topic(given: Input) -> str:
    """The topic of an input, with letters for wildcards."""
    letters = iter("abcdefghijklmnopqrstuvwxyz" * (LONGEST_NAME // 26 + 1))
    spelled = {"+": lambda: next(letters), "#": lambda: f"{next(letters)}/{next(letters)}"}
    return "/".join(spelled[level]() if level in spelled else level for level in given.topic.split("/"))


def _payload(given: Input) -> str:
    """A payload with the fields that the keys of an input ask for."""
    if given.format == "number":
        return next(iter(given.values)) if given.values else _number(given)
    kind = _AS_TEXT.get(given.format, given.format)
    if kind in _BY_FORMAT:
        return _BY_FORMAT[kind][0]
    if given.columns:
        return ";".join(TIME if each.lower() in given.time_keys else _number(given) for each in given.columns)
    fields = _fields(given)
    if kind == "text":
        return ";".join(f"{key}={_number(given) if value == VALUE else value}" for key, value in fields.items())
    return json.dumps({given.batch: [fields]} if given.batch else fields, ensure_ascii=False)


def _number(given: Input) -> str:
    return f"21{given.decimal}5{' °C' if given.units else ''}"


def _fields(given: Input) -> Any:
    is_usual = given.value_key == default_of(Input, "value_key")
    fields: dict[str, Any] = {}
    if given.items is None:
        found: Any = {"temperature" if is_usual else given.value_key: VALUE}
    else:
        names = [each for each in _PLACEHOLDER.findall(given.name) if each != "index"]
        found = {**{each: each.upper() for each in names}, given.value_key: VALUE}
        path = given.items.removesuffix("[*]")
        found = [found] if path != given.items else found
        for key in reversed(path.split(".") if path else ()):
            found = {key: found}
    for asked in sender_of(given.sensor):
        place, *keys = fields, *asked.removesuffix("?").split(".")[1:]
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place.setdefault(keys[-1], keys[-1].upper())
    return {**fields, **found} if isinstance(found, dict) else found
