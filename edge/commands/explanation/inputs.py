"""The section of `edgewarden check` about inputs: how a topic and a payload become a sensor."""

from __future__ import annotations

import click

from config.notation.topics import LONGEST_NAME, sender_of
from config.schema import Configuration
from config.tables.convention import conventions
from config.tables.inputs import Input
from config.writing.toml_text import toml_value
from edge.commands.support.printing.terminal import bullet, heading, paragraph
from edge.core.intake.decoders import NumberDecoder, Repetition
from edge.core.intake.decoders.documents.paths import OF
from edge.core.intake.routes import Resolved, Route, match
from edge.core.model.notation.printable import printable

_SHOWN = {
    "json": ("JSON", '{"temperature": 21.5}', "temperature"),
    "msgpack": ("MessagePack", '{"temperature": 21.5}', "temperature"),
    "cbor": ("CBOR", '{"temperature": 21.5}', "temperature"),
    "text": ("pairs, or values in a row", "temperature=21.5", "temperature"),
    "number": ("a plain number", "21.5", ""),
    "senml": ("SenML in JSON", '[{"bn": "dev1/", "n": "temperature", "v": 21.5}]', "dev1/temperature"),
    "senml-cbor": ("SenML in CBOR", '[{"bn": "dev1/", "n": "temperature", "v": 21.5}]', "dev1/temperature"),
    "influx": ("InfluxDB line protocol", "boiler,room=cellar temperature=21.5", "boiler/cellar/temperature"),
    "sparkplug": ("Sparkplug B", "(a metric temperature)", "plant1/node1/device1/temperature"),
}
"""For each format: its name, a sample payload, and the path of the number in it."""

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
    """Print what each input reads, the keys set by its convention, and an example of topic, payload and sensor."""
    heading("Inputs: from topics to sensors")
    for each in configuration.inputs:
        bullet(_input(each))
        for line in stands_for(each):
            click.echo(printable(f"      {line}"))
        if each.convention is not None:
            paragraph(conventions()[each.convention].note, indent=6)
        topic, sensor = example(each)
        click.echo(printable(f"      {topic}  {_payload(each)}"))
        if sensor is None:
            click.echo("      has no usable name for a sensor")
        else:
            click.echo(f"      is sensor {click.style(printable(sensor), fg='cyan')}")
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


def _payload(each: Input) -> str:
    """A sample payload of an input."""
    if each.format != "number":
        return _SHOWN[each.format][1]
    if each.values:
        return next(iter(each.values))
    return f"21{each.decimal}5{' °C' if each.units else ''}"


def _input(each: Input) -> str:
    what = _SHOWN[each.format][0]
    if each.format == "number":
        what += ", with a decimal comma" if each.decimal == "," else ""
        what += ", perhaps followed by a unit" if each.units else ""
    if each.format in _WITH_KEYS:
        what += f", one reading if an object has the field {each.value_key}, else one for each number in it"
    when = "the time of arrival"
    if each.time == "payload" and each.format in _WITH_KEYS and each.time_keys:
        keys = " or ".join(filter(None, (", ".join(each.time_keys[:-1]), each.time_keys[-1])))
        when = f"the field {keys}, in {each.zone} unless it has an offset, else the time of arrival"
    if each.time == "payload" and each.format in _WITH_TIMES:
        when = _WITH_TIMES[each.format].format(precision=each.precision)
    text = f"{each.topic}: {what}. QoS {each.qos}. Time: {when}."
    if each.values:
        text += f" {', '.join(f'{name} counts as {value:g}' for name, value in each.values.items())}."
    if each.availability is not None:
        text += f" {each.availability} tells whether a device is available."
    if each.repetition == "on_change":
        text += " Sensors send changes only, so neither silence nor a constant value is a fault."
    elif each.repetition == "full_repeat":
        text += " Sensors repeat what hasn't changed, so neither a repeated value nor silence means anything."
    return text


def example(each: Input) -> tuple[str, str | None]:
    """A topic matched by an input, and the name of its sensor; None if that isn't usable."""
    letters = iter("abcdefghijklmnopqrstuvwxyz" * (LONGEST_NAME // 26 + 1))
    spelled = {"+": lambda: next(letters), "#": lambda: f"{next(letters)}/{next(letters)}"}
    topic = "/".join(spelled[level]() if level in spelled else level for level in each.topic.split("/"))
    levels = match(each.topic.split("/"), topic.split("/")) or []
    route = Route(each.topic, each.sensor, NumberDecoder(), Repetition.PERIODIC)
    identity = "".join(f"{asked.rpartition('.')[2].removesuffix('?').upper()}{OF}" for asked in sender_of(each.sensor))
    return topic, Resolved(route, topic, levels).sensor(f"{identity}{_SHOWN[each.format][2]}")
