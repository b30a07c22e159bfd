"""The label of a fault: sensor, kind, and times."""

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
"""Every kind of fault; detectors refer to them in `catches`."""


class Fault(msgspec.Struct, frozen=True, tag="fault", tag_field="type"):
    """The label of a fault.

    Attributes:
        sensor: Name of the sensor, which is also its topic.
        kind: A member of `FAULT_KINDS`.
        start: Time of the first reading concerned, seconds since the epoch, UTC.
        end: Time of the last reading concerned.
        size: Size in the unit given by the sentence: the sensor's usual step, its usual deviation, or readings.
        sentence: A sentence about what happened.
    """

    sensor: str
    kind: str
    start: float
    end: float
    size: float
    sentence: str

    def to_json(self) -> bytes:
        """Encode as one line of JSON, without a line end."""
        return msgspec.json.encode(self)
