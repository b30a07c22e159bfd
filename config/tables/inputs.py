"""The table `[[input]]`: which topics are read, and how their payloads are decoded."""

from __future__ import annotations

from datetime import datetime
from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config.notation.availability import availability_of
from config.notation.topics import (
    filter_problem,
    glob_problem,
    item_name_problem,
    items_problem,
    names_without_a_field,
    placeholders,
    sender_of,
    template_problem,
)
from config.tables.convention import convention_problem, conventions, with_convention
from config.tables.fields import Table, checked, refuse
from config.tables.transport import zone_problem

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


class Input(Table):
    """One topic filter, and how to read what arrives on it."""

    convention: Annotated[str, checked(convention_problem)] | None = Field(
        None, description="Convention that sets the other keys, unless they are given here"
    )
    topic: Annotated[str, checked(filter_problem)] = Field(description="MQTT topic filter")
    ignore_topics: tuple[Annotated[str, checked(glob_problem)], ...] = Field(
        (), strict=False, max_length=1000, description="Globs of topics to ignore"
    )
    format: Literal["json", "number", "text", "msgpack", "cbor", "senml", "senml-cbor", "influx", "sparkplug"] = Field(
        "json", description="Format of the payloads"
    )
    sensor: str = Field("{topic}/{field}", description="Template of the sensors' names")
    qos: Literal[0, 1] = Field(1, description="Quality of service to subscribe with")
    time: Literal["payload", "arrival"] = Field("payload", description="Source of a reading's time")
    zone: Annotated[str, checked(zone_problem)] = Field("UTC", description="Time zone of times without an offset")
    value_key: str = Field(
        "value",
        min_length=1,
        description="Field that contains the value; an object without it gives one reading for each number",
    )
    time_keys: tuple[str, ...] = Field(
        ("ts", "time", "timestamp", "t"),
        strict=False,
        description="Fields that may contain the time, in lower case; the first valid one is used",
    )
    time_format: tuple[Annotated[str, checked(time_format_problem)], ...] = Field(
        (), strict=False, max_length=10, description="Additional formats of times"
    )
    ignore: tuple[Annotated[str, checked(glob_problem)], ...] = Field(
        (), strict=False, max_length=1000, description="Globs of the paths of fields to ignore"
    )
    batch: str = Field(
        "", max_length=100, description="Field of a payload that contains a list of payloads, each read separately"
    )
    items: Annotated[str, checked(items_problem)] | None = Field(
        None, description="The list whose elements are readings, or the object that contains them; the rest is ignored"
    )
    name: Annotated[str, checked(item_name_problem)] = Field(
        "{index}", description="Template of the names of the elements of items"
    )
    precision: Literal["ns", "us", "ms", "s"] = Field(
        "ns", description="Unit of the timestamps of line protocol; other formats have none"
    )
    columns: tuple[Annotated[str, Field(max_length=100)], ...] = Field(
        (), strict=False, max_length=1000, description="Names of separated values, in order; empty for one to ignore"
    )
    values: dict[str, float] = Field(default_factory=dict, description="Numbers for texts")
    no_value: tuple[Annotated[float, Field(allow_inf_nan=False)] | str, ...] = Field(
        (), strict=False, max_length=1000, description="Error values, and texts that stand for a missing value"
    )
    numbers: Literal["text-too", "strict"] = Field("text-too", description="Whether a numeric text is read as a number")
    decimal: Literal[".", ","] = Field(".", description="Decimal separator of numbers in texts")
    units: bool = Field(False, description="Whether a unit may follow a number in a text")
    availability: str | None = Field(
        None, description="Topic on which a device publishes its availability; {1} is the first wildcard of topic"
    )
    available: tuple[str, ...] = Field(
        (), strict=False, max_length=100, description="Payloads that mean available, in addition to the usual ones"
    )
    unavailable: tuple[str, ...] = Field(
        (), strict=False, max_length=100, description="Payloads that mean unavailable, in addition to the usual ones"
    )
    rebirth: bool = Field(True, description="Whether missing birth certificates are requested from a Sparkplug node")
    gap_s: float = Field(
        5.0, ge=0.0, le=3600.0, description="Seconds to wait for a missing message of a Sparkplug node"
    )
    host_id: Annotated[str, checked(host_id_problem)] | None = Field(
        None, description="ID of this Sparkplug host application, published in its STATE; by default none is published"
    )
    repetition: Literal["periodic", "on_change", "full_repeat"] | None = Field(
        None,
        description="What a repeated value means: a new reading, no change, or a message repeated in full",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_convention(cls, keys: object) -> object:
        return with_convention(keys)

    @field_validator("format")
    @classmethod
    def _can_be_read(cls, chosen: str) -> str:
        if chosen in NEED_CBOR and find_spec("cbor2") is None:
            raise refuse(f"needs a package for {chosen}: pip install 'edgewarden[cbor]'")
        return chosen

    @field_validator("sensor")
    @classmethod
    def _sensor_fits_the_topic(cls, sensor: str, info: ValidationInfo) -> str:
        problem = template_problem(sensor, info.data["topic"]) if "topic" in info.data else None
        if problem:
            raise refuse(problem)
        if info.data.get("format") == "number" and not names_without_a_field(sensor):
            raise refuse("gives no name: there is no {field} in a plain number")
        chosen = info.data.get("format", "")
        if chosen == "sparkplug" and placeholders(sensor) != {"field"}:
            raise refuse("must hold {field} and nothing else of the message: {field} is the whole name")
        if chosen in KEYS_ARE_FIXED and sender_of(sensor):
            raise refuse(f'asks for {{{sender_of(sensor)[0]}}}, but with format = "{chosen}" {KEYS_ARE_FIXED[chosen]}')
        return sensor

    @field_validator("availability")
    @classmethod
    def _availability_fits(cls, availability: str | None, info: ValidationInfo) -> str | None:
        if availability is not None and "topic" in info.data and "sensor" in info.data:
            try:
                availability_of(availability, info.data["topic"], info.data["sensor"])
            except ValueError as error:
                raise refuse(str(error)) from None
        return availability

    @field_validator("available", "unavailable")
    @classmethod
    def _words_are_heard(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if words and info.data.get("availability") is None:
            raise refuse("has no effect without availability")
        if info.field_name == "unavailable" and (both := {*map(str.lower, words)} & {*info.data.get("available", ())}):
            raise refuse(f"holds {min(both)!r}, which available holds too")
        return tuple(word.lower() for word in words)

    @field_validator("precision")
    @classmethod
    def _has_timestamps(cls, precision: str, info: ValidationInfo) -> str:
        if precision != "ns" and info.data.get("format") != "influx":
            raise refuse('has no effect without format = "influx"')
        return precision

    @field_validator("columns")
    @classmethod
    def _has_columns(cls, columns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if columns and info.data.get("format") != "text":
            raise refuse('has no effect without format = "text"')
        named = [each for each in columns if each]
        if columns and not named:
            raise refuse("must name at least one column")
        if len({*named}) < len(named):
            raise refuse(f"names {next(each for each in named if named.count(each) > 1)!r} twice")
        return columns

    @field_validator("rebirth", "gap_s", "host_id")
    @classmethod
    def _has_births(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("format") != "sparkplug" and value != cls.model_fields[str(info.field_name)].default:
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
        values = self.model_dump(mode="json", exclude=without)
        unsaid = {key for key in LATER if getattr(self, key) == type(self).model_fields[key].default}
        return {key: value for key, value in values.items() if key not in unsaid}

    def written(self) -> dict[str, object]:
        """The keys that the operator has set, as plain values, without those that its convention sets alike."""
        values = self.model_dump(mode="json", exclude_unset=True)
        usual = {} if self.convention is None else conventions()[self.convention].keys
        return {key: value for key, value in values.items() if key not in usual or value != usual[key]}

    @field_validator("value_key", "time_keys", "time_format", "ignore", "batch", "items", "name")
    @classmethod
    def _has_fields(cls, value: object, info: ValidationInfo) -> object:
        chosen = info.data.get("format", "")
        if chosen in KEYS_ARE_FIXED and (chosen, info.field_name) != ("sparkplug", "ignore"):
            raise refuse(f'has no effect with format = "{chosen}": {KEYS_ARE_FIXED[chosen]}')
        if info.field_name == "name" and info.data.get("items") is None:
            raise refuse("has no effect without items")
        return value

    @field_validator("no_value", "numbers", "decimal", "units")
    @classmethod
    def _has_texts(cls, value: object, info: ValidationInfo) -> object:
        chosen = info.data.get("format", "")
        if info.field_name == "no_value" and isinstance(value, tuple) and all(type(each) is float for each in value):
            return value
        if chosen in KEYS_ARE_FIXED and chosen != "number":
            raise refuse(f'has no effect with format = "{chosen}": {KEYS_ARE_FIXED[chosen]}')
        return value
