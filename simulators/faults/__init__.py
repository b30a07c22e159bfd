"""Labelled faults: effects, schedule, and truth."""
