"""Arithmetic shared by detectors, for one reading and for many."""
