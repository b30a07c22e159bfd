"""Operator-defined limits as alarm conditions, each of which begins, lasts and ends on its own.

A condition joins the sensor's incident, or begins one, when `raise_after` consecutive readings have broken its limit,
and leaves it when `clear_after` consecutive readings haven't. Neither what was learned of the sensor nor the state of
its incident affects this: a limit can't be adopted, learned or outvoted. The deadband is handled by the detector: a
reading within it still breaks the limit once one was beyond, but doesn't begin a condition.

Source: ANSI/ISA-18.2-2016, "Management of Alarm Systems for the Process Industries", for limits of two ranks with a
deadband, an on-delay and an off-delay. Differs: the delays are counted in readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from detectors.base import Detector
from detectors.univariate.limits import BEYOND, Limits
from edge.core.model.notation.severity import severity_of

REFERENCE = 4.0
"""Reference for the severity of a broken limit in decades, used in place of the sensor's raising level so that a limit
always has the same severity: 646 (ERROR) beyond a limit, the maximum (FATAL) beyond a critical one."""


@dataclass(slots=True, frozen=True)
class BrokenLimit:
    """A limit broken by one reading.

    Attributes:
        detector: Name of the detector that checks it.
        kind: Kind of incident, a word of the event schema.
        name: Configuration key of the limit, such as `high_critical`.
        bound: Its value.
        score: Surprise in decades.
        lower: The lowest value allowed by all limits of the detector, or NaN.
        upper: The highest value allowed, or NaN.
    """

    detector: str
    kind: str
    name: str
    bound: float
    score: float
    lower: float
    upper: float

    @property
    def key(self) -> str:
        """Key of the limit within the sensor."""
        return f"{self.detector}.{self.name}"

    def excess(self, value: float) -> float:
        """Distance of a value beyond the limit; NaN for a rate, which depends on two values."""
        if self.kind != "range":
            return math.nan
        return self.bound - value if self.name.startswith("low") else value - self.bound

    def is_within_deadband(self, value: float) -> bool:
        """Whether a value that breaks the limit isn't beyond it any more."""
        return self.excess(value) <= 0


@dataclass(slots=True)
class LimitCondition:
    """A broken limit that is part of an incident.

    Attributes:
        limit: The limit as last broken.
        since: Time of the reading with which the condition began.
        score: Highest score of its readings.
        calm: Number of consecutive readings that haven't broken it.
    """

    limit: BrokenLimit
    since: float
    score: float
    calm: int = 0


class Turn(NamedTuple):
    """The effect of a reading on the conditions of a sensor.

    Attributes:
        runs: Number of consecutive readings that have broken each limit without an active condition, by key.
        joined: Conditions that begin.
        left: Conditions that end.
    """

    runs: dict[str, int]
    joined: list[LimitCondition]
    left: list[LimitCondition]


def hold_against_limits(
    broken: Iterable[BrokenLimit],
    time: float,
    value: float,
    holding: Mapping[str, LimitCondition],
    runs: Mapping[str, int],
    *,
    raise_after: int,
    clear_after: int,
) -> Turn:
    """Advance the conditions by one reading.

    Args:
        broken: Limits broken by the reading.
        time: Time of the reading.
        value: Value of the reading.
        holding: Active conditions by the key of their limit; updated in place.
        runs: `Turn.runs` after the previous reading.
        raise_after: Number of consecutive readings that begin a condition.
        clear_after: Number of consecutive readings that end it.
    """
    turn = Turn({}, [], [])
    present = {each.key: each for each in broken}
    for key, limit in present.items():
        condition = holding.get(key)
        if condition is not None:
            condition.limit, condition.calm = limit, 0
            condition.score = max(condition.score, limit.score)
        elif (run := runs.get(key, 0) + 1) >= raise_after and not limit.is_within_deadband(value):
            turn.joined.append(LimitCondition(limit, time, limit.score))
        else:
            turn.runs[key] = run
    for key, condition in holding.items():
        if key not in present:
            condition.calm += 1
            if condition.calm >= clear_after:
                turn.left.append(condition)
    return turn


def worst_of(conditions: Iterable[LimitCondition]) -> LimitCondition | None:
    """The worst condition: broken by the last reading first, then by score, then the newest; None if there is none."""
    return max(conditions, key=lambda each: (each.calm == 0, each.limit.score, each.since), default=None)


def severity_beyond(score: float) -> int:
    """Severity from 1 to 1000 of a broken limit, by its score."""
    return severity_of(score, REFERENCE)


MOST_BESIDE_LIMITS = severity_beyond(BEYOND) - 1
"""Highest severity of learned conditions of a sensor that has limits: these outrank them."""


def has_limits(detector: Detector) -> bool:
    """Whether a detector holds values against limits that the operator has set."""
    return isinstance(detector, Limits) and any(map(math.isfinite, detector.bounds))
