"""A Sparkplug host application for tests: a pipeline, its readings, and its rebirth requests."""

from __future__ import annotations

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.model.sensors.sensors import is_device
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

REBIRTH = "spBv1.0/plant1/NCMD/line1"
"""Topic of a rebirth request to the node of the tests."""


class Host:
    """A pipeline that reads Sparkplug, with its results."""

    def __init__(self, more: str = "", base: str = "") -> None:
        self.pipeline: Pipeline = make_pipeline(
            parse(f'{base}\n[[input]]\nconvention = "sparkplug"\n{more}').configuration
        )
        self.requests: list[str] = []

    def hear(self, *messages: Message) -> list[tuple[str, float]]:
        """The readings in messages, by name."""
        batch = self.pipeline.intake.read(messages, [], [])
        self.requests += [each.topic for each in self.pipeline.sparkplug.requests()]
        names = self.pipeline.sensors.names
        found = [(names[slot], value) for slot, value in zip(batch.slots, batch.values.tolist(), strict=True)]
        return [each for each in found if not is_device(each[0])]

    def there(self, *messages: Message) -> list[tuple[str, float]]:
        """What messages say about the presence of nodes and devices."""
        batch = self.pipeline.intake.read(messages, [], [])
        names = self.pipeline.sensors.names
        found = [(names[slot], value) for slot, value in zip(batch.slots, batch.values.tolist(), strict=True)]
        return [each for each in found if is_device(each[0])]

    def wait(self, seconds: float) -> None:
        """Let time pass without a message."""
        self.requests += [each.topic for each in self.pipeline.tick(seconds).requests]

    @property
    def refused(self) -> dict[str, int]:
        counters = self.pipeline.counters
        return dict(counters.messages_refused + counters.readings_refused)
