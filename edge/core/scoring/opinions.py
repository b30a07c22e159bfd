"""Opinions: the detectors' assessment of a reading or a silence."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from detectors.daily.trend import SLOPE
from edge.core.scoring.limit_conditions import BrokenLimit
from edge.core.scoring.peers.deviation import PeerDeviation

CLEAR, CLEAR_OF_BAND = 1.5, 1.25
"""A single moment raises an incident where its score is this many times its raising level, or its value this many times
as far from the middle of the band as the end of that."""

LASTING = 3
"""What is barely beyond its level must last for this many readings."""

CONFIRMS = 0.75
"""Share of its own raising level from which a second detector confirms the first."""

OF_LEVELS = frozenset({"spike", "rate", "level_shift", "drift", "contextual"})
"""Kinds that are about where the value is, so that a return to an earlier level shows them."""

OF_MOMENTS = frozenset({"rate", "contextual"})
"""Kinds that a single reading can show and that have heavy tails. A level is set by what happens by chance once in a
number of days, and scores barely beyond it are nearly as frequent: they are noise unless another detector confirms
them.
"""


SETTLING = frozenset({"rate", "variance"})
"""Kinds that say nothing about the level: what has shown nothing else may be at a new one when it has settled."""

SUDDEN = frozenset({"rate", "spike"})
"""Kinds that are found at the moment of their cause."""

OF_TRENDS = "trend"
"""The kind of a movement over days, which says nothing about the present moment."""

COUNTER, GAUGE = "counter", "gauge"
"""Kinds of sensors: judged by how fast they count, and by their values."""


@dataclass(slots=True)
class Opinion:
    """One detector's assessment of one reading.

    Attributes:
        detector: Name of the detector.
        kind: The kind of incident that it raises, a word of the event schema.
        score: Surprise in decades.
        expected: Expected value, or NaN.
        lower: Lower end of the expected band, or NaN.
        upper: Upper end of the expected band, or NaN.
        level: Raising level in decades.
        now: The scored quantity by `Detector.measure()` if it isn't the value; else NaN.
        usual: The usual value of that quantity.
        about: Which of the detector's conditions it concerns, if there are several.
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

    def distance(self, value: float) -> float:
        """How far a value is from the middle of the band, in halves of its width; 0 if there is no band."""
        half = (self.upper - self.lower) / 2
        return abs(value - self.lower - half) / half if half > 0 else 0.0

    @property
    def has_records(self) -> bool:
        """Whether its band is between the records of all days so far, not what is usual now."""
        return self.detector == "extremes"

    @property
    def is_trend(self) -> bool:
        """Whether it is about a movement over days."""
        return self.kind == OF_TRENDS

    @property
    def is_slope(self) -> bool:
        """Whether it is about a movement that is faster than ever, and not about one day by day."""
        return self.kind == OF_TRENDS and self.about.startswith(SLOPE)

    @property
    def exceeds(self) -> bool:
        """Whether it would raise an incident on its own."""
        return self.score >= self.level


