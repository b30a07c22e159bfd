"""The default learned detector: adds up several streams of evidence about one sensor. One idea per file.

steps        readings to steps of time          likelihood  each stream's own scale to decades
range_break  beyond all that was seen           rarity      added decades to how rare they are here
season       time of day and of week            detector    the detector that puts it together
spread       scatter, and the long-run level
neighbours   courses that were seen before              adoption    what was learned moves to an adopted level
"""

from detectors.contextual.detector import Contextual

__all__ = ["Contextual"]
