"""Plants whose sensors have a common cause."""

from __future__ import annotations

import json

from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import (
    START,
    plant,
)

QUIET = START + 600.0
"""When something stops."""


def merged(*parts: list[Message]) -> list[Message]:
    return sorted((each for part in parts for each in part), key=lambda each: each.arrived)


def every(seconds: float, first: float, last: float) -> list[float]:
    return [first + seconds * each for each in range(round((last - first) / seconds))]


CLOCK = plant(every(10.0, START, QUIET + 3600.0), "now/other/clock")
"""A sensor that continues, so that time passes."""


def data(event: Event) -> dict[str, object]:
    said: dict[str, object] = json.loads(event.payload)["data"]
    return said