@dataclass(slots=True)
class Observation:
    """One reading or silence as input to the state machine.

    Attributes:
        time: Time of the reading, or time at which a silence became too long.
        value: Value of the reading, or last value before a silence.
        threshold: The raising level of the first opinion at that time in decades, or the sensor's lowest one.
        opinions: Opinions based on learned behaviour, the one furthest beyond its raising level first.
        contributions: For a device, its sensors' slots and their shares in the score, largest first.
        broken: Operator-defined limits that it breaks; None if no reading could break one.
        is_strange: Whether the value may be an error value, in which case an incident implies nothing about the sensor.
        per: Unit of time of a counter's pace, in seconds; 0 if the value isn't a pace.
        reading: The counter's reading at that time; else NaN.
        stretch: Seconds over which the pace is averaged, or since the reading before a jump; else 0.
        jumped_from: The reading before a counter's jump; else NaN.
        deviation: What a comparison with its peers has found; None if there was none.
        endures: Whether it shows, or nearly, a condition that isn't a level, such as a stuck value.
        becomes: Which kind of sensor it has shown the sensor to be, unlike before; else empty.
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
    jumped_from: float = math.nan
    deviation: PeerDeviation | None = None
    endures: bool = False
    becomes: str = ""

    def __post_init__(self) -> None:
        for each in self.opinions:
            if each.level == math.inf:  # as versions saved it that knew one level a sensor
                each.level = self.threshold

    @property
    def has_jumped(self) -> bool:
        """Whether it is a counter's jump."""
        return not math.isnan(self.jumped_from)

    @property
    def read(self) -> float:
        """The value as read, also for a counter."""
        return self.value if math.isnan(self.reading) else self.reading

    def as_read(self) -> Observation:
        """The observation with the value as read, since limits apply to that."""
        return replace(self, value=self.read, per=0.0, reading=math.nan, stretch=0.0)

    @property
    def score(self) -> float:
        """The score of the detector furthest beyond its level, by learned behaviour."""
        return self.opinions[0].score if self.opinions else 0.0

    @property
    def worst_score(self) -> float:
        """The highest score, including operator-defined limits."""
        return max([self.score, *(each.score for each in self.broken or ())])

    @property
    def is_silence(self) -> bool:
        """Whether it is a silence and no reading."""
        return bool(self.opinions) and self.opinions[0].kind == "missing"

    def is_usual_to(self, detectors: Collection[str]) -> bool:
        """Whether one of these detectors isn't surprised and has the value within its band.

        What is clearly beyond the records of all days isn't usual at any hour, however wide that band is.
        """
        return not any(each.has_records and each.score > 0 for each in self.opinions) and any(
            each.detector in detectors and not each.exceeds and each.lower <= self.value <= each.upper
            for each in self.opinions
        )

    def ratio(
        self,
        among: Collection[str] | None = None,
        lingering: Collection[str] = (),
        outdated: Collection[str] = (),
    ) -> float:
        """The highest ratio of a detector's score to its raising level.

        Args:
            among: Detectors to include besides those that would raise an incident now; None for all.
            lingering: Detectors to exclude while the value is within their band.
            outdated: Detectors to exclude.
        """
        return max(
            (
                each.ratio
                for each in self.opinions
                if (among is None or each.exceeds or each.detector in among)
                and (each.detector not in lingering or not each.lower <= self.value <= each.upper)
                and each.detector not in outdated
            ),
            default=0.0,
        )

    def without_moments(self) -> Observation:
        """The observation with opinions about a movement over days only."""
        return replace(self, opinions=[each for each in self.opinions if each.is_trend])

    def without_trends(self) -> Observation:
        """The observation without opinions about a movement over days."""
        return replace(self, opinions=[each for each in self.opinions if not each.is_trend])

    def ratio_of(self, detectors: Collection[str]) -> float:
        """The highest ratio of score to raising level among the given detectors."""
        return max((each.ratio for each in self.opinions if each.detector in detectors), default=0.0)


def is_clear(observation: Observation, run: int) -> bool:
    """Whether an observation that exceeds a level raises an incident.

    It does if it is far beyond the level or the band, if a second detector confirms it, if it shows a condition that
    spans several readings, or if it lasts. A value within the band of the only detector that it surprises can't last:
    the surprise is about the readings before it, and wouldn't keep an incident open either.

    Args:
        observation: The reading and the detectors' opinions.
        run: Number of consecutive readings that exceeded a level, this one included.
    """
    beyond = [each for each in observation.opinions if each.exceeds]
    if beyond and sum(each.ratio >= CONFIRMS and not each.is_trend for each in observation.opinions) > 1:
        return True
    return any(
        each.kind not in OF_MOMENTS
        or each.ratio >= CLEAR
        or each.distance(observation.value) >= CLEAR_OF_BAND
        or (run >= LASTING and not each.lower <= observation.value <= each.upper)
        for each in beyond
    )
