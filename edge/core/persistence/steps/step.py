"""Steps: the outcome of messages, to be committed as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.core.incidents.events.event import Event
from edge.core.intake.sparkplug.rebirths import Request
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.persistence.journal import Part


@dataclass(slots=True)
class Step:
    """The outcome of messages, committed as a whole.

    Attributes:
        events: Events in the gateway's sequence.
        dead_letters: The dead letters.
        retained: Latest payload of each changed retained topic.
        answers: The results of commands.
        journal: The journal entry to replay after a restart, or None.
        requests: Requests to senders, to be published on the broker of the messages.
        held: Messages that weren't processed because it is undecided whether the sender's or the gateway's clock is
        wrong; see `plausible_times.py`. They must not be acknowledged, and must be passed again later.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    journal: Part | None = None
    requests: list[Request] = field(default_factory=list)
    held: list[Message] = field(default_factory=list)
