"""The detector of what has states: levels, spells, and a timetable."""

from detectors.states.detector import States

__all__ = ["States"]
