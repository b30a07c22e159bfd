"""The detector of machine states: levels, spells, and a timetable."""

from detectors.states.detector import States, values_of_states

__all__ = ["States", "values_of_states"]
