"""Detectors of one sensor, one idea per file."""
