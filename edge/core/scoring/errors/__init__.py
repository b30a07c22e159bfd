"""Readings that a sensor never took: error values, sent in place of one, and jumps of counters."""
