"""From readings to events: a sensor that is at rest when it is always active."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from config.schema import IncidentSettings
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, detectors, pipeline, reading, rule

EVERY_S = 300.0
DAY, HOUR = 288, 12
RULE = replace(rule(*detectors(silence={}, states={}), settings=IncidentSettings()), unit="W")


def furnace(days: int, begin: float, end: float, power: float) -> list[Message]:
    """Readings of a furnace that heats in bursts from 5 to 20 h, on the last day otherwise between two hours."""
    rng, each = np.random.default_rng(4), np.arange(days * DAY)
    hours = (START / 3600 + each / HOUR) % 24
    on = (hours >= 5) & (hours < 20) & (rng.random(len(each)) < 0.4)
    values = np.where(on, 9_000.0, 12.0) * rng.normal(1, 0.004, len(each))
    values[(each >= (days - 1) * DAY) & (hours >= begin) & (hours < end)] = power
    return [
        reading("paced/oven", START + EVERY_S * place, value) for place, value in enumerate(values.round(1).tolist())
    ]


def test_the_event_quotes_the_end_of_the_rest_that_the_value_is_below() -> None:
    line = Line(pipeline(lambda _: RULE)).take(furnace(26, 8, 15, 12.0), 500)
    told = [json.loads(event.payload)["data"] for event in line.events if b"at this hour usually not" in event.payload]
    assert told[0]["transition"] == "raised"
    assert "has been below" in told[0]["message"]
    assert told[0]["upper"] is None
    assert 12 < told[0]["lower"] < 1_000
    assert 100 <= told[0]["severity"] <= 250
