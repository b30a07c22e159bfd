"""Machines that send readings to shards and partitions, as Lambda passes them to a function that detects anomalies."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from cloud.aws_lambda.detecting import Detection, detect
from cloud.aws_lambda.once import InMemory
from config.loading import parse
from edge.fleet.memory_store import MemoryStore
from edge.fleet.plan import plan_of
from edge.fleet.store import CellStore
from edge.fleet.topics import TopicPlacing

START = 1_700_000_000.0
TEXT = """
[gateway]
name = "fleet"
[[input]]
topic = "hall/#"
[[rule]]
sensors = "**"
[rule.detectors.limits]
high = 50.0
"""
CONFIGURATION = parse(TEXT, "test").configuration
MACHINES = [f"hall/press{each}" for each in range(12)]
SHARDS = ["shardId-0", "shardId-1", "shardId-2"]
FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095

Sent = tuple[str, float, bytes]


def sent_by(machine: str) -> list[Sent]:
    """The readings of a machine: it exceeds a limit now and then, each machine at its own times."""
    number = MACHINES.index(machine)
    found = []
    for second in range(60):
        hot = 20 < (second + 5 * number) % 40 < 26
        payload = {"temp": 99.0 if hot else 20.0 + second % 3, "current": 4.0 + second % 2, "ts": START + 10 * second}
        found.append((machine, START + 10 * second + 1.0, json.dumps(payload).encode()))
    return found


def shard_of(machine: str) -> str:
    return SHARDS[MACHINES.index(machine) % len(SHARDS)]


def log_of(shard: str) -> list[Sent]:
    everything = [each for machine in MACHINES if shard_of(machine) == shard for each in sent_by(machine)]
    return sorted(everything, key=lambda each: each[1])


def kinesis(shard: str, first: int, last: int) -> dict[str, Any]:
    return {
        "Records": [
            {
                "kinesis": {
                    "partitionKey": topic,
                    "sequenceNumber": str(FIRST_SEQUENCE + 7 * (first + place)),
                    "data": base64.b64encode(payload).decode(),
                    "approximateArrivalTimestamp": arrived,
                },
                "eventSource": "aws:kinesis",
                "eventID": f"{shard}:{FIRST_SEQUENCE + 7 * (first + place)}",
                "eventSourceARN": "arn:aws:kinesis:eu-central-1:1:stream/s",
            }
            for place, (topic, arrived, payload) in enumerate(log_of(shard)[first:last])
        ]
    }


def kafka(partition: str, first: int, last: int) -> dict[str, Any]:
    records = [
        {
            "topic": "readings",
            "partition": 0,
            "offset": first + place,
            "timestamp": int(1000 * arrived),
            "key": base64.b64encode(topic.encode()).decode(),
            "value": base64.b64encode(payload).decode(),
        }
        for place, (topic, arrived, payload) in enumerate(log_of(partition)[first:last])
    ]
    return {"eventSource": "aws:kafka", "eventSourceArn": "arn:x", "records": {f"readings-{partition}": records}}


class Stores(dict[str, CellStore]):
    """A store in memory for each log."""

    def __missing__(self, name: str) -> CellStore:
        self[name] = MemoryStore()
        return self[name]


def detection(stores: Stores | None = None, cells: int = 4) -> Detection:
    plan = plan_of(CONFIGURATION, cells)
    return Detection(plan, TopicPlacing.of(CONFIGURATION, plan), (Stores() if stores is None else stores).__getitem__)


class Seen:
    """A user's function, which fails on demand."""

    def __init__(self, fails: Callable[[], bool] = lambda: False) -> None:
        self.ids: list[str] = []
        self._fails = fails

    def __call__(self, event: Any) -> None:
        if self._fails():
            raise RuntimeError
        self.ids.append(event.id)


def undisturbed() -> list[str]:
    """The ids of one cell that reads everything in order of time."""
    seen, one = Seen(), detection(cells=1)
    for shard in SHARDS:
        assert detect(kinesis(shard, 0, 999), one, seen, InMemory()) == {"batchItemFailures": []}
    assert len(seen.ids) > 30
    return sorted(seen.ids)
