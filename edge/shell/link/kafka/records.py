"""Records: converts Kafka records to messages.

The Kafka topic is the first level of a message's topic, and the record's key is the rest. The record's timestamp
becomes the time of arrival, so that reading the record again gives the same message. A timestamp that is missing or in
the future is replaced by the current time.

Kafka stores the read position, so messages have QoS 0: `receipt` is the number of the partition in the ledger, `packet`
is the offset.
"""

from __future__ import annotations

from typing import Protocol

from edge.core.model.readings.messages import Message

LONGEST_KEY = 60_000
"""Maximum length of a key in bytes; an MQTT topic can hardly be longer."""

SET_SINCE = 946_684_800.0
"""Earlier timestamps, before 2000, come from a clock that was never set."""


Headers = dict[str, str | bytes | None] | list[tuple[str, str | bytes | None]] | None


class FetchedRecord(Protocol):
    """The part of a client's record that is used here."""

    def topic(self) -> str | None:
        """The Kafka topic."""

    def offset(self) -> int | None:
        """The offset in its partition."""

    def key(self) -> bytes | None:
        """The key; None if it has none."""

    def value(self) -> bytes | None:
        """The value; None for a deletion."""

    def headers(self) -> Headers:
        """The headers."""

    def timestamp(self) -> tuple[int, int]:
        """The type of the timestamp, and the timestamp in milliseconds since the epoch; -1 if there is none."""


def as_message_of(record: FetchedRecord, receipt: int, now: float) -> Message:
    """Convert a record to a message.

    Args:
        record: The record.
        receipt: Number of its partition in the ledger.
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


def time_of(stamp: float, now: float) -> float:
    """The time of a record's arrival, seconds since the epoch, given its timestamp."""
    if stamp <= SET_SINCE or (stamp > now > SET_SINCE):
        return now
    return stamp


def _content_type(headers: Headers) -> str:
    for name, value in headers.items() if isinstance(headers, dict) else headers or ():
        if name.lower() == "content-type" and value:
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return ""
