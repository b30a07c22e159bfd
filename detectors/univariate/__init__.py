"""Detectors of one sensor, one idea a file."""
