"""Gaps: events that report lost data: what is missing, how much, and for which period.

All data lost to a limit, a disk fault or a broker without persistence is reported to subscribers, by an event that no
limit drops.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from edge.core.incidents.events.event import Event, Model, SeverityText, Timestamp, encoded, timestamp
from edge.core.model.notation.json_schema import json_schema_of

SCHEMA_NAME = "urn:edgewarden:gap:v1"
TRANSITION = "gap"
SEVERITY = 750

Reason = Literal[
    "outbox_events",
    "outbox_bytes",
    "outbox_days",
    "free_disk",
    "store_damaged",
    "session_lost",
    "receive_limit",
    "client_id_in_use",
    "clock_doubted",
    "sink_events",
    "sink_bytes",
    "sink_days",
    "sink_free_disk",
    "forward_journal",
]
What = Literal["events", "readings"]

WORDS: dict[str, str] = {
    "outbox_events": "more waited for delivery than store.outbox_events allows",
    "outbox_bytes": "more waited for delivery than store.outbox_bytes allows",
    "outbox_days": "they had waited for longer than store.outbox_days",
    "free_disk": "less disk was free than store.free_disk_bytes",
    "store_damaged": "the store's file was damaged",
    "session_lost": "the broker had forgotten our session",
    "receive_limit": "messages of QoS 0 came faster than they could be taken",
    "client_id_in_use": "another client with our client id was connected and was given them",
    "clock_doubted": "they were refused as ahead of our clock, and nothing shows whether it is wrong or theirs",
    "sink_events": "more waited for this sink than its outbox_events allows",
    "sink_bytes": "more waited for this sink than its outbox_bytes allows",
    "sink_days": "they had waited for longer than the sink's outbox_days",
    "sink_free_disk": "less disk was free than store.free_disk_bytes",
    "forward_journal": "more waited to be forwarded than store.journal_days and store.journal_bytes keep",
}


class Gap(NamedTuple):
    """Lost data.

    Attributes:
        what: Events dropped before delivery, or readings that were never received.
        reason: The reason, a word of the event schema.
        number: How many are missing; None if unknown.
        first: Start of the period, seconds since the epoch, UTC; None if unknown.
        last: End of the period.
        severities: For dropped events, the number of each severity text.
        detail: Additional detail for people.
        sink: The affected sink; empty for the broker, or for all.
    """

    what: What
    reason: Reason
    number: int | None = None
    first: float | None = None
    last: float | None = None
    severities: dict[str, int] = {}  # noqa: RUF012 - never changed
    detail: str = ""
    sink: str = ""

    def joined(self, other: Gap) -> Gap:
        """Merge two gaps with the same reason; the number is known if both are."""
        severities = dict(self.severities)
        for name, number in other.severities.items():
            severities[name] = severities.get(name, 0) + number
        firsts = [each for each in (self.first, other.first) if each is not None]
        lasts = [each for each in (self.last, other.last) if each is not None]
        return self._replace(
            number=None if self.number is None or other.number is None else self.number + other.number,
            first=min(firsts, default=None),
            last=max(lasts, default=None),
            severities=severities,
            detail=other.detail or self.detail,
        )


class GapData(Model, kw_only=True):
    """What is missing."""

    what: Annotated[
        What, Meta(description="Events that were dropped undelivered, or readings that were never received")
    ]
    reason: Annotated[Reason, Meta(description="Why it is missing")]
    sink: Annotated[
        str | None, Meta(description="The sink at which they are missing; null if no sink's limit was reached")
    ] = None
    count: Annotated[int | None, Meta(description="Number; null if unknown")]
    severities: Annotated[dict[str, int], Meta(description="For dropped events, the number of each severitytext")]
    first: Annotated[Timestamp | None, Meta(description="Time of the earliest missing one; null if unknown")]
    last: Annotated[Timestamp | None, Meta(description="Time of the latest missing one; null if unknown")]
    message: Annotated[str, Meta(description="A sentence for people to read")]


class GapEvent(Model, kw_only=True):
    """One CloudEvents 1.0 event that says that something is missing."""

    specversion: Annotated[Literal["1.0"], Meta(description="Version of CloudEvents")] = "1.0"
    id: Annotated[str, Meta(min_length=1, description="Identifies the event; a redelivery repeats it")]
    source: Annotated[str, Meta(pattern=r"^/edgewarden/", description="`/edgewarden/` and the gateway's name")]
    type: Annotated[Literal["io.edgewarden.gap.v1"], Meta(description="A gap, and the version of this schema")] = (
        "io.edgewarden.gap.v1"
    )
    time: Annotated[Timestamp, Meta(description="When it was noticed, by the gateway's clock")]
    sequence: Annotated[str, Meta(pattern=r"^\d{20}$", description="Orders the events of a gateway")]
    severitytext: Annotated[SeverityText, Meta(description="A word for the severity")] = "ERROR"
    severitynumber: Annotated[int, Meta(ge=1, le=24, description="OpenTelemetry severity number")] = 17
    datacontenttype: Annotated[Literal["application/json"], Meta(description="Media type of `data`")] = (
        "application/json"
    )
    dataschema: Annotated[str, Meta(description="Identifies the schema of `data`")] = SCHEMA_NAME
    data: GapData


def gap_event(gateway: str, topic: str, gap: Gap, sequence: int, now: float) -> Event:
    """Create the event of a gap, ready to be stored and published."""
    message = gap_sentence(gap)
    identity = hashlib.blake2b(f"{gateway}\n{sequence}\n{now!r}\n{gap.reason}".encode(), digest_size=8).hexdigest()
    event = GapEvent(
        id=f"{identity}-{TRANSITION}",
        source=f"/edgewarden/{gateway}",
        time=timestamp(now),
        sequence=f"{sequence:020d}",
        data=GapData(
            what=gap.what,
            reason=gap.reason,
            sink=gap.sink or None,
            count=gap.number,
            severities=gap.severities,
            first=None if gap.first is None else timestamp(gap.first),
            last=None if gap.last is None else timestamp(gap.last),
            message=message,
        ),
    )
    payload = encoded(event)
    return Event(sequence, event.id, "", topic, now, identity, TRANSITION, TRANSITION, SEVERITY, message, payload)


def gap_sentence(gap: Gap) -> str:
    """The gap as a sentence for people."""
    count = "An unknown number of" if gap.number is None else f"{gap.number:,}"
    what = gap.what if gap.number != 1 else gap.what.removesuffix("s")
    verb = "is" if gap.number == 1 else "are"
    span = ""
    if gap.first is not None and gap.last is not None:
        span = f" from {timestamp(gap.first)} to {timestamp(gap.last)}"
    parts = ", ".join(f"{number:,} {name}" for name, number in gap.severities.items())
    kinds = f" ({parts})" if parts else ""
    detail = f"; {gap.detail}" if gap.detail else ""
    place = f" at the sink {gap.sink}" if gap.sink else ""
    return f"{count} {what}{kinds} {verb} missing{place}{span}: {WORDS[gap.reason]}{detail}"


def gap_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every gap event."""
    return json_schema_of(GapEvent, SCHEMA_NAME)
