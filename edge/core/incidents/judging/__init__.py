"""Prepares the state machines' input: ordinary readings, error values, counters."""
