"""Limits that the operator has set, as alarm conditions: each begins, lasts and ends by itself.

A condition joins the sensor's incident, or begins one, when `raise_after` readings in a row have broken its limit, and
leaves it when `clear_after` readings in a row haven't. Nothing that was learned of the sensor has a say in either, nor
has the state of the sensor's incident: a limit can't be adopted, learned or outvoted. A deadband is the detector's
matter: a reading within it still breaks the limit once one was beyond, but none begins a condition.

Source: ANSI/ISA-18.2-2016, "Management of Alarm Systems for the Process Industries", for limits of two ranks with a
deadband, an on-delay and an off-delay. Differs: the delays are counted in readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from edge.core.model.words.severity import severity_of

REFERENCE = 4.0
"""Decades that the severity of a broken limit is measured by, instead of the sensor's raising level, so that a limit is
always as severe: 646, which is ERROR, beyond a limit; the worst, which is FATAL, beyond a critical one."""


@dataclass(slots=True, frozen=True)
class BrokenLimit:
    """A limit that one reading has broken.

    Attributes:
        detector: Name of the detector that holds readings against it.
        kind: The kind of incident, a word of the event schema.
        name: The parameter that sets it, such as `high_critical`.
        bound: Its value.
        score: Decades of surprise.
        lower: The lowest value that no limit of the detector rules out, or NaN.
        upper: The highest one, or NaN.
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
        """Its key among the sensor's limits."""
        return f"{self.detector}.{self.name}"

    def excess(self, value: float) -> float:
        """How far a value is beyond the limit; NaN for a rate, which depends on two values."""
        if self.kind != "range":
            return math.nan
        return self.bound - value if self.name.startswith("low") else value - self.bound

    def is_within_deadband(self, value: float) -> bool:
        """Whether a value that breaks the limit lies no longer beyond it."""
        return self.excess(value) <= 0


@dataclass(slots=True)
class LimitCondition:
    """That a limit is broken.

    Attributes:
        limit: As it was last broken.
        since: Time of the reading with which the condition began.
        score: The worst of its readings.
        calm: Readings in a row that haven't broken it.
    """

    limit: BrokenLimit
    since: float
    score: float
    calm: int = 0


class Turn(NamedTuple):
    """The effect of a reading on the conditions of a sensor.

    Attributes:
        runs: Readings in a row that have broken each limit that doesn't hold yet, by its key.
        joined: The conditions that begin.
        left: Those that end.
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
    """Advance by one reading.

    Args:
        broken: The limits that the reading breaks.
        time: Of the reading.
        value: Of the reading.
        holding: The conditions that hold, by the key of their limit; they take note of the reading.
        runs: `Turn.runs` after the previous reading.
        raise_after: Readings in a row that begin a condition.
        clear_after: Readings in a row that end it.
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
    """The worst condition, of those first that the last reading broke, else the newest; None if there is none."""
    return max(conditions, key=lambda each: (each.calm == 0, each.limit.score, each.since), default=None)


def severity_beyond(score: float) -> int:
    """Severity 1 to 1000 of a broken limit, by its score."""
    return severity_of(score, REFERENCE)
