"""The sensors that proposed inputs make of the collected messages, by the same code as in the running service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from config.writing.toml_text import toml_value
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.model.sensors.sensors import is_device


class SensorFound(NamedTuple):
    """A sensor that an input would create.

    Attributes:
        name: Name of the sensor.
        unit: Unit; empty if unknown.
        repetition: The meaning of a repeated value.
        sample: Last value.
        readings: Number of readings.
    """

    name: str
    unit: str
    repetition: str
    sample: float
    readings: int


class ReadingOutcome(NamedTuple):
    """The result of decoding messages.

    Attributes:
        sensors: Sensors by name.
        fields_ignored: Number of fields that were ignored or aren't numbers.
        messages_left_out: Number of messages on ignored topics.
        refused: Number of refused messages and readings, by reason.
        examples: A dead letter for each reason.
    """

    sensors: list[SensorFound]
    fields_ignored: int
    messages_left_out: int
    refused: Mapping[str, int]
    examples: Mapping[str, DeadLetter]


def tables(inputs: Sequence[Mapping[str, Any]]) -> str:
    """The inputs as TOML."""
    blocks = (
        "\n".join(["[[input]]", *(f"{key} = {toml_value(value)}" for key, value in each.items())]) for each in inputs
    )
    return "\n\n".join(blocks) + "\n" if inputs else ""


def outcome_of(inputs: Sequence[Mapping[str, Any]], messages: Sequence[Message]) -> ReadingOutcome:
    """Decode messages; only those that match an input count."""
    from config.loading import parse  # noqa: PLC0415 - both are loaded when something was heard
    from edge.shell.service.assembly.parts import make_pipeline  # noqa: PLC0415

    pipeline = make_pipeline(parse(tables(inputs), "proposed").configuration)
    intake, counters = pipeline.intake, pipeline.counters
    letters: list[DeadLetter] = []
    count, last = Counter[int](), dict[int, float]()
    asked = [each for each in messages if intake.input_of(each.topic) is not None]
    batch = intake.read(asked, letters, [])
    for slot, value in zip(batch.slots.tolist(), batch.values.tolist(), strict=True):
        count[slot] += 1
        last[slot] = value
    names, repetitions = pipeline.sensors.names, pipeline.registry.repetitions
    sensors = [
        SensorFound(names[slot], intake.units.of(slot), repetitions[slot], last[slot], count[slot])
        for slot in sorted(count, key=names.__getitem__)
        if not is_device(names[slot])
    ]
    refused = counters.messages_refused + counters.readings_refused
    examples = {each.refusal.reason: each for each in reversed(letters)}
    return ReadingOutcome(sensors, counters.fields_ignored, len(messages) - len(asked), refused, examples)
