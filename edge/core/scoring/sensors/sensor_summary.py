"""A summary of a sensor for sentences, besides its readings."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class SensorSummary:
    """Facts about a sensor besides its last readings.

    Attributes:
        interval: Seconds between two readings; 0 while unknown.
        lowest: The lowest value that it ever had; minus infinity if that isn't known.
        seen: Stream clock at its last reading.
    """

    interval: float = 0.0
    lowest: float = -math.inf
    seen: float = -math.inf
