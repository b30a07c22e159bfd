"""The verdict: the events that a consumer received, compared with those of an offline run over the same readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from listener import Arrival, read_event

from config.loading import load
from edge.core.model.readings.messages import Reading
from edge.shell.service.assembly.parts import make_pipeline

CHUNK = 2000

COUNTS = ("tried", "expected", "received", "lost", "doubled", "again")

Truth = dict[str, Arrival]


@dataclass
class Outcome:
    """The outcome of one fault.

    Attributes:
        tried: Number of repetitions.
        expected: Number of expected events, or of readings where the fault is about those.
        received: Number of different ones that were received.
        lost: Those that never came.
        doubled: Number of those that should not exist, or were repeated with other content.
        again: Number of repeated deliveries with the same id and content.
        recoveries: Seconds from the end of a fault to the next new event.
        reasons: Other problems.
        note: A note for the reader.
    """

    tried: int
    expected: int = 0
    received: int = 0
    lost: int = 0
    doubled: int = 0
    again: int = 0
    recoveries: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not (self.lost or self.doubled or self.reasons)

    def demand(self, condition: object, reason: str) -> None:
        """Record a problem unless the condition holds."""
        if not condition:
            self.reasons.append(reason)

    def joined(self, other: Outcome) -> Outcome:
        """The outcome of both."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        recoveries, reasons = self.recoveries + other.recoveries, self.reasons + other.reasons
        return Outcome(**counts, recoveries=recoveries, reasons=reasons, note=other.note or self.note)


def offline(configuration: Path, readings: Sequence[Reading]) -> Truth:
    """The events of an offline run over readings, by id."""
    pipeline = make_pipeline(load(configuration))
    truth: Truth = {}
    for begin in range(0, len(readings), CHUNK):
        for event in pipeline.process_readings(readings[begin : begin + CHUNK]).events:
            truth[event.id] = read_event(event.payload)
    return truth


def compare(truth: Truth, arrivals: Sequence[Arrival], outcome: Outcome) -> None:
    """Compare all deliveries with the truth, and record the result in the outcome."""
    first: dict[str, Arrival] = {}
    changed: set[str] = set()
    for each in arrivals:
        if first.setdefault(each.id, each).substance != each.substance:
            changed.add(each.id)
    outcome.expected += len(truth)
    outcome.received += len(first)
    outcome.lost += len(truth.keys() - first.keys())
    outcome.doubled += len(first.keys() - truth.keys()) + len(changed)
    outcome.again += len(arrivals) - len(first) - len(changed)
    unlike = sum(1 for each in first.values() if each.id in truth and truth[each.id].substance != each.substance)
    outcome.demand(unlike == 0, f"{unlike} events differ from those of the offline run")
    numbers = {each.sequence for each in first.values()}
    outcome.demand(len(numbers) == len(first), "two events have one sequence number")
    outcome.demand(not out_of_order(first.values()), "events of an incident came out of order")


def out_of_order(arrivals: Iterable[Arrival]) -> int:
    """Number of events that arrived after a later one of the same incident."""
    latest: dict[str, int] = {}
    wrong = 0
    for each in arrivals:
        wrong += each.sequence < latest.get(each.incident, 0)
        latest[each.incident] = max(each.sequence, latest.get(each.incident, 0))
    return wrong
