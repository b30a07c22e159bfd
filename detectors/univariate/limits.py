"""Limits: conditions that the operator knows to be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from detectors.base import Detector, Field, Limit, Scores, State, no_opinion
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import NOTHING, constant_like, where
from detectors.parameters import ParameterError, parameter

BEYOND = 12.0
"""Decades of surprise of a value beyond a limit: more than any raising level derived from a budget."""

CRITICAL = 96.0
"""Decades of surprise of a value beyond a critical limit: three doublings more, the highest severity."""

UNSET = math.nan


@dataclass(frozen=True)
class Limits(Detector):
    """Finds values beyond limits that the operator sets.

    Catches: values that the limits exclude.
    Blind to: everything within them.
    Contamination: none, nothing is learned.
    Warm-up: none.
    State: 8 bytes per sensor.
    Cost: about 10 array operations per round.
    Source: ANSI/ISA-18.2-2016, "Management of Alarm Systems for the Process Industries": low-low, low, high and
        high-high alarms with a deadband.
    Differs: a score instead of an alarm, 12 decades beyond a limit and 96 beyond a critical one.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Limits(high=80.0, high_critical=95.0), rows=1)
    >>> [float(table.update(np.array([0]), np.array([value]), np.array([0.0])).score[0]) for value in (70., 85., 99.)]
    [0.0, 12.0, 96.0]
    """

    low: float = parameter(UNSET, "Values below this are surprising.")
    high: float = parameter(UNSET, "Values above this are surprising.")
    low_critical: float = parameter(UNSET, "Values below this are critical.")
    high_critical: float = parameter(UNSET, "Values above this are critical.")
    deadband: float = parameter(0.0, "How far a value must come back within a limit to count as within.", at_least=0)

    name: ClassVar[str] = "limits"
    kind: ClassVar[str] = "range"
    catches: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        """Check the parameters and the order of the limits."""
        super().__post_init__()
        order = ("low_critical", "low", "high", "high_critical")
        given = [(name, getattr(self, name)) for name in order if not math.isnan(getattr(self, name))]
        for (lower, below), (upper, above) in pairwise(given):
            if below >= above:
                raise ParameterError(upper, f"must be above {lower}, which is {below:g}; is {above:g}")

    scores_readings: ClassVar[bool] = False
    takes_one: ClassVar[bool] = True

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """All limits; NaN where there is none."""
        return self.low, self.high, self.low_critical, self.high_critical

    @property
    def follows_pace(self) -> bool:
        """See `Detector`."""
        return False

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {"beyond": Field(learned=False)}

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        if all(map(math.isnan, self.bounds)):
            return no_opinion(values)
        before = state["beyond"][slots]
        low = where(before < 0, self.low + self.deadband, self.low)
        high = where(before > 0, self.high - self.deadband, self.high)
        low_critical = where(before <= -2, self.low_critical + self.deadband, self.low_critical)
        high_critical = where(before >= 2, self.high_critical - self.deadband, self.high_critical)
        beyond = where(values > high, 1.0, where(values < low, -1.0, 0.0))
        beyond = where(values > high_critical, 2.0, where(values < low_critical, -2.0, beyond))
        state["beyond"][slots] = beyond
        size = abs(beyond)
        score = where(size >= 2, CRITICAL, where(size >= 1, BEYOND, 0.0))
        lowest = self.low if not math.isnan(self.low) else self.low_critical
        highest = self.high if not math.isnan(self.high) else self.high_critical
        lower, upper = constant_like(values, lowest), constant_like(values, highest)
        nothing = constant_like(values, NOTHING)
        return Scores(score, nothing, lower, upper, learned=nothing, ruled=score)

    def broken(self, state: State, slot: int, score: float) -> list[Limit]:  # noqa: ARG002
        """See `Detector`."""
        beyond = float(state["beyond"][slot])
        side, bound, worst = (
            ("high", self.high, self.high_critical) if beyond > 0 else ("low", self.low, self.low_critical)
        )
        broken = [] if math.isnan(bound) else [Limit(side, bound, BEYOND)]
        return [*broken, Limit(f"{side}_critical", worst, CRITICAL)] if abs(beyond) > 1 else broken
