"""The section of `edgewarden check` about inputs: how a topic and a payload become a sensor."""

from __future__ import annotations

from collections.abc import Sequence

import click

from config.schema import Configuration
from config.tables.convention import conventions
from config.tables.inputs import Input
from config.writing.toml_text import toml_value
from edge.commands.explanation.samples import sample_of
from edge.commands.support.printing.terminal import bullet, heading, paragraph
from edge.core.model.notation.printable import printable, shortened

_FORMATS = {
    "json": "JSON",
    "msgpack": "MessagePack",
    "cbor": "CBOR",
    "text": "pairs, or values in a row",
    "number": "a plain number",
    "senml": "SenML in JSON",
    "senml-cbor": "SenML in CBOR",
    "influx": "InfluxDB line protocol",
    "sparkplug": "Sparkplug B",
}
"""The names of the formats."""

LONGEST_PAYLOAD = 100
"""Maximum number of characters shown of a sample payload."""

MOST_LISTED = 8
"""Maximum number of ignored fields or topics that are listed."""

_WITH_KEYS = frozenset({"json", "text", "msgpack", "cbor"})
"""Formats whose keys can be configured."""

_WITH_TIMES = {
    "senml": "as in the records, absolute or relative to the arrival",
    "senml-cbor": "as in the records, absolute or relative to the arrival",
    "influx": "the timestamp of a line in {precision}, else the time of arrival",
    "sparkplug": "the timestamp of a metric, else of its payload, else the time of arrival",
}
"""The source of the time in other formats."""


def describe_inputs(configuration: Configuration) -> None:
    """Print what each input reads, the keys set by its convention, and a message with its sensor."""
    heading("Inputs: from topics to sensors")
    for each in configuration.inputs:
        bullet(_input(each))
        for line in stands_for(each):
            click.echo(printable(f"      {line}"))
        if each.convention is not None:
            paragraph(conventions()[each.convention].note, indent=6)
        topic, payload, sensor, more = sample_of(each)
        click.echo(printable(f"      {topic}  {shortened(payload, LONGEST_PAYLOAD)}"))
        if sensor is None:
            click.echo("      has no usable name for a sensor")
        else:
            others = f", and {more} more" if more else ""
            click.echo(f"      is sensor {click.style(printable(sensor), fg='cyan')}{others}")
    click.echo()


def stands_for(given: Input) -> list[str]:
    """The keys set by an input's convention as TOML, with overridden ones marked."""
    if given.convention is None:
        return []
    convention = conventions()[given.convention]
    lines = [f'convention = "{given.convention}" stands for {convention.title}:']
    for key, value in convention.keys.items():
        own = getattr(given, key)
        is_own = own != (tuple(value) if isinstance(value, list) else value)
        lines.append(f"  {key} = {toml_value(own)}{'  # your own' if is_own else ''}")
    return lines


def _input(each: Input) -> str:
    what = _FORMATS[each.format]
    if each.format in _WITH_KEYS:
        what += f", one reading if an object has the field {each.value_key}, else one for each number in it"
    what += ", with a decimal comma" if each.decimal == "," else ""
    what += ", perhaps followed by a unit" if each.units else ""
    when = "the time of arrival"
    if each.time == "payload" and each.format in _WITH_KEYS and each.time_keys:
        keys = " or ".join(filter(None, (", ".join(each.time_keys[:-1]), each.time_keys[-1])))
        when = f"the field {keys}, in {each.zone} unless it has an offset, else the time of arrival"
    if each.time == "payload" and each.format in _WITH_TIMES:
        when = _WITH_TIMES[each.format].format(precision=each.precision)
    text = f"{each.topic}: {what}. QoS {each.qos}. Time: {when}."
    if each.values:
        text += f" {', '.join(f'{name} counts as {value:g}' for name, value in each.values.items())}."
    if each.convention is None:  # those of a convention are listed below
        text += _list(" No value", [no if isinstance(no, str) else f"{no:g}" for no in each.no_value])
        text += _list(" Ignored fields", each.ignore) + _list(" Ignored topics", each.ignore_topics)
    if each.availability is not None:
        text += f" {each.availability} tells whether a device is available."
    if each.repetition == "on_change":
        text += " Sensors send changes only, so neither silence nor a constant value is a fault."
    elif each.repetition == "full_repeat":
        text += " Sensors repeat what hasn't changed, so neither a repeated value nor silence means anything."
    return text


def _list(what: str, entries: Sequence[str]) -> str:
    """A sentence that lists entries, up to a number; empty if there are none."""
    more = f" and {len(entries) - MOST_LISTED} more" if len(entries) > MOST_LISTED else ""
    return f"{what}: {', '.join(entries[:MOST_LISTED])}{more}." if entries else ""
