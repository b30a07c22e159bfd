"""The truth about a simulated plant: the faults of each sensor with their times, and whether they were found.

A fault is one JSON object; faults are in order of their starts:

    {"type": "fault", "sensor": "plant/line1/pump1/pressure", "kind": "spike", "start": 1700000000.0,
     "end": 1700000000.0, "size": 14.2, "sentence": "..."}

Times are those of the first and last reading that the fault changes or suppresses, seconds since the epoch, UTC.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

from edge.reports.found import is_within, was_open_before
from simulators.signals.label import FAULT_KINDS, Fault

TOPIC = "edgewarden-simulator/truth"


class TruthSummary(msgspec.Struct, frozen=True, tag="summary", tag_field="type"):
    """The summary of a run; the last line of the truth.

    Attributes:
        sensors: Number of sensors in the plant.
        readings: Number of published readings.
        faults: Number of faults that had started by the end of the run.
        start: Start of the run in plant time, in seconds since the epoch, UTC.
        end: Time of the last reading; `start` if there was none.
        seed: Seed of the plant and its faults.
    """

    sensors: int
    readings: int
    faults: int
    start: float
    end: float
    seed: int

    def to_json(self) -> bytes:
        """Encode as one line of JSON, without a line end."""
        return msgspec.json.encode(self)


_decoder: msgspec.json.Decoder[Fault | TruthSummary] = msgspec.json.Decoder(Fault | TruthSummary)


class TruthError(ValueError):
    """A line isn't valid truth."""


def from_json(line: bytes | str) -> Fault | TruthSummary:
    """Read one line of truth.

    Raises:
        TruthError: It is neither a fault nor a summary.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TruthError(f"not a line of truth: {error}") from error


def read_truth(lines: Iterable[bytes | str]) -> list[Fault]:
    """The faults in lines of truth, such as an open file's; empty lines and summaries are ignored.

    Raises:
        TruthError: A line is invalid; the message contains its number.
    """
    faults = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = from_json(line)
        except TruthError as error:
            raise TruthError(f"line {number}: {error}") from error
        if isinstance(found, Fault):
            faults.append(found)
    return faults


def read_summary(lines: Iterable[bytes | str]) -> TruthSummary | None:
    """The last summary among lines of truth; None if there is none, as for a run in progress.

    Raises:
        TruthError: A line is invalid.
    """
    found = [from_json(line) for line in lines if line.strip()]
    return next((each for each in reversed(found) if isinstance(each, TruthSummary)), None)


class RaisedIncident(NamedTuple):
    """An incident for the comparison.

    Attributes:
        sensor: Name of the sensor, as in the truth.
        raised: Time at which it was raised, in seconds since the epoch, UTC.
        cleared: Time at which it was cleared; None while it is open.
        kind: Kind of the incident.
        joined: Times of updates by which a new kind of condition joined it.
    """

    sensor: str
    raised: float
    cleared: float | None
    kind: str
    joined: tuple[float, ...] = ()

    @property
    def ended(self) -> float:
        """Time at which it was cleared; infinite while it is open."""
        return math.inf if self.cleared is None else self.cleared


class FaultVerdict(NamedTuple):
    """The outcome of a fault.

    Attributes:
        fault: The fault.
        found: The first incident raised within it, else one that was open already and was updated with a new kind of
            condition within it, or None.
        delay_s: Seconds from its start until it was found, or None.
    """

    fault: Fault
    found: RaisedIncident | None
    delay_s: float | None


class Tally(NamedTuple):
    """Counts of faults: injected = found + missed."""

    injected: int
    found: int
    missed: int


class Comparison(NamedTuple):
    """The outcome of matching incidents with the faults.

    Attributes:
        verdicts: One for each fault, in order.
        false: Number of incidents outside of all faults and their aftermath.
        early: Number of incidents already open when a fault began, which are not false.
        late: Number of incidents raised in the aftermath of a fault after its grace period, which are neither found nor
            false.
        all: Counts for all faults.
        claimed: Counts for the kinds that the detectors claim to catch.
        unclaimed: Counts for the other kinds.
    """

    verdicts: tuple[FaultVerdict, ...]
    false: tuple[RaisedIncident, ...]
    early: tuple[RaisedIncident, ...]
    late: tuple[RaisedIncident, ...]
    all: Tally
    claimed: Tally
    unclaimed: Tally


def compare(
    faults: Iterable[Fault],
    incidents: Iterable[RaisedIncident],
    *,
    claimed: Collection[str] = FAULT_KINDS,
    grace_s: float = 600.0,
    recovery_s: float = 3600.0,
) -> Comparison:
    """Match incidents to faults.

    Args:
        faults: The truth.
        incidents: The incidents that the service has raised.
        claimed: Kinds of faults that the detectors claim to catch.
        grace_s: Grace period in seconds: a fault is found by an incident raised from its start to this long after its
            end, or by a new kind of condition that joins an incident which was open already, until its end.
        recovery_s: An incident open at any time from a fault's start to this long after its end isn't false, because
            the return is also a change. At least the grace period.
    """
    recovery_s = max(grace_s, recovery_s)
    by_sensor: dict[str, list[RaisedIncident]] = {}
    for incident in sorted(incidents, key=lambda each: each.raised):
        by_sensor.setdefault(incident.sensor, []).append(incident)
    faults = list(faults)
    windows: dict[str, list[Fault]] = {}
    verdicts = []
    for fault in faults:
        windows.setdefault(fault.sensor, []).append(fault)
        raised = by_sensor.get(fault.sensor, ())
        verdicts.append(_verdict(fault, raised, grace_s))
    judged: dict[str, list[RaisedIncident]] = {"found": [], "late": [], "early": [], "false": []}
    for sensor, raised_there in by_sensor.items():
        for incident in raised_there:
            judged[_judge(incident, windows.get(sensor, ()), grace_s, recovery_s)].append(incident)
    return Comparison(
        tuple(verdicts),
        tuple(judged["false"]),
        tuple(judged["early"]),
        tuple(judged["late"]),
        _tally(verdicts),
        _tally(each for each in verdicts if each.fault.kind in claimed),
        _tally(each for each in verdicts if each.fault.kind not in claimed),
    )


def _verdict(fault: Fault, incidents: Sequence[RaisedIncident], grace_s: float) -> FaultVerdict:
    """The outcome of a fault, from its sensor's incidents in order of their starts."""
    first = next(((each.raised, each) for each in incidents if is_within(each.raised, fault, grace_s)), None)
    if first is None:
        open_before = [each for each in incidents if was_open_before(each.raised, each.ended, fault)]
        joined = [(time, each) for each in open_before for time in each.joined if is_within(time, fault)]
        first = min(joined, key=lambda each: each[0], default=None)
    if first is None:
        return FaultVerdict(fault, None, None)
    time, incident = first
    return FaultVerdict(fault, incident, max(0.0, time - fault.start))


def _judge(incident: RaisedIncident, faults: Iterable[Fault], grace_s: float, recovery_s: float) -> str:
    faults = tuple(faults)
    if any(is_within(incident.raised, each, grace_s) for each in faults):
        return "found"
    if any(is_within(incident.raised, each, recovery_s) for each in faults):
        return "late"
    return "early" if any(was_open_before(incident.raised, incident.ended, each) for each in faults) else "false"


def _tally(verdicts: Iterable[FaultVerdict]) -> Tally:
    found = [each.found is not None for each in verdicts]
    return Tally(len(found), sum(found), len(found) - sum(found))
