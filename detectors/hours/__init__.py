"""The detector of what is wrong for the hour."""

from detectors.hours.detector import Hours

__all__ = ["Hours"]
