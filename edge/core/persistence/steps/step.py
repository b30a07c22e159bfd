"""Steps: what came of some messages, to be committed as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.core.incidents.events.event import Event
from edge.core.intake.sparkplug.rebirths import Request
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.persistence.journal import Part


@dataclass(slots=True)
class Step:
    """The outcome of some messages; it is committed as a whole.

    Attributes:
        events: In the gateway's order.
        dead_letters: The dead letters.
        retained: The latest payload of each retained topic that changed.
        answers: The results of commands.
        journal: The journal entry, which is replayed after a restart; or None.
        requests: Requests to senders, to be published on the broker that the messages came from.
        held: Messages of which nothing was taken, as it isn't decided whose clock is wrong, the sender's or our own;
            see `plausible_times.py`. They must not be acknowledged, and are to be given again later.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    journal: Part | None = None
    requests: list[Request] = field(default_factory=list)
    held: list[Message] = field(default_factory=list)
