"""A plant whose readings are known: the same seed gives the same posts, with frequent spikes and shifts.

Its time is faster than real time. The values of a sensor vary around a mean, and sometimes deviate by a little or by a
lot for several readings, so that incidents open and close continuously, and the learned state influences many of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from edge.core.model.readings.messages import Reading

BEGIN = 1_700_000_000
"""Time of the first reading, seconds since the epoch: long ago, so that no reading is in the future."""

SENSORS = 12
FAULTY = 0.12
"""The chance that a healthy sensor becomes faulty at its next reading."""


class Post(NamedTuple):
    """One message of the plant, and its readings."""

    topic: str
    payload: bytes
    readings: tuple[Reading, ...]


class Sensor:
    """A sensor that sometimes misbehaves."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._mean = chance.uniform(10, 30)
        self._off = 0.0
        self._left = 0

    def value(self) -> float:
        """The next value."""
        chance = self._chance
        if self._left == 0:
            self._off = 0.0
            if chance.random() < FAULTY:
                self._left = chance.randint(1, 5)
                self._off = chance.choice((-1, 1)) * chance.choice((chance.uniform(3, 8), chance.uniform(20, 200)))
        else:
            self._left -= 1
        return round(self._mean + self._off + chance.gauss(0, 0.5), 3)


def single(seed: int, sensors: int = SENSORS) -> Iterator[Post]:
    """One reading per message, all sensors in turn, a second between two readings of one sensor."""
    chance = random.Random(seed)
    plant = [Sensor(chance) for _ in range(sensors)]
    for step in count():
        for number, sensor in enumerate(plant):
            yield post(f"plant/s{number:02}", BEGIN + step + number / 16, sensor.value())


def packed(seed: int, size: int, sensors: int = SENSORS) -> Iterator[Post]:
    """Several readings of one sensor per message, all sensors in turn, a second between two readings of one sensor."""
    chance = random.Random(seed)
    plant = [Sensor(chance) for _ in range(sensors)]
    for step in count(step=size):
        for number, sensor in enumerate(plant):
            topic = f"plant/s{number:02}"
            rows = [(BEGIN + step + each + number / 16, sensor.value()) for each in range(size)]
            payload = json.dumps([{"ts": time, "value": value} for time, value in rows]).encode()
            yield Post(topic, payload, tuple(Reading(topic, time, value) for time, value in rows))


def post(topic: str, time: float, value: float) -> Post:
    """A message with one reading."""
    payload = json.dumps({"ts": time, "value": value}).encode()
    return Post(topic, payload, (Reading(topic, time, value),))


def batch(topic: str, rows: list[tuple[float, dict[str, float]]]) -> Post:
    """A message with rows of readings: a time, and the values of some sensors."""
    readings = [Reading(f"{topic}/{name}", time, value) for time, row in rows for name, value in row.items()]
    return Post(topic, json.dumps([{"ts": time, **row} for time, row in rows]).encode(), tuple(readings))


def plain_numbers(sensors: int = 4) -> Iterator[Post]:
    """Numbers without a time, each of them unique, so that they identify their readings, whose time is unknown."""
    for number in count():
        topic = f"plant/n{number % sensors}"
        yield Post(topic, str(number).encode(), (Reading(topic, 0.0, float(number)),))
