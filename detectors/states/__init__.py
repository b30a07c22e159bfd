"""The detector of machine states: levels, spells, and a timetable."""

from detectors.states.brief_spells import IN_A_ROW
from detectors.states.detector import States, values_of_states

__all__ = ["IN_A_ROW", "States", "values_of_states"]
