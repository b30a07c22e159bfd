"""Durations, times, numbers and sizes formatted for people."""

from __future__ import annotations

from datetime import UTC, datetime

from edge.core.model.notation.quantities import duration


def ago(seconds: float) -> str:
    """A time relative to now: `3 s ago`, `2.5 h ago`; `in 3 s` if it is in the future."""
    if seconds < -1:
        return f"in {duration(-seconds)}"
    return f"{duration(max(0.0, round(seconds) if seconds >= 1 else round(seconds, 1)))} ago"


def spelled_out(seconds: float) -> str:
    """A duration with its unit in words: `45 s`, `10 minutes`, `2.5 hours`."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:g} s"


def moment(seconds: float) -> str:
    """A time, UTC, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def epoch(timestamp: str) -> float:
    """Seconds since the epoch of an RFC 3339 time."""
    return datetime.fromisoformat(timestamp).timestamp()


def size(count: int) -> str:
    """A number of bytes."""
    for unit, length in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= length:
            return f"{count / length:.3g} {unit}" if count < 100 * length else f"{count / length:.0f} {unit}"
    return f"{count} bytes"
