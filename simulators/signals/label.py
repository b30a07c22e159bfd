"""The label of a fault: what was done to which sensor, from when to when."""

from __future__ import annotations

import msgspec

FAULT_KINDS = (
    "spike",
    "level_shift",
    "drift",
    "stuck",
    "noise_burst",
    "dropout",
    "silence",
    "unit_jump",
    "lost_season",
    "broken_correlation",
)
"""Every kind of fault; detectors say by these words what they catch."""


class Fault(msgspec.Struct, frozen=True, tag="fault", tag_field="type"):
    """The label of a fault.

    Attributes:
        sensor: Its name, which is its topic.
        kind: A word of `FAULT_KINDS`.
        start: Time of the first reading concerned, seconds since the epoch, UTC.
        end: Time of the last reading concerned.
        size: How large, in the unit that the sentence names: the sensor's usual step, its usual deviation, or
            readings.
        sentence: A sentence about what happened.
    """

    sensor: str
    kind: str
    start: float
    end: float
    size: float
    sentence: str

    def to_json(self) -> bytes:
        """One line of JSON, without its end."""
        return msgspec.json.encode(self)
