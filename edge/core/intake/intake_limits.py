"""Intake limits: what is taken at most of what senders send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class IntakeLimits:
    """The limits.

    Attributes:
        payload_bytes: Size of a payload.
        earliest: No reading is older than this, seconds since the epoch.
        future_s: No reading lies further ahead of its arrival than this.
        dead_letters_per_minute: So many are kept, and of each reason at least one; all are counted.
    """

    payload_bytes: int = 262_144
    earliest: float = 946_684_800.0
    future_s: float = 60.0
    dead_letters_per_minute: int = 60
