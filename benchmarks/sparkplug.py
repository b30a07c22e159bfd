"""Decoding speed of Sparkplug B messages with ten metrics, in readings per second on one core.

    python benchmarks/sparkplug.py [--seconds 1]

A node has announced ten metrics in its birth and sends all of them repeatedly. Measured is the intake: protobuf,
births, sequence numbers, sensors and times, up to the batch for the detectors. Each figure is the best of five runs.
"""

from __future__ import annotations

import argparse
import struct
import time
from collections.abc import Callable

from config.loading import parse
from edge.core.intake.decoders.records.protobuf_wire import bytes_field, number_field
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline

AT = 1_700_000_000.0
METRICS, MESSAGES = 10, 256
DOUBLE, INT32 = 10, 3


def double(value: float) -> bytes:
    """A metric's value as a double."""
    return struct.pack("<Bd", 13 << 3 | 1, value)


def integer(value: float) -> bytes:
    """A metric's value as an integer of 32 bits."""
    return number_field(10, int(value * 100))


def message(kind: str, number: int, write: Callable[[float], bytes], *, with_names: bool, datatype: int = 0) -> Message:
    """A message of the node."""
    sent = AT + number
    at = int(sent * 1000)
    metrics = b""
    for each in range(METRICS):
        name = bytes_field(1, b"sensor%d" % each) if with_names else b""
        about = number_field(2, each) + number_field(3, at) + (number_field(4, datatype) if datatype else b"")
        metrics += bytes_field(2, name + about + write(20.5 + each + number % 17 / 10))
    payload = number_field(1, at) + metrics + number_field(3, number % 256)
    return Message(f"spBv1.0/plant/{kind}/node", payload, sent)


def rate(write: Callable[[float], bytes], datatype: int, seconds: float, *, with_names: bool) -> float:
    """Readings per second, the best of five runs."""
    pipeline = make_pipeline(parse('[[input]]\nconvention = "sparkplug"\n').configuration)
    pipeline.process([message("NBIRTH", 0, write, with_names=True, datatype=datatype)])
    sent = [message("NDATA", 1 + each, write, with_names=with_names) for each in range(MESSAGES)]
    best = 0.0
    for _ in range(5):
        readings, began = 0, time.process_time()
        while (took := time.process_time() - began) < seconds / 5:
            readings += len(pipeline.intake.read(sent, [], []))
        best = max(best, readings / took)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    seconds = parser.parse_args().seconds
    for title, write, datatype, with_names in (
        ("doubles by alias", double, DOUBLE, False),
        ("integers by alias", integer, INT32, False),
        ("doubles with names as well as aliases", double, DOUBLE, True),
    ):
        print(f"{title:40}{rate(write, datatype, seconds, with_names=with_names):12,.0f} readings/s", flush=True)


if __name__ == "__main__":
    main()
