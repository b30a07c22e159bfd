"""The truth about a simulated plant: which sensor had which fault from when to when, and who found it.

A fault is one JSON object, in the order in which faults start:

    {"type": "fault", "sensor": "plant/line1/pump1/pressure", "kind": "spike", "start": 1700000000.0,
     "end": 1700000000.0, "size": 14.2, "sentence": "..."}

Times are those of the first and the last reading that the fault changes or swallows, seconds since the epoch,
UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec

from simulators.signals.label import FAULT_KINDS, Fault

TOPIC = "edgewarden-simulator/truth"

ROUNDING_S = 0.001
"""Events carry times in milliseconds; what differs by less is the same time."""


class TruthSummary(msgspec.Struct, frozen=True, tag="summary", tag_field="type"):
    """The summary of a run; the last line of the truth.

    Attributes:
        sensors: Sensors that the plant has.
        readings: Readings that were published.
        faults: Faults that had started when the run ended.
        start: Start of the run in plant time, in seconds since the epoch, UTC.
        end: Time of the last reading; `start` if there was none.
        seed: The seed that the plant and its faults follow from.
    """

    sensors: int
    readings: int
    faults: int
    start: float
    end: float
    seed: int

    def to_json(self) -> bytes:
        """One line of JSON, without its end."""
        return msgspec.json.encode(self)


_decoder: msgspec.json.Decoder[Fault | TruthSummary] = msgspec.json.Decoder(Fault | TruthSummary)


class TruthError(ValueError):
    """Something that should be a line of truth isn't."""


def from_json(line: bytes | str) -> Fault | TruthSummary:
    """Read one line of truth.

    Raises:
        TruthError: It is neither a fault nor a summary.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TruthError(f"no line of truth: {error}") from error


def read_truth(lines: Iterable[bytes | str]) -> list[Fault]:
    """The faults among lines of truth, such as an open file's; empty lines and summaries are left out.

    Raises:
        TruthError: A line can't be read; names its number.
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
        TruthError: A line can't be read.
    """
    found = [from_json(line) for line in lines if line.strip()]
    return next((each for each in reversed(found) if isinstance(each, TruthSummary)), None)


class Raised(NamedTuple):
    """An incident as a judge sees it.

    Attributes:
        sensor: Name of the sensor, as in the truth.
        raised: Time at which it was raised, in seconds since the epoch, UTC.
        cleared: Time at which it was cleared; None while it is open.
        kind: Kind of the incident.
    """

    sensor: str
    raised: float
    cleared: float | None
    kind: str


class FaultVerdict(NamedTuple):
    """The outcome of a fault.

    Attributes:
        fault: The fault.
        found: The first incident raised within it, or None.
        delay_s: Seconds from its start until then, or None.
    """

    fault: Fault
    found: Raised | None
    delay_s: float | None


class Tally(NamedTuple):
    """Faults counted: injected = found + missed."""

    injected: int
    found: int
    missed: int


class Comparison(NamedTuple):
    """The outcome of matching incidents with the faults.

    Attributes:
        verdicts: One for each fault, in their order.
        false: Incidents that touch no fault and its aftermath.
        early: Incidents that were open already when a fault began; neither found nor false.
        late: Incidents raised when a fault's grace was over, in its aftermath; neither found nor false.
        all: Every fault.
        claimed: Those of the kinds that the detectors claim to catch.
        unclaimed: The rest.
    """

    verdicts: tuple[FaultVerdict, ...]
    false: tuple[Raised, ...]
    early: tuple[Raised, ...]
    late: tuple[Raised, ...]
    all: Tally
    claimed: Tally
    unclaimed: Tally


def compare(
    faults: Iterable[Fault],
    incidents: Iterable[Raised],
    *,
    claimed: Collection[str] = FAULT_KINDS,
    grace_s: float = 600.0,
    recovery_s: float = 3600.0,
) -> Comparison:
    """Match incidents to faults.

    Args:
        faults: The truth.
        incidents: The incidents that the service has raised.
        claimed: Kinds of faults that the detectors say they catch.
        grace_s: Grace period in seconds: a fault is found by an incident raised from its start to this long after its
            end.
        recovery_s: An incident that is open at any time from a fault's start to so long after its end isn't
            false: coming back from a fault is a change as well. Never less than the grace.
    """
    recovery_s = max(grace_s, recovery_s)
    by_sensor: dict[str, list[Raised]] = {}
    for incident in sorted(incidents, key=lambda each: each.raised):
        by_sensor.setdefault(incident.sensor, []).append(incident)
    faults = list(faults)
    windows: dict[str, list[Fault]] = {}
    verdicts = []
    for fault in faults:
        windows.setdefault(fault.sensor, []).append(fault)
        raised = by_sensor.get(fault.sensor, ())
        found = next((each for each in raised if _raised_within(each, fault, grace_s)), None)
        delay = None if found is None else max(0.0, found.raised - fault.start)
        verdicts.append(FaultVerdict(fault, found, delay))
    judged: dict[str, list[Raised]] = {"found": [], "late": [], "early": [], "false": []}
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


def _raised_within(incident: Raised, fault: Fault, after_s: float) -> bool:
    return fault.start - ROUNDING_S <= incident.raised <= fault.end + after_s + ROUNDING_S


def _judge(incident: Raised, faults: Iterable[Fault], grace_s: float, recovery_s: float) -> str:
    faults = tuple(faults)
    if any(_raised_within(incident, each, grace_s) for each in faults):
        return "found"
    if any(_raised_within(incident, each, recovery_s) for each in faults):
        return "late"
    open_later = (
        incident.cleared is None or incident.cleared >= each.start for each in faults if incident.raised < each.start
    )
    return "early" if any(open_later) else "false"


def _tally(verdicts: Iterable[FaultVerdict]) -> Tally:
    found = [each.found is not None for each in verdicts]
    return Tally(len(found), sum(found), len(found) - sum(found))
