"""What proposed inputs make of what was heard, by the very code that reads it in service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from config.toml_text import toml_value
from edge.core.model.messages import DeadLetter, Message
from edge.core.model.sensors import is_device


class SensorFound(NamedTuple):
    """A sensor that would be.

    Attributes:
        name: Its name.
        unit: Its unit; empty if nothing says one.
        repetition: What it means that it sends.
        sample: Its last value.
        readings: How many there were.
    """

    name: str
    unit: str
    repetition: str
    sample: float
    readings: int


class ReadingOutcome(NamedTuple):
    """What becomes of messages.

    Attributes:
        sensors: By name.
        fields_ignored: How many fields were left out or hold no number.
        messages_left_out: How many messages are on topics that are left out.
        refused: How many messages and readings were refused, by reason.
        examples: A dead letter of each reason.
    """

    sensors: list[SensorFound]
    fields_ignored: int
    messages_left_out: int
    refused: Mapping[str, int]
    examples: Mapping[str, DeadLetter]


def tables(inputs: Sequence[Mapping[str, Any]]) -> str:
    """Inputs as TOML."""
    blocks = (
        "\n".join(["[[input]]", *(f"{key} = {toml_value(value)}" for key, value in each.items())]) for each in inputs
    )
    return "\n\n".join(blocks) + "\n" if inputs else ""


def outcome_of(inputs: Sequence[Mapping[str, Any]], messages: Sequence[Message]) -> ReadingOutcome:
    """What inputs make of messages; only those that an input asks for are handed over."""
    from config.loading import parse  # noqa: PLC0415 - both are loaded when something was heard
    from edge.shell.service.assembly import make_pipeline  # noqa: PLC0415

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
