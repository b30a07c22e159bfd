"""The table `[[input]]`: which topics are read, and how their payloads are decoded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from config.notation.availability import availability_of
from config.notation.topics import (
    filter_problem,
    item_name_problem,
    items_problem,
    names_without_a_field,
    placeholders,
    sender_of,
    template_problem,
)
from config.tables.common.fields import FieldPlace, Table, checked, checks, refuse
from config.tables.common.texts import Glob, Zone
from config.tables.common.validation import default_of
from config.tables.convention import convention_problem, conventions, with_convention

NEED_CBOR = frozenset({"cbor", "senml-cbor"})
"""Formats that require the extra `cbor`."""

KEYS_ARE_FIXED = {
    "number": "there are no fields",
    "senml": "SenML defines its own fields",
    "senml-cbor": "SenML defines its own fields",
    "influx": "line protocol defines its own values and times",
    "sparkplug": "Sparkplug defines its own fields",
}
"""Formats whose fields can't be configured, with the reason."""

AVAILABILITY_KEYS = frozenset({"availability", "available", "unavailable"})
"""Keys about availability, which don't affect readings."""

LATER = frozenset(
    {
        "ignore_topics", "time_format", "ignore", "batch", "columns", "items", "name", "no_value", "numbers", "decimal",
        "units", "rebirth", "gap_s",
    }
)  # fmt: skip
"""Keys that the first versions didn't have."""


def time_format_problem(notation: str) -> str | None:
    """The problem with a time format, or None."""
    try:
        written = datetime(2024, 5, 17, 13, 45, 59).strftime(notation)  # noqa: DTZ001 - only its notation is tried
        datetime.strptime(written, notation)  # noqa: DTZ007
    except ValueError:
        return "isn't a time notation; write one such as %d.%m.%Y %H:%M:%S"
    return None if "%" in notation else "contains no part of a time; write one such as %d.%m.%Y %H:%M:%S"


def host_id_problem(name: str) -> str | None:
    """The problem with the id of a Sparkplug host application, or None."""
    if not name or any(each in "/+#" for each in name) or not name.isprintable() or len(name.encode()) > 100:
        return "must have 1 to 100 printable characters, without / + #"
    return None


