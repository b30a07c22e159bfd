"""Arithmetic that detectors share, for one reading and for many."""
