"""A detector of each registered kind, set so that all of it is at work."""

from __future__ import annotations

from typing import Any

from detectors import DETECTORS
from detectors.base import Detector

SETTINGS: dict[str, dict[str, Any]] = {
    "limits": {"low": -1.5, "high": 3.0, "low_critical": -8.0, "high_critical": 25.0, "deadband": 0.2},
    "rate": {"most_per_s": 0.01},
    "drift": {"fewest_days": 3.0},
    "contextual": {"size": "light"},
}


def example(name: str) -> Detector:
    return DETECTORS[name](**SETTINGS.get(name, {}))


def examples() -> list[Detector]:
    """Every registered detector as it comes, and those that do more when they are set."""
    return [*(each() for each in DETECTORS.values()), *(example(name) for name in SETTINGS)]


def label(detector: Detector) -> str:
    return detector.name + (" set" if detector != type(detector)() else "")
