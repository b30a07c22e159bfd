"""Readings as MQTT messages in common forms.

    json     {"ts":1700000000.123,"value":21.57,"unit":"Cel"}    on the sensor's topic
    device   {"ts":1700000000.123,"temperature":21.57,...}       on the device's topic, one field a sensor
    array    [{"ts":...,"value":...,"unit":...},...]             on the sensor's topic, several readings of it
    number   21.57                                               on the sensor's topic; its time is that of
    its arrival

A sensor's name is its topic; a device's topic is the name of its sensors without the last level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

import msgspec

from edge.core.model.readings.messages import Reading

Format = Literal["json", "device", "array", "number"]


class Publication(NamedTuple):
    """A message to publish.

    Attributes:
        time: Plant time at which it is due, that of its last reading, seconds since the epoch, UTC.
        topic: Topic of the message.
        payload: Payload of the message.
        readings: Number of readings in it; 0 for truth.
    """

    time: float
    topic: str
    payload: bytes
    readings: int


class _Value(msgspec.Struct, omit_defaults=True):
    ts: float
    value: float
    unit: str = ""


_encode = msgspec.json.Encoder().encode


def publications(
    readings: Iterable[Reading], form: Format, units: Mapping[str, str], pack: int = 1
) -> Iterator[Publication]:
    """Convert readings to messages.

    Args:
        readings: Readings in order of time, with topics as sensors' names.
        form: The form of the payloads.
        units: Units by sensor name; only `json` and `array` contain them.
        pack: Number of readings in a message of the form `array`; the last ones of a sensor may be fewer.
    """
    encoders: dict[str, Callable[[], Iterator[Publication]]] = {
        "json": lambda: _as_json(readings, units),
        "device": lambda: _by_device(readings),
        "array": lambda: _as_arrays(readings, units, pack),
        "number": lambda: _as_numbers(readings),
    }
    return encoders[form]()


def _as_json(readings: Iterable[Reading], units: Mapping[str, str]) -> Iterator[Publication]:
    unit_of = units.get
    for sensor, time, value in readings:
        yield Publication(time, sensor, _encode(_Value(time, value, unit_of(sensor, ""))), 1)


def _as_numbers(readings: Iterable[Reading]) -> Iterator[Publication]:
    for sensor, time, value in readings:
        yield Publication(time, sensor, _encode(value), 1)


def _by_device(readings: Iterable[Reading]) -> Iterator[Publication]:
    """One message for successive readings of one device and one time."""
    device, moment = "", 0.0
    fields: dict[str, float] = {}
    for sensor, time, value in readings:
        owner, _, field = sensor.rpartition("/")
        if fields and (owner != device or time != moment or field in fields):
            yield _device(device, moment, fields)
            fields = {}
        device, moment = owner, time
        fields[field] = value
    if fields:
        yield _device(device, moment, fields)


def _device(device: str, time: float, fields: Mapping[str, float]) -> Publication:
    return Publication(time, device, _encode({"ts": time, **fields}), len(fields))


def _as_arrays(readings: Iterable[Reading], units: Mapping[str, str], pack: int) -> Iterator[Publication]:
    waiting: dict[str, list[_Value]] = {}
    for sensor, time, value in readings:
        values = waiting.setdefault(sensor, [])
        values.append(_Value(time, value, units.get(sensor, "")))
        if len(values) >= pack:
            yield _array(sensor, values)
            waiting[sensor] = []
    for sensor, values in sorted(waiting.items(), key=lambda each: each[1][-1].ts if each[1] else 0.0):
        if values:
            yield _array(sensor, values)


def _array(sensor: str, values: list[_Value]) -> Publication:
    return Publication(values[-1].ts, sensor, _encode(values), len(values))
