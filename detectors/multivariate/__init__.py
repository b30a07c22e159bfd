"""Detectors of several sensors of one device."""
