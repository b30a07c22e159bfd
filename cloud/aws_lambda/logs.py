"""The records of Kinesis and Kafka as logs, in which each record has a fixed offset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cloud.aws_lambda.sources import KAFKA, decoded, first_source


class LogRecord(NamedTuple):
    """A record.

    Attributes:
        log: Unique name of its shard or partition.
        offset: Its offset in the log.
        topic: MQTT topic of the reading, from the record's key.
        payload: Payload of the record.
        arrived: Arrival time, seconds since the epoch.
        identifier: The source's identifier for reporting a failure.
        problem: The name of the reason why it can't be read; empty if it can.
    """

    log: str
    offset: int
    topic: str
    payload: bytes
    arrived: float
    identifier: Any
    problem: str = ""


def is_of_a_log(invocation: Any) -> bool:
    """Whether an invocation comes from Kinesis or Kafka."""
    if not isinstance(invocation, Mapping):
        return False
    return _is_kinesis(invocation) or (
        invocation.get("eventSource") in KAFKA and isinstance(invocation.get("records"), Mapping)
    )


def records_of(invocation: Mapping[str, Any]) -> list[LogRecord]:
    """The records of an invocation, in order within each log."""
    made = _kinesis(invocation) if _is_kinesis(invocation) else _kafka(invocation)
    return sorted(made, key=lambda each: (each.log, each.offset))


def _is_kinesis(invocation: Mapping[str, Any]) -> bool:
    return first_source(invocation) == "aws:kinesis"


def _kinesis(invocation: Mapping[str, Any]) -> Iterator[LogRecord]:
    for each in invocation["Records"]:
        kinesis = each["kinesis"]
        shard = f"{each.get('eventSourceARN', '')}/{each['eventID'].partition(':')[0]}"
        sequence, payload = kinesis["sequenceNumber"], decoded(kinesis.get("data"))
        yield _record(
            shard,
            int(sequence),
            kinesis.get("partitionKey"),
            payload,
            kinesis.get("approximateArrivalTimestamp"),
            sequence,
        )


def _kafka(invocation: Mapping[str, Any]) -> Iterator[LogRecord]:
    cluster = invocation.get("eventSourceArn") or ",".join(sorted(str(invocation.get("bootstrapServers")).split(",")))
    for partition, records in invocation["records"].items():
        for each in records:
            key, arrived = decoded(each.get("key")), each.get("timestamp")
            yield _record(
                f"{cluster}/{partition}",
                int(each["offset"]),
                None if key is None else key.decode("utf-8", "replace"),
                decoded(each.get("value")),
                arrived / 1000.0 if isinstance(arrived, int) else None,
                {"partition": partition, "offset": each["offset"]},
            )


def _record(log: str, offset: int, key: Any, payload: bytes | None, arrived: Any, identifier: Any) -> LogRecord:
    has_key, has_time = isinstance(key, str) and bool(key), isinstance(arrived, int | float)
    problem = "no_payload" if payload is None else "no_key" if not has_key else "" if has_time else "no_time"
    return LogRecord(
        log, offset, key if has_key else "", payload or b"", float(arrived) if has_time else 0.0, identifier, problem
    )
