"""Detectors for the combined sensors of one device."""
