"""Detectors of one sensor that judge its days."""
