"""Records: from what a Kafka topic holds to messages, as they would come over MQTT.

The Kafka topic is the first level of a message's topic, and the record's key is the rest. The time of the record stands
for that of arrival, so that reading it again later gives the same message. Where the time is missing or lies ahead of
our clock, as only its producer's clock can say so, it is our own.

Kafka remembers how far we have read, so its messages are of QoS 0 to the core: `receipt` is the number under which the
ledger knows the partition, `packet` the offset.
"""

from __future__ import annotations

from typing import Protocol

from edge.core.model.readings.messages import Message

LONGEST_KEY = 60_000
"""Bytes of a key that are read; a topic of MQTT has hardly more."""

SET_SINCE = 946_684_800.0
"""A clock that says an earlier time, before 2000, was never set."""


Headers = dict[str, str | bytes | None] | list[tuple[str, str | bytes | None]] | None


class FetchedRecord(Protocol):
    """The part of a client's record that is read."""

    def topic(self) -> str | None:
        """Its topic."""

    def offset(self) -> int | None:
        """Its place in its partition."""

    def key(self) -> bytes | None:
        """Its key, if it has one."""

    def value(self) -> bytes | None:
        """Its value; None for a deletion."""

    def headers(self) -> Headers:
        """Its headers."""

    def timestamp(self) -> tuple[int, int]:
        """The kind of its time, and the time in milliseconds since the epoch; -1 for none."""


def as_message_of(record: FetchedRecord, receipt: int, now: float) -> Message:
    """A record as a message.

    Args:
        record: The record.
        receipt: Number of its partition.
        now: The current time, seconds since the epoch.
    """
    key = record.key()
    topic = record.topic() or ""
    return Message(
        f"{topic}/{key[:LONGEST_KEY].decode('utf-8', 'replace')}" if key else topic,
        record.value() or b"",
        time_of(record.timestamp()[1] / 1000, now),
        receipt=receipt,
        packet=record.offset() or 0,
        content_type=_content_type(record.headers()),
    )


def time_of(said: float, now: float) -> float:
    """When a record came, seconds since the epoch, by the time that it says."""
    if said <= SET_SINCE or (said > now > SET_SINCE):
        return now
    return said


def _content_type(headers: Headers) -> str:
    for name, value in headers.items() if isinstance(headers, dict) else headers or ():
        if name.lower() == "content-type" and value:
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return ""
