"""Admission of readings by time: order, duplicates, and wrong clocks."""
