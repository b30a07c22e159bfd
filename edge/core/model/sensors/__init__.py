"""Sensors: the slot table, arrays by slot, and facts about each sensor."""
