"""Intake limits: bounds on what senders may send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IntakeLimits:
    """Limits on incoming data.

    Attributes:
        payload_bytes: Maximum size of a payload.
        earliest: Minimum time of a reading, seconds since the epoch.
        future_s: Maximum time by which a reading may be ahead of its arrival.
        dead_letters_per_minute: Maximum number of dead letters kept, at least one for each reason; all are counted.
    """

    payload_bytes: int = 262_144
    earliest: float = 946_684_800.0
    future_s: float = 60.0
    dead_letters_per_minute: int = 60
