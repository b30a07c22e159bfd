"""Sensors: the table of slots, arrays by slot, and what is known of each sensor."""
