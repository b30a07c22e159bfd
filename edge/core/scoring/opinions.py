"""Opinions: what the detectors say of one reading, or of one silence."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from edge.core.scoring.limit_conditions import BrokenLimit


@dataclass(slots=True)
class Opinion:
    """What one detector said of one reading."""

    detector: str
    kind: str
    score: float
    expected: float = math.nan
    lower: float = math.nan
    upper: float = math.nan


@dataclass(slots=True)
class Observation:
    """One reading, or one silence, as the state machine sees it.

    Attributes:
        time: Time of the reading; of a silence, when it became too long.
        value: Value of the reading; of a silence, the last value.
        threshold: The sensor's raising level at that time, in decades.
        opinions: What detectors say by what they have learned, those that had an opinion, the most surprised first.
        contributions: Of a device: the slots of its sensors, and the share of each in the score; the largest first.
        broken: Limits of the operator's that it breaks; None if there was no reading that could.
    """

    time: float
    value: float
    threshold: float
    opinions: list[Opinion]
    contributions: list[tuple[int, float]] = field(default_factory=list)
    broken: list[BrokenLimit] | None = None

    @property
    def score(self) -> float:
        """The largest surprise of any detector, by what was learned."""
        return self.opinions[0].score if self.opinions else 0.0

    @property
    def worst_score(self) -> float:
        """The largest surprise, limits of the operator's included."""
        return max([self.score, *(each.score for each in self.broken or ())])

    def score_now(self, lingering: Collection[str]) -> float:
        """The largest surprise, but for detectors named in `lingering` whose band holds the value."""
        return max(
            (
                each.score
                for each in self.opinions
                if each.detector not in lingering or not each.lower <= self.value <= each.upper
            ),
            default=0.0,
        )
