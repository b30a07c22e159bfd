"""Decoding speed of each format, in readings per second on one core, against a plain parser of the same payload.

    python benchmarks/decoding.py [--seconds 1]

A payload is what a device or an agent typically sends: ten numbers, or a batch. The plain parser is the obvious
hand-written one: the library's `loads`, or string splitting, and a dictionary of names and values, without checks. Each
figure is the best of five runs. Needs the extra `cbor`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import cbor2
import msgspec

from edge.core.intake.decoders import DECODERS
from edge.core.intake.decoders.records.senml_records import LABELS

AT = 1_700_000_000
NUMBERS = {label: number for number, label in LABELS.items()}
OBJECT = {"ts": float(AT), **{f"sensor{each}": 20.5 + each for each in range(10)}}
PACK: list[dict[str, Any]] = [
    {"bn": "urn:dev:ow:10e2073a01080063:", "bt": float(AT), "bver": 10, "n": "sensor0", "u": "Cel", "v": 20.5},
    *({"n": f"sensor{each}", "u": "Cel", "v": 20.5 + each} for each in range(1, 10)),
]
FIELDS = "usage_idle=98.2,usage_user=1.1,usage_system=0.5,usage_iowait=0.01,usage_steal=0"
LINES = "\n".join(f"cpu,cpu=cpu{each},host=gw {FIELDS} {AT}000000000" for each in range(20))
MIXED = "\n".join(
    f'net,host=gw,interface=eth{each} bytes_recv={each}7i,drop_in=0i,speed=1000i,up=t,name="eth{each}" {AT}000000000'
    for each in range(20)
)


def plain_senml(records: list[dict[str, Any]]) -> dict[tuple[str, float], float]:
    """Names, times and values of a SenML pack."""
    name, base, found = "", 0.0, {}
    for each in records:
        name, base = each.get("bn", name), each.get("bt", base)
        found[name + each["n"], base + each.get("t", 0)] = float(each["v"])
    return found


def plain_lines(payload: bytes) -> dict[tuple[str, float], float]:
    """Names, times and values of line protocol without escapes and strings."""
    found = {}
    for line in payload.decode().split("\n"):
        head, fields, stamp = line.split(" ")
        measurement, *tags = head.split(",")
        before = "/".join([measurement, *(value for _, value in sorted(each.split("=") for each in tags))])
        for each in fields.split(","):
            key, value = each.split("=")
            if value[0] not in '"tf':
                found[f"{before}/{key}", int(stamp) / 1e9] = float(value.rstrip("iu"))
    return found


class Case(NamedTuple):
    """One payload to decode."""

    title: str
    format: str
    payload: bytes
    plain: Callable[[bytes], object]


def with_labels(records: list[dict[int, Any]]) -> list[dict[str, Any]]:
    """Records with SenML's CBOR labels, converted to its JSON labels."""
    return [{LABELS[key]: value for key, value in each.items()} for each in records]


CASES = (
    Case("number", "number", b"21.57", float),
    Case("JSON, object of 10", "json", json.dumps(OBJECT).encode(), json.loads),
    Case("MessagePack, object of 10", "msgpack", msgspec.msgpack.encode(OBJECT), msgspec.msgpack.decode),
    Case("CBOR, object of 10", "cbor", cbor2.dumps(OBJECT), cbor2.loads),
    Case("SenML, pack of 10", "senml", json.dumps(PACK).encode(), lambda each: plain_senml(json.loads(each))),
    Case(
        "SenML in CBOR, pack of 10",
        "senml-cbor",
        cbor2.dumps([{NUMBERS[key]: value for key, value in each.items()} for each in PACK]),
        lambda each: plain_senml(with_labels(cbor2.loads(each))),
    ),
    Case("line protocol, 20 lines of 5", "influx", LINES.encode(), plain_lines),
    Case("line protocol with integers and strings", "influx", MIXED.encode(), plain_lines),
)


def rate(call: Callable[[bytes], object], payload: bytes, seconds: float) -> float:
    """Calls per second, the best of five runs."""
    call(payload)
    best = 0.0
    for _ in range(5):
        calls, began = 0, time.process_time()
        while (took := time.process_time() - began) < seconds / 5:
            for _ in range(50):
                call(payload)
            calls += 50
        best = max(best, calls / took)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    seconds = parser.parse_args().seconds
    print(f"{'':40}{'readings/s':>12}{'plain parser':>14}{'ratio':>7}")
    for each in CASES:
        decode = DECODERS[each.format]().decode
        readings = len(decode(each.payload).samples)
        ours, plain = (readings * rate(call, each.payload, seconds) for call in (decode, each.plain))
        print(f"{each.title:40}{ours:12,.0f}{plain:14,.0f}{ours / plain:7.2f}", flush=True)


if __name__ == "__main__":
    main()
