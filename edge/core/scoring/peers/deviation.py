"""Deviation from peers, as told by events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SERIOUS, ALL_OF_IT, FAR, MOST = 260, 140, 60, 460
"""Severity: at least, points for a share that is missing entirely, points for each usual range beyond its end, and at
most. What a sensor does unlike its peers is a warning: they may still be wrong together."""


@dataclass(slots=True, frozen=True)
class PeerDeviation:
    """How far a sensor is from what its peers suggest.

    Attributes:
        now: The sensor's mean, as a share of what its peers suggest, or as the difference from that.
        lower: Lower end of the usual range of that.
        upper: Upper end.
        is_share: Whether it is a share.
        peers: Number of other sensors in the comparison.
        over_s: Seconds over which the means were taken.
        since: Start of the first comparison that found it, seconds since the epoch.
        group: What the names of the sensors have in common.
        companions: Last levels of the names of those that the sensor no longer follows, if it is compared within its
            device: `now` is then its mean, and the range is what they suggest.
        per: Unit of time of a counter's pace, in seconds; 0 if its values aren't paces.
    """

    now: float
    lower: float
    upper: float
    is_share: bool
    peers: int
    over_s: float
    since: float
    group: str = ""
    companions: tuple[str, ...] = ()
    per: float = 0.0

    @property
    def severity(self) -> int:
        """Severity 1 to 1000, by how much is missing, or how many usual ranges it is beyond."""
        if self.is_share:
            return min(MOST, SERIOUS + round(ALL_OF_IT * min(1.0, abs(1.0 - self.now))))
        beyond, width = max(self.lower - self.now, self.now - self.upper, 0.0), self.upper - self.lower
        return min(MOST, SERIOUS + round(FAR * min(beyond / width, 2.0) if width > 0 else FAR))


class PeerNews(Enum):
    """What a comparison has found."""

    DIFFERS = "it has begun to differ"
    AGREES = "it agrees again"
    ADOPTED = "it has differed for so long that this is normal"


@dataclass(slots=True, frozen=True)
class PeerVerdict:
    """News about one sensor."""

    slot: int
    news: PeerNews
    deviation: PeerDeviation | None
