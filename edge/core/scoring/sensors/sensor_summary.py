"""Facts about a sensor for event messages, other than its readings."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class SensorSummary:
    """Facts about a sensor other than its recent readings.

    Attributes:
        interval: Seconds between two readings; 0 while unknown.
        lowest: Its lowest value so far; minus infinity if unknown.
        seen: Stream clock at its last reading.
    """

    interval: float = 0.0
    lowest: float = -math.inf
    seen: float = -math.inf
