"""Raising levels: the score at which a detector raises an incident, for each sensor."""
