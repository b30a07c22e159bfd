"""Sizes, durations and possible kinds of a sensor's faults.

Sizes are multiples of the sensor's usual behaviour, chosen so that an operator who sees the plot would call it a fault.
A sensor gets only faults that it can show: a season is lost only if there is one, a sensor that usually rests doesn't
get stuck, a counter doesn't drift.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulators.plant.character import Character
from simulators.plant.series import SimulatedSensor
from simulators.signals.faults import FAHRENHEIT, Injection
from simulators.signals.label import Fault
from simulators.signals.signals import DAY

RESTING = 12
"""A sensor that usually stays unchanged for more readings than this rests by nature."""

SENTINELS = (-127.0, -999.0, 65535.0)
"""Values that devices send in place of a reading."""

LENGTHS = {
    "spike": (1, 2),
    "level_shift": (60, 180),
    "drift": (200, 400),
    "stuck": (60, 180),
    "noise_burst": (40, 80),
    "dropout": (1, 4),
    "silence": (20, 60),
    "unit_jump": (30, 120),
    "broken_correlation": (180, 360),
}
"""Minimum and maximum number of readings in a fault; a lost season lasts a day or more."""


class Strength(NamedTuple):
    """The strength of a fault: the amount of its `Injection`, the size and the sentence of its label."""

    amount: float
    size: float
    sentence: str


class Case(NamedTuple):
    """A sensor that will have faults, and its usual behaviour."""

    sensor: SimulatedSensor
    character: Character

    def suits(self, kind: str) -> bool:
        """Whether a fault of this kind would be one, and would be visible."""
        character, sensor = self.character, self.sensor
        rests = character.rest > RESTING
        suited = {
            "drift": not rests and not sensor.counts,
            "noise_burst": not rests and not sensor.counts,
            "stuck": not rests,
            "unit_jump": self._jump_shows(),
            "lost_season": character.swing >= max(6 * character.noise, 2 * character.deviation),
            "broken_correlation": character.shared >= 0.6 * character.deviation,
        }
        return suited.get(kind, True)

    def length(self, kind: str, generator: np.random.Generator) -> int:
        """Number of readings in a fault of this kind."""
        if kind == "lost_season":
            return math.ceil(DAY * float(generator.uniform(1.0, 1.5)) / self.sensor.interval_s)
        shortest, longest = LENGTHS[kind]
        if kind == "stuck":
            shortest, longest = max(shortest, 8 * self.character.rest), max(longest, 16 * self.character.rest)
        return int(generator.integers(shortest, longest + 1))

    def injection(
        self, kind: str, start: float, end: float, multiplier: float, generator: np.random.Generator
    ) -> Injection:
        """Create a fault of this kind at a given time.

        Args:
            kind: A suitable kind from `FAULT_KINDS`.
            start: Time of its first reading, seconds since the epoch, UTC.
            end: Time of its last reading.
            multiplier: Factor on the sizes of spikes, level shifts, drifts and noise bursts.
            generator: Random generator for choices within the limits of the kind.
        """
        readings = round((end - start) / self.sensor.interval_s) + 1
        amount, size, sentence = _STRENGTHS[kind](self, readings, multiplier, generator)
        return Injection(Fault(self.sensor.name, kind, start, end, round(size, 3), sentence), amount)

    def sign(self, generator: np.random.Generator) -> float:
        """1 or -1; a counter only leaps forward."""
        return 1.0 if generator.random() < 0.5 or self.sensor.counts else -1.0

    def with_unit(self, amount: float, form: str = "+.3g") -> str:
        """Format an amount with its unit."""
        return f"{amount:{form}} {self.sensor.unit}".rstrip()

    @property
    def factor(self) -> float:
        """The factor between the sensor's unit and one commonly confused with it."""
        return FAHRENHEIT if self.sensor.unit == "Cel" else 1000.0

    def _jump_shows(self) -> bool:
        low, high = self.character.low, self.character.high
        clear = 8 * self.character.deviation
        if self.factor == FAHRENHEIT:
            return min(low, high) * 0.8 + 32 > clear
        return low > 0 and low * (self.factor - 1) > clear

    def no_value(self, generator: np.random.Generator) -> float:
        """0 or the device's error value, but nothing near its usual values."""
        character = self.character
        far = max(10 * character.step, 8 * character.deviation)
        usable = [each for each in (0.0, *SENTINELS) if not character.low - far < each < character.high + far]
        if usable and usable[0] == 0.0:
            return 0.0
        return usable[int(generator.integers(len(usable)))] if usable else -abs(character.high) - 2 * far