class Input(Table, kw_only=True):
    """One topic filter, and how to read what arrives on it."""

    convention: Annotated[
        Annotated[str, checked(convention_problem)] | None,
        Meta(description="Convention that sets the other keys, unless they are given here"),
    ] = None
    topic: Annotated[str, checked(filter_problem), Meta(description="MQTT topic filter")]
    ignore_topics: Annotated[tuple[Glob, ...], Meta(max_length=1000, description="Globs of topics to ignore")] = ()
    format: Annotated[
        Literal["json", "number", "text", "msgpack", "cbor", "senml", "senml-cbor", "influx", "sparkplug"],
        Meta(description="Format of the payloads"),
    ] = "json"
    sensor: Annotated[str, Meta(description="Template of the sensors' names")] = "{topic}/{field}"
    qos: Annotated[Literal[0, 1], Meta(description="Quality of service to subscribe with")] = 1
    time: Annotated[Literal["payload", "arrival"], Meta(description="Source of a reading's time")] = "payload"
    zone: Annotated[Zone, Meta(description="Time zone of times without an offset")] = "UTC"
    value_key: Annotated[
        str,
        Meta(
            min_length=1,
            description="Field that contains the value; an object without it gives one reading for each number",
        ),
    ] = "value"
    time_keys: Annotated[
        tuple[str, ...],
        Meta(description="Fields that may contain the time, in lower case; the first valid one is used"),
    ] = ("ts", "time", "timestamp", "t")
    time_format: Annotated[
        tuple[Annotated[str, checked(time_format_problem)], ...],
        Meta(max_length=10, description="Additional formats of times"),
    ] = ()
    ignore: Annotated[
        tuple[Glob, ...], Meta(max_length=1000, description="Globs of the paths of fields to ignore")
    ] = ()
    batch: Annotated[
        str,
        Meta(max_length=100, description="Field of a payload that contains a list of payloads, each read separately"),
    ] = ""
    items: Annotated[
        Annotated[str, checked(items_problem)] | None,
        Meta(description="The list whose elements are readings, or the object that contains them; the rest is ignored"),
    ] = None
    name: Annotated[
        str, checked(item_name_problem), Meta(description="Template of the names of the elements of items")
    ] = "{index}"
    precision: Annotated[
        Literal["ns", "us", "ms", "s"],
        Meta(description="Unit of the timestamps of line protocol; other formats have none"),
    ] = "ns"
    columns: Annotated[
        tuple[Annotated[str, Meta(max_length=100)], ...],
        Meta(max_length=1000, description="Names of separated values, in order; empty for one to ignore"),
    ] = ()
    values: Annotated[dict[str, float], Meta(description="Numbers for texts")] = field(default_factory=dict)
    no_value: Annotated[
        tuple[float | str, ...],
        Meta(max_length=1000, description="Error values, and texts that stand for a missing value"),
    ] = ()
    numbers: Annotated[
        Literal["text-too", "strict"], Meta(description="Whether a numeric text is read as a number")
    ] = "text-too"
    decimal: Annotated[Literal[".", ","], Meta(description="Decimal separator of numbers in texts")] = "."
    units: Annotated[bool, Meta(description="Whether a unit may follow a number in a text")] = False
    availability: Annotated[
        str | None,
        Meta(description="Topic on which a device publishes its availability; {1} is the first wildcard of topic"),
    ] = None
    available: Annotated[
        tuple[str, ...], Meta(max_length=100, description="Payloads that mean available, in addition to the usual ones")
    ] = ()
    unavailable: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Payloads that mean unavailable, in addition to the usual ones"),
    ] = ()
    rebirth: Annotated[
        bool, Meta(description="Whether missing birth certificates are requested from a Sparkplug node")
    ] = True
    gap_s: Annotated[
        float, Meta(ge=0.0, le=3600.0, description="Seconds to wait for a missing message of a Sparkplug node")
    ] = 5.0
    host_id: Annotated[
        Annotated[str, checked(host_id_problem)] | None,
        Meta(description="ID of this Sparkplug host application, published in its STATE; by default none is published"),
    ] = None
    repetition: Annotated[
        Literal["periodic", "on_change", "full_repeat"] | None,
        Meta(description="What a repeated value means: a new reading, no change, or a message repeated in full"),
    ] = None

    @classmethod
    def completed(cls, keys: Mapping[str, Any]) -> Mapping[str, Any]:
        """The keys with those of the convention."""
        return with_convention(keys)

    @staticmethod
    @checks("format")
    def _can_be_read(chosen: str, _: FieldPlace) -> str:
        if chosen in NEED_CBOR and find_spec("cbor2") is None:
            raise refuse(f"needs a package for {chosen}: pip install 'edgewarden[cbor]'")
        return chosen

    @staticmethod
    @checks("sensor")
    def _sensor_fits_the_topic(sensor: str, place: FieldPlace) -> str:
        problem = template_problem(sensor, place.earlier["topic"]) if "topic" in place.earlier else None
        if problem:
            raise refuse(problem)
        if place.earlier.get("format") == "number" and not names_without_a_field(sensor):
            raise refuse("gives no name: there is no {field} in a plain number")
        chosen = place.earlier.get("format", "")
        if chosen == "sparkplug" and placeholders(sensor) != {"field"}:
            raise refuse("must hold {field} and nothing else of the message: {field} is the whole name")
        if chosen in KEYS_ARE_FIXED and sender_of(sensor):
            raise refuse(f'asks for {{{sender_of(sensor)[0]}}}, but with format = "{chosen}" {KEYS_ARE_FIXED[chosen]}')
        return sensor

    @staticmethod
    @checks("availability")
    def _availability_fits(availability: str | None, place: FieldPlace) -> str | None:
        if availability is not None and "topic" in place.earlier and "sensor" in place.earlier:
            try:
                availability_of(availability, place.earlier["topic"], place.earlier["sensor"])
            except ValueError as error:
                raise refuse(str(error)) from None
        return availability

    @staticmethod
    @checks("available", "unavailable")
    def _words_are_heard(words: tuple[str, ...], place: FieldPlace) -> tuple[str, ...]:
        if words and place.earlier.get("availability") is None:
            raise refuse("has no effect without availability")
        if place.key == "unavailable" and (both := {*map(str.lower, words)} & {*place.earlier.get("available", ())}):
            raise refuse(f"holds {min(both)!r}, which available holds too")
        return tuple(word.lower() for word in words)

    @staticmethod
    @checks("precision")
    def _has_timestamps(precision: str, place: FieldPlace) -> str:
        if precision != "ns" and place.earlier.get("format") != "influx":
            raise refuse('has no effect without format = "influx"')
        return precision

    @staticmethod
    @checks("columns")
    def _has_columns(columns: tuple[str, ...], place: FieldPlace) -> tuple[str, ...]:
        if columns and place.earlier.get("format") != "text":
            raise refuse('has no effect without format = "text"')
        named = [each for each in columns if each]
        if columns and not named:
            raise refuse("must name at least one column")
        if len({*named}) < len(named):
            raise refuse(f"names {next(each for each in named if named.count(each) > 1)!r} twice")
        return columns

    @staticmethod
    @checks("rebirth", "gap_s", "host_id")
    def _has_births(value: object, place: FieldPlace) -> object:
        if place.earlier.get("format") != "sparkplug" and value != default_of(Input, place.key):
            raise refuse('has no effect without format = "sparkplug"')
        return value

    def decisive(self) -> dict[str, object]:
        """The keys that affect which readings a message gives, as plain values.

        A key that not every format has, or that was added later, is left out at its default, so that state learned
        before the key existed remains valid.
        """
        without = {"qos", "convention", "host_id", *AVAILABILITY_KEYS}
        if self.format != "influx":
            without.add("precision")
        values = self.plain()
        without |= {key for key in LATER if getattr(self, key) == default_of(Input, key)}
        return {key: value for key, value in values.items() if key not in without}

    def written(self) -> dict[str, object]:
        """The keys that the operator has set, as plain values, without those that its convention sets alike."""
        values = self.plain(only_given=True)
        usual = {} if self.convention is None else conventions()[self.convention].keys
        return {key: value for key, value in values.items() if key not in usual or value != usual[key]}

    @staticmethod
    @checks("value_key", "time_keys", "time_format", "ignore", "batch", "items", "name")
    def _has_fields(value: object, place: FieldPlace) -> object:
        chosen = place.earlier.get("format", "")
        if chosen in KEYS_ARE_FIXED and (chosen, place.key) != ("sparkplug", "ignore"):
            raise refuse(f'has no effect with format = "{chosen}": {KEYS_ARE_FIXED[chosen]}')
        if place.key == "name" and place.earlier.get("items") is None:
            raise refuse("has no effect without items")
        return value

    @staticmethod
    @checks("no_value", "numbers", "decimal", "units")
    def _has_texts(value: object, place: FieldPlace) -> object:
        chosen = place.earlier.get("format", "")
        if place.key == "no_value" and isinstance(value, tuple) and all(type(each) is float for each in value):
            return value
        if chosen in KEYS_ARE_FIXED and chosen != "number":
            raise refuse(f'has no effect with format = "{chosen}": {KEYS_ARE_FIXED[chosen]}')
        return value
