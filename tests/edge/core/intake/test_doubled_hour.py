"""Senders that report local time without an offset, during the nights on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

NIGHTS = {
    "Europe/Berlin": [(2025, 10, 26), (2026, 3, 29)],
    "America/New_York": [(2025, 11, 2), (2026, 3, 8)],
    "Australia/Lord_Howe": [(2026, 4, 5), (2025, 10, 5)],
}
PAYLOADS = {
    "one value": '{{"time": "{time}", "value": {value}}}',
    "many fields": '{{"Time": "{time}", "a": {value}, "b": 1, "c": 2, "d": 3}}',
    "nested": '{{"Time": "{time}", "BME280": {{"Temperature": {value}}}}}',
    "an array": '[{{"time": "{time}", "a": {value}}}]',
}


def plant(zone: str) -> Pipeline:
    return make_pipeline(parse(f'[[input]]\ntopic = "#"\nzone = "{zone}"\n').configuration)


def night(zone: str, day: tuple[int, int, int], payload: str, delay_s: float) -> tuple[Pipeline, int, set[str]]:
    """Ten sensors that report every five minutes, from a day before the change until half a day after it."""
    pipeline, local = plant(zone), ZoneInfo(zone)
    middle = datetime(*day, tzinfo=UTC).timestamp()
    sent, transitions = 0, set()
    for moment in range(int(middle) - 86_400, int(middle) + 43_200, 300):
        messages = []
        for sensor in range(10):
            text = datetime.fromtimestamp(moment + sensor, local).strftime("%Y-%m-%dT%H:%M:%S")
            content = PAYLOADS[payload].format(time=text, value=20 + (moment // 300 + sensor) % 3)
            messages.append(Message(f"s{sensor}", content.encode(), moment + sensor + delay_s))
        sent += len(messages)
        transitions |= {event.kind for event in pipeline.process(messages).events}
        transitions |= {event.kind for event in pipeline.tick(280.0).events}
    return pipeline, sent, transitions


@pytest.mark.long
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in NIGHTS.items() for day in days])
def test_no_reading_is_lost_and_no_sensor_is_reported_silent(
    zone: str, day: tuple[int, int, int], payload: str
) -> None:
    pipeline, sent, kinds = night(zone, day, payload, delay_s=1.0)
    counters = pipeline.counters
    assert counters.readings_refused == {}
    assert counters.messages_refused == {}
    assert counters.readings_taken in {sent, 4 * sent}
    assert "missing" not in kinds


@pytest.mark.long
def test_a_sender_that_is_minutes_late_is_read_correctly_too() -> None:
    pipeline, sent, kinds = night("Europe/Berlin", (2025, 10, 26), "one value", delay_s=900.0)
    assert pipeline.counters.readings_taken == sent
    assert "missing" not in kinds
