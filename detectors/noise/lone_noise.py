"""Lone noise: the noise model for a single reading, with the same result as `Noise` to the bit.

Each of the model's sixty operations would be a function call that distinguishes arrays from numbers. Here it is an
operator, which takes a third of the time.
"""

# ruff: noqa: FURB136 - a conditional expression takes a quarter of the time of min() and max()

from __future__ import annotations

import math

from detectors.base import State
from detectors.noise.noise import (
    KURTOSIS_MEMORY,
    KURTOSIS_PRIOR,
    LEAST_EXCESS,
    LEAST_VARIANCE,
    MOST_RHO,
    READINGS_A_DECADE,
    ROOT_OF_3,
    SELDOM,
    STRETCH,
    WARM_UP,
    WINSOR,
    Noise,
    of_what_never_varied,
    with_what_was_seen,
)
from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import NOTHING
from detectors.numeric.surprise import MOST, student_tail


class LoneNoise(Noise):
    """The noise of one sensor, as known before a single reading.

    Args:
        state: The detector's state.
        slot: Row of the sensor.
        memory: Memory of the spread, in readings.
    """

    def __init__(self, state: State, slot: int, memory: float) -> None:
        self._state, self._slots, self._memory = state, slot, memory
        self.count = count = state["count"][slot]
        self.variance = variance = state["variance"][slot]
        self._varies, self._warm = variance > 0, count >= WARM_UP
        self.spread = math.sqrt(variance) if variance >= 0 else NOTHING
        self._divisor = variance if variance > LEAST_VARIANCE else LEAST_VARIANCE
        self._lag, self._fourth, self.record = state["lag"][slot], state["fourth"][slot], state["record"][slot]
        rho = self._lag / self._divisor if self._varies else 0.0
        self.rho = rho = 0.0 if rho <= 0.0 else MOST_RHO if rho >= MOST_RHO else rho
        readings = 1.0 if count <= 1.0 else KURTOSIS_MEMORY if count >= KURTOSIS_MEMORY else count
        excess = self._fourth - (3.0 + 2.0 * math.sqrt(24.0 / readings))
        heavy = 4.0 + 6.0 / (excess if excess > LEAST_EXCESS else LEAST_EXCESS)
        freedom = count * (1.0 - rho) / (1.0 + rho) - 1.0
        freedom = freedom if freedom < heavy else heavy
        self.freedom = 1.0 if freedom <= 1.0 else freedom

    def score(self, residual: Numbers, spread: Numbers = None) -> Numbers:
        """See `Noise`."""
        if not self._warm:
            return NOTHING
        scale, away = self.spread if spread is None else spread, abs(residual)
        score = student_tail(away / scale if scale > 0 else 0.0, self.freedom)
        if score > SELDOM:
            score = with_what_was_seen(score, away, self.count, self.record)
        if not self._varies:
            score = of_what_never_varied(score, away, self.count)
        most = self.count / READINGS_A_DECADE
        most = MOST if most > MOST else most
        return most if score > most else score

    def learn(self, residual: Numbers, worth: float = 1.0) -> Numbers:
        """See `Noise`."""
        state, slot, memory, spread, count = self._state, self._slots, self._memory, self.spread, self.count
        bound = WINSOR * spread
        believed = residual
        if self._varies:
            believed = -bound if residual <= -bound else bound if residual >= bound else residual
        later = count + 1.0
        rate = 1.0 / (later if later < memory else memory)
        square = believed * believed
        bent = state["last_residual"][slot]
        bent = -bound if bent <= -bound else bound if bent >= bound else bent
        ratio = square / self._divisor if self._varies else ROOT_OF_3
        evidence = count + KURTOSIS_PRIOR
        quick = worth / (evidence if evidence < KURTOSIS_MEMORY else KURTOSIS_MEMORY) if self._warm else 0.0
        state["variance"][slot] = self.variance + rate * (square - self.variance)
        state["lag"][slot] = self._lag + rate * (believed * bent - self._lag)
        state["fourth"][slot] = self._fourth + quick * (ratio * ratio - self._fourth)
        away, peak, rival = abs(residual), state["peak"][slot], state["rival"][slot]
        ended, highest = (peak, 0.0) if away <= spread else (0.0, away if away > peak else peak)
        kept, usual = 1.0 - 1.0 / (20.0 * memory), 4.0 * spread
        reached = STRETCH * (self.record if self.record > usual else usual)
        reached, again = min(ended, reached), min(ended, rival)
        record, rival = max(self.record * kept, reached, again), max(rival * kept, ended)
        state["rival"][slot], state["record"][slot] = rival, record if self._varies else away
        state["peak"][slot], state["last_residual"][slot], state["count"][slot] = highest, residual, later
        return believed
