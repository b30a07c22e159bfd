"""Limits: what the operator knows to be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from detectors.base import Detector, Field, Floats, Scores, Slots, State, no_opinion
from detectors.parameters import ParameterError, parameter

BEYOND = 12.0
"""Decades of surprise of a value beyond a limit: more than any raising level that follows from a budget."""

CRITICAL = 96.0
"""Decades of surprise of a value beyond a critical limit: three doublings more, the worst severity."""

UNSET = math.nan


@dataclass(frozen=True)
class Limits(Detector):
    """Finds values beyond limits that the operator sets.

    Catches: whatever the limits rule out.
    Blind to: everything within them.
    Contamination: none, nothing is learned.
    Warm-up: none.
    State: 8 bytes a sensor.
    Cost: about 20 array operations a round.
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
        """Check the parameters, and that the limits are in order."""
        super().__post_init__()
        order = ("low_critical", "low", "high", "high_critical")
        given = [(name, getattr(self, name)) for name in order if not math.isnan(getattr(self, name))]
        for (lower, below), (upper, above) in pairwise(given):
            if below >= above:
                raise ParameterError(upper, f"must be above {lower}, which is {below:g}; is {above:g}")

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {"beyond": Field(learned=False)}

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        limits = (self.low, self.high, self.low_critical, self.high_critical)
        if all(math.isnan(each) for each in limits):
            return no_opinion(len(values))
        before = state["beyond"][slots]
        low = np.where(before < 0, self.low + self.deadband, self.low)
        high = np.where(before > 0, self.high - self.deadband, self.high)
        low_critical = np.where(before <= -2, self.low_critical + self.deadband, self.low_critical)
        high_critical = np.where(before >= 2, self.high_critical - self.deadband, self.high_critical)
        beyond = np.where(values > high, 1.0, np.where(values < low, -1.0, 0.0))
        beyond = np.where(values > high_critical, 2.0, np.where(values < low_critical, -2.0, beyond))
        state["beyond"][slots] = beyond
        size = np.abs(beyond)
        score = np.where(size >= 2, CRITICAL, np.where(size >= 1, BEYOND, 0.0))
        lowest = self.low if not math.isnan(self.low) else self.low_critical
        highest = self.high if not math.isnan(self.high) else self.high_critical
        nothing = np.full(len(values), np.nan)
        return Scores(score, nothing, np.full(len(values), lowest), np.full(len(values), highest))
