"""What is known of each sensor of a common cause: its value when it was last told of, and what was expected."""

from __future__ import annotations

from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.bands import band_of, leading_opinion
from edge.core.incidents.sentences.condition_clauses import digits_beside, expectation, on_grid, where_before
from edge.core.incidents.sentences.pace_sentences import pace_words
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.model.notation.quantities import quantity


def member_fact(change: IncidentChange, name: str, unit: str) -> str:
    """The value of a sensor's last finding and what it is beside, for parentheses.

    Args:
        change: The finding.
        name: Name of the sensor.
        unit: Unit of its values; may be empty.
    """
    observation, incident = change.observation, change.incident
    opinion = leading_opinion(change)
    band, recent = band_of(change, opinion, unit), [value for _, value in change.recent]
    unit = pace_words(unit, observation.per)
    told = SensorChange(name, unit, change.transition, incident, observation, band, opinion, recent=recent)
    band, value = on_grid(band, told), observation.value
    expected = expectation(band, value, unit, digits_beside(value, band))
    before = where_before(incident, value, unit).replace("; before, it was usually", ", usually")
    return f"{quantity(value, unit, digits_beside(value, band))}{expected or before}"
