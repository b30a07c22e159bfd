"""Raising levels: how surprised a detector must be, for each sensor."""
