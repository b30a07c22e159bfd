"""What is known of a sensor, in a few words: what sentences need beside its readings."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class SensorSummary:
    """What is known of a sensor beside its last readings.

    Attributes:
        interval: Seconds between two readings; 0 while unknown.
        lowest: The lowest value that it ever had; minus infinity if that isn't known.
        seen: Stream clock at its last reading.
    """

    interval: float = 0.0
    lowest: float = -math.inf
    seen: float = -math.inf
