"""Sources: the services that invoke the function, their records, and how failures are reported to them.

An AWS IoT rule delivers one event and retries an invocation that raises. Kinesis, Kafka and SQS deliver batches and
accept a list of failed records. Amazon MQ delivers batches that can only fail as a whole.

Source: AWS Lambda Developer Guide, "Invoking Lambda with events from other AWS services", and of each service its
"Reporting batch item failures".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

Invocation = Mapping[str, Any]
"""The event that Lambda passes to its function."""


class UnknownSourceError(Exception):
    """The function was invoked by an unknown service."""


class Record(NamedTuple):
    """One message of a batch.

    Attributes:
        payload: Payload; None if it can't be read.
        lane: A shard or partition, whose records must be handled in order; empty for none.
        identifier: The source's identifier for reporting a failure.
        headers: Headers from Kafka, in lower case.
    """

    payload: bytes | None
    lane: str
    identifier: Any
    headers: Mapping[str, str] = {}


class LambdaSource(NamedTuple):
    """A service that delivers records.

    Attributes:
        name: Name for the log.
        matches: Whether an invocation comes from it.
        records: The records of an invocation, in order.
        reports: Failures to report: the first of each lane, since the rest of the lane is delivered again anyway; all;
            or none, so that the invocation fails as a whole.
    """

    name: str
    matches: Callable[[Invocation], bool]
    records: Callable[[Invocation], Iterator[Record]]
    reports: Literal["first", "every", "none"]


def source_of(invocation: Any) -> LambdaSource:
    """The service that made an invocation.

    Raises:
        UnknownSourceError: It is unknown.
    """
    if isinstance(invocation, Mapping):
        for source in SOURCES:
            if source.matches(invocation):
                return source
        keys = ", ".join(sorted(map(str, invocation))[:10])
        raise UnknownSourceError(
            f"an invocation with the keys {keys}: none of {', '.join(each.name for each in SOURCES)}"
        )
    raise UnknownSourceError(f"an invocation that is a {type(invocation).__name__}, not an object")


def decoded(text: object) -> bytes | None:
    """Decode base64 text."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except binascii.Error:
        return None


def first_source(invocation: Invocation) -> object:
    """The `eventSource` of the first record."""
    records = invocation.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    return first.get("eventSource") if isinstance(first, Mapping) else None


def _kinesis(invocation: Invocation) -> Iterator[Record]:
    for each in invocation["Records"]:
        kinesis = each.get("kinesis", {})
        shard = str(each.get("eventID", "")).partition(":")[0]
        yield Record(decoded(kinesis.get("data")), shard, kinesis.get("sequenceNumber"))


def _sqs(invocation: Invocation) -> Iterator[Record]:
    for each in invocation["Records"]:
        body = each.get("body")
        lane = str(each.get("attributes", {}).get("MessageGroupId", ""))
        yield Record(body.encode() if isinstance(body, str) else None, lane, each.get("messageId"))


def _kafka(invocation: Invocation) -> Iterator[Record]:
    for partition, records in invocation["records"].items():
        for each in records:
            headers = {
                str(name).lower(): bytes(each % 256 for each in value).decode("utf-8", "replace")
                for header in each.get("headers") or ()
                for name, value in header.items()
            }
            identifier = {"partition": partition, "offset": each.get("offset")}
            yield Record(decoded(each.get("value")), partition, identifier, headers)


def _rabbitmq(invocation: Invocation) -> Iterator[Record]:
    for queue, messages in invocation["rmqMessagesByQueue"].items():
        for each in messages:
            yield Record(decoded(each.get("data")), queue, each.get("basicProperties", {}).get("messageId"))


def _activemq(invocation: Invocation) -> Iterator[Record]:
    for each in invocation["messages"]:
        yield Record(decoded(each.get("data")), str(each.get("destination", "")), each.get("messageID"))


def _iot_rule(invocation: Invocation) -> Iterator[Record]:
    if isinstance(invocation.get("payload"), str):
        yield Record(decoded(invocation["payload"]), "", None)
    else:
        yield Record(json.dumps(invocation).encode(), "", invocation.get("id"))


KAFKA = frozenset({"aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"})

SOURCES = (
    LambdaSource("kinesis", lambda each: first_source(each) == "aws:kinesis", _kinesis, "first"),
    LambdaSource("sqs", lambda each: first_source(each) == "aws:sqs", _sqs, "every"),
    LambdaSource("kafka", lambda each: each.get("eventSource") in KAFKA and "records" in each, _kafka, "first"),
    LambdaSource(
        "rabbitmq",
        lambda each: each.get("eventSource") == "aws:rmq" and "rmqMessagesByQueue" in each,
        _rabbitmq,
        "none",
    ),
    LambdaSource(
        "activemq", lambda each: each.get("eventSource") == "aws:mq" and "messages" in each, _activemq, "none"
    ),
    LambdaSource("iot_rule", lambda each: "specversion" in each or "payload" in each, _iot_rule, "none"),
)
"""All supported services; the first that matches is used."""
