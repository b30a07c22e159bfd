"""A sensor whose steps stay, such as a set point, is told as one; a step that is taken back is a spike."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from detectors.state import StateTable
from detectors.univariate.rate import RateOfChange

LEVEL = 7.5
DWELL = 200
"""Readings between two steps."""


class SetPoint:
    """A value with little noise that is set to other levels."""

    def __init__(self, seed: int = 7) -> None:
        self.random = np.random.default_rng(seed)
        self.table = StateTable(RateOfChange(), 1)
        self.time = 0.0

    def at(self, level: float, readings: int = DWELL) -> list[float]:
        """The scores of readings around a level."""
        return [self._score(level + float(self.random.normal(0, 3))) for _ in range(readings)]

    def through(self, levels: Iterable[float]) -> None:
        """Stay at each of some levels."""
        for level in levels:
            self.at(level)

    def told(self) -> float:
        """The step that a sentence would quote, in the largest ones known."""
        measure = self.table.detector.measure(self.table.arrays, 0)
        return measure.now / measure.usual

    def _score(self, value: float) -> float:
        self.time += 60.0
        return float(self.table.update(np.array([0]), np.array([value]), np.array([self.time])).score[0])


def told(scores: list[float]) -> list[int]:
    """Which of the readings are told."""
    return [index for index, score in enumerate(scores) if not math.isnan(score) and score >= LEVEL]


def test_a_first_step_is_told() -> None:
    sensor = SetPoint()
    sensor.at(1000.0, 600)
    assert told(sensor.at(1150.0)) == [0]


def test_a_larger_step_of_a_sensor_that_keeps_its_steps_is_not() -> None:
    sensor = SetPoint()
    sensor.through([1000.0, 1150.0, 1000.0, 1150.0])
    assert told(sensor.at(1500.0)) == []


def test_a_larger_step_than_twenty_kept_ones_is_told_again() -> None:
    sensor = SetPoint()
    sensor.through([1000.0, 1150.0] * 12)
    assert told(sensor.at(1500.0)) == [0]


def test_a_step_far_beyond_the_known_ones_is_told_though_the_sensor_steps() -> None:
    sensor = SetPoint()
    sensor.through([1000.0, 1150.0, 1000.0, 1150.0])
    assert told(sensor.at(2500.0)) == [0]


@pytest.mark.parametrize("readings", [1, 2, 3])
def test_a_step_that_is_taken_back_is_told_then(readings: int) -> None:
    sensor = SetPoint()
    sensor.through([1000.0, 1150.0, 1000.0, 1150.0])
    assert told(sensor.at(1500.0, readings)) == []
    assert told(sensor.at(1150.0, 1)) == [0]
    assert sensor.told() > 2.0, "the step is quoted against those known before it"


def test_spikes_are_no_steps_that_stay() -> None:
    sensor = SetPoint()
    sensor.at(1000.0, 600)
    for _ in range(4):
        sensor.at(1150.0, 2)
        sensor.at(1000.0, 150)
    assert told(sensor.at(1450.0, 1)) == [0]


def test_the_character_of_steps_fades() -> None:
    sensor = SetPoint()
    sensor.table = StateTable(RateOfChange(spread_memory=20.0), 1)
    sensor.through([1000.0, 1150.0, 1000.0, 1150.0])
    sensor.at(1150.0, 1500)
    assert told(sensor.at(1450.0, 1)) == [0]
