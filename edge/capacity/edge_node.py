"""A Sparkplug node that sends the readings of the plant: the first in its birth certificate, the others as data."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from edge.capacity.plant import LoadReading
from edge.core.intake.decoders.records.protobuf_wire import bytes_field, number_field
from edge.core.intake.sparkplug.sequence import NUMBERS

DOUBLE = 10
DOUBLE_VALUE = 13 << 3 | 1


def edge_node(group: str) -> Callable[[Sequence[LoadReading]], tuple[str, bytes]]:
    """Returns topic and payload of a Sparkplug node's readings, one per message."""
    sent = 0

    def write(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
        nonlocal sent
        ((sensor, moment, value),) = readings
        kind, time = "NDATA" if sent else "NBIRTH", number_field(1, int(moment * 1000))
        name = bytes_field(1, b"s%d" % sensor)
        about = number_field(3, int(moment * 1000)) + number_field(4, DOUBLE)
        metric = name + about + struct.pack("<Bd", DOUBLE_VALUE, value)
        payload = time + bytes_field(2, metric) + number_field(3, sent % NUMBERS)
        sent += 1
        return f"spBv1.0/{group}/{kind}/node", payload

    return write
