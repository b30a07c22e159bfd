"""Opinions: what the detectors say of one reading, or of one silence."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from edge.core.scoring.limit_conditions import BrokenLimit


@dataclass(slots=True)
class Opinion:
    """One detector's opinion about one reading.

    Attributes:
        detector: Its name.
        kind: The kind of incident that it raises, a word of the event schema.
        score: Its surprise, in decades.
        expected: The value that it expected, or NaN.
        lower: Lower end of its band, or NaN.
        upper: Upper end of its band, or NaN.
        level: Its raising level, in decades.
        now: The quantity that was scored, if it isn't the value, by `Detector.measure()`; else NaN.
        usual: As it usually is.
        about: Which of the detector's conditions that is, if it has several.
    """

    detector: str
    kind: str
    score: float
    expected: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    level: float = math.inf
    now: float = math.nan
    usual: float = math.nan
    about: str = ""

    @property
    def ratio(self) -> float:
        """The score divided by its raising level."""
        return self.score / self.level

    @property
    def exceeds(self) -> bool:
        """Whether it would raise an incident."""
        return self.score >= self.level


@dataclass(slots=True)
class Observation:
    """One reading, or one silence, as the state machine sees it.

    Attributes:
        time: Time of the reading; of a silence, when it became too long.
        value: Value of the reading; of a silence, the last value.
        threshold: The raising level of the first opinion at that time, in decades, or the sensor's lowest one.
        opinions: What detectors say by what they have learned, those that had an opinion; first the one that goes
            farthest beyond its raising level.
        contributions: Of a device: the slots of its sensors, and the share of each in the score; the largest first.
        broken: Limits of the operator's that it breaks; None if there was no reading that could.
        is_strange: Whether the value may be an error value: an incident that it raises says nothing of the sensor.
        per: Seconds that the value is per, where it is a counter's pace; else 0.
        reading: What the counter reads then; else NaN.
        stretch: Seconds that the pace is the mean of; else 0.
    """

    time: float
    value: float
    threshold: float
    opinions: list[Opinion]
    contributions: list[tuple[int, float]] = field(default_factory=list)
    broken: list[BrokenLimit] | None = None
    is_strange: bool = False
    per: float = 0.0
    reading: float = math.nan
    stretch: float = 0.0

    def __post_init__(self) -> None:
        for each in self.opinions:
            if each.level == math.inf:  # as versions saved it that knew one level a sensor
                each.level = self.threshold

    @property
    def read(self) -> float:
        """The value that was read, also of a counter."""
        return self.value if math.isnan(self.reading) else self.reading

    def as_read(self) -> Observation:
        """The same with the value that was read, for limits, which are limits of that."""
        return replace(self, value=self.read, per=0.0, reading=math.nan, stretch=0.0)

    @property
    def score(self) -> float:
        """The surprise of the detector that goes farthest beyond its level, by what was learned."""
        return self.opinions[0].score if self.opinions else 0.0

    @property
    def worst_score(self) -> float:
        """The largest surprise, limits of the operator's included."""
        return max([self.score, *(each.score for each in self.broken or ())])

    def ratio(self, among: Collection[str] | None = None, lingering: Collection[str] = ()) -> float:
        """The largest ratio of a detector's score to its raising level.

        Args:
            among: The detectors that would raise an incident now, or are among these; None for all.
            lingering: Those that don't count while the value is within their band.
        """
        return max(
            (
                each.ratio
                for each in self.opinions
                if (among is None or each.exceeds or each.detector in among)
                and (each.detector not in lingering or not each.lower <= self.value <= each.upper)
            ),
            default=0.0,
        )

    def ratio_of(self, detectors: Collection[str]) -> float:
        """How many times its raising level the score of any of some detectors is at most."""
        return max((each.ratio for each in self.opinions if each.detector in detectors), default=0.0)