def _spike(case: Case, readings: int, multiplier: float, generator: np.random.Generator) -> Strength:
    size = multiplier * float(generator.uniform(10, 20))
    amount = case.sign(generator) * size * case.character.step
    how_long = "one reading" if readings == 1 else f"{readings} readings"
    sentence = f"{case.with_unit(amount)} for {how_long}, {size:.1f} times the usual step between readings"
    return Strength(amount, size, sentence)


def _level_shift(case: Case, _readings: int, multiplier: float, generator: np.random.Generator) -> Strength:
    size = multiplier * float(generator.uniform(8, 12))
    amount = case.sign(generator) * size * case.character.deviation
    return Strength(amount, size, f"The level moves by {case.with_unit(amount)}, {size:.1f} times the usual deviation")


def _drift(case: Case, _readings: int, multiplier: float, generator: np.random.Generator) -> Strength:
    size = multiplier * 10
    amount = case.sign(generator) * size * case.character.deviation
    return Strength(
        amount,
        size,
        f"Drifts until it is off by {case.with_unit(amount)}, {size:.1f} times the usual deviation",
    )


def _stuck(case: Case, readings: int, _multiplier: float, _generator: np.random.Generator) -> Strength:
    usual = case.character.rest
    ordinary = "at every reading" if usual == 1 else f"within {usual} readings"
    return Strength(0.0, readings, f"The same value for {readings} readings; it usually changes {ordinary}")


def _noise_burst(case: Case, _readings: int, multiplier: float, _generator: np.random.Generator) -> Strength:
    size = multiplier * 8
    amount = size * case.character.noise
    sentence = f"Noise with a deviation of {case.with_unit(amount, '.3g')} is added, {size:.1f} times the usual"
    return Strength(amount, size, sentence)


def _dropout(case: Case, readings: int, _multiplier: float, generator: np.random.Generator) -> Strength:
    amount = case.no_value(generator)
    sent = f"{amount:g} is sent once" if readings == 1 else f"{amount:g} is sent {readings} times"
    return Strength(amount, readings, f"{sent}, which represents a missing value")


def _silence(_case: Case, readings: int, _multiplier: float, _generator: np.random.Generator) -> Strength:
    return Strength(0.0, readings, f"Nothing is sent: {readings} readings are missing")


def _unit_jump(case: Case, readings: int, _multiplier: float, _generator: np.random.Generator) -> Strength:
    factor, usual = case.factor, case.character.typical
    fahrenheit = factor == FAHRENHEIT
    moved = usual * 0.8 + 32 if fahrenheit else usual * (factor - 1)
    how = "in degrees Fahrenheit" if fahrenheit else f"{factor:g} times as large"
    return Strength(factor, abs(moved) / case.character.deviation, f"{readings} readings are sent {how}")


def _lost_season(case: Case, _readings: int, _multiplier: float, _generator: np.random.Generator) -> Strength:
    swing = case.character.swing
    size = swing / case.character.noise
    return Strength(0.0, size, f"The daily swing of {case.with_unit(swing, '.3g')} stays where it is")


def _broken_correlation(case: Case, _readings: int, _multiplier: float, _generator: np.random.Generator) -> Strength:
    size = case.character.shared / case.character.noise
    return Strength(0.0, size, f"No longer moves with the other sensors of {case.sensor.device}")


_STRENGTHS: dict[str, Callable[[Case, int, float, np.random.Generator], Strength]] = {
    "spike": _spike,
    "level_shift": _level_shift,
    "drift": _drift,
    "stuck": _stuck,
    "noise_burst": _noise_burst,
    "dropout": _dropout,
    "silence": _silence,
    "unit_jump": _unit_jump,
    "lost_season": _lost_season,
    "broken_correlation": _broken_correlation,
}
