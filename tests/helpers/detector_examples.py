"""A detector of each registered kind, configured so that all of its parts are active."""

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
    """Every registered detector with default parameters, and variants that do more."""
    return [*(each() for each in DETECTORS.values()), *(example(name) for name in SETTINGS)]


def label(detector: Detector) -> str:
    return detector.name + (" set" if detector != type(detector)() else "")
