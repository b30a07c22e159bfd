"""Judging field cases: whether and when what was wanted was reported, and how much else was.

Something wanted is

- *found* if an incident of its sensor is raised in time; or if one that was open before is updated in time with a kind
  of condition that it hadn't told before;
- *late* if that happens after `within_s`, but before it is over;
- *masked* if an incident was open all the time and told nothing new;
- *missed* otherwise.

An incident *quits* if it ends early: when more than a quarter of its cause, and more than an hour, is still to come.
Every incident that is about nothing wanted is *unwanted*. One *contradicts itself* if its value lies within the range
that it says was expected.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from edge.core.incidents.events.event import Event
from edge.evaluation.field_cases import Wanted

Verdict = Literal["found", "late", "masked", "missed"]
VERDICTS: tuple[Verdict, ...] = ("found", "late", "masked", "missed")

SLACK_S = 1.0
"""An incident may begin this much before its cause: labels are rounded."""

AFTER_S = 600.0
"""An incident may begin this long after its cause's end, as it takes some readings to be raised."""

STILL_TO_COME, QUIT_S = 0.25, 3600.0
LEARNING_S = 3 * 86_400.0
"""Unwanted incidents of a plant's first three days are counted separately."""

WITHOUT_RANGE = frozenset({"missing", "correlation"})
"""Kinds whose value isn't compared with the range that is quoted."""


@dataclass
class ToldIncident:
    """An incident as its events told it.

    Attributes:
        sensor: Name of the sensor, device or group.
        raised: When it was raised, in seconds since the epoch, UTC.
        message: The first sentence about it.
        severity: The highest severity published.
        contradicts: Whether its first event contradicts itself.
        ended: When it ended; infinite if it is still open.
        sensors: The sensors that it lists.
        kinds: When each kind of condition was told first.
    """

    sensor: str
    raised: float
    message: str
    severity: int
    contradicts: bool
    ended: float = math.inf
    sensors: set[str] = field(default_factory=set)
    kinds: dict[str, float] = field(default_factory=dict)

    def is_about(self, sensor: str) -> bool:
        """Whether it is about a sensor: it is its own, its device's, whose name ends in a slash, or lists it."""
        if fnmatchcase(self.sensor, sensor) or (self.sensor.endswith("/") and sensor.startswith(self.sensor)):
            return True
        return any(fnmatchcase(each, sensor) for each in self.sensors)


class ToldIncidents:
    """Collects the incidents of a run.

    Attributes:
        incidents: In the order in which they were raised.
    """

    def __init__(self) -> None:
        self.incidents: list[ToldIncident] = []
        self._by_id: dict[str, ToldIncident] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Record events."""
        for event in events:
            data = msgspec.json.decode(event.payload)["data"]
            if event.transition == "raised":
                incident = ToldIncident(
                    event.sensor, event.time, event.message, event.severity, contradicts_itself(data)
                )
                self.incidents.append(incident)
                self._by_id[event.incident] = incident
            known = self._by_id.get(event.incident)
            if known is None:
                continue
            known.severity = max(known.severity, event.severity)
            known.sensors.update(data["sensors"])
            for kind in (data["kind"], *(each["kind"] for each in data["conditions"])):
                known.kinds.setdefault(kind, event.time)
            if event.transition in {"cleared", "expired"}:
                known.ended = event.time


@dataclass(frozen=True)
class JudgedWindow:
    """What became of something wanted.

    Attributes:
        wanted: The label.
        verdict: The outcome.
        delay_s: Seconds from its start until it was told; NaN if it wasn't.
        quits: Whether its incidents ended early.
        message: The sentence that told it; empty if there is none.
        severity: The highest severity of its first incident; 0 without one.
    """

    wanted: Wanted
    verdict: Verdict
    delay_s: float = math.nan
    quits: bool = False
    message: str = ""
    severity: int = 0


@dataclass
class JudgedCase:
    """The outcome of a case; outcomes add up.

    Attributes:
        windows: What became of everything wanted.
        unwanted: Incidents about nothing wanted.
        unwanted_later: Number of these after the first three days.
        open_h: Hours during which these were open.
        incidents: Number of all incidents.
        contradictions: Number of these that contradict themselves.
        sensor_days: Length of the case times its sensors, in days.
        later_days: The same after the first three days.
    """

    windows: list[JudgedWindow] = field(default_factory=list)
    unwanted: list[ToldIncident] = field(default_factory=list)
    unwanted_later: int = 0
    open_h: float = 0.0
    incidents: int = 0
    contradictions: int = 0
    sensor_days: float = 0.0
    later_days: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """Number of wanted windows with this outcome."""
        return sum(each.verdict == verdict for each in self.windows)

    @property
    def quits(self) -> int:
        """Number of wanted windows whose incidents ended early."""
        return sum(each.quits for each in self.windows)

    def add(self, other: JudgedCase) -> None:
        """Add another case."""
        self.windows += other.windows
        self.unwanted += other.unwanted
        self.unwanted_later += other.unwanted_later
        self.open_h += other.open_h
        self.incidents += other.incidents
        self.contradictions += other.contradictions
        self.sensor_days += other.sensor_days
        self.later_days += other.later_days


def judge(
    wanted: Sequence[Wanted], told: Sequence[ToldIncident], sensors: int, first: float, last: float
) -> JudgedCase:
    """Compare what was told with what was wanted.

    Args:
        wanted: What should be reported.
        told: The incidents, in the order in which they were raised.
        sensors: Number of the case's sensors.
        first: Time of the first reading, in seconds since the epoch, UTC.
        last: Time of the last reading.
    """
    accounted = set[int]()
    windows = []
    for each in wanted:
        of_it = [incident for incident in told if incident.is_about(each.sensor)]
        raised = [one for one in of_it if each.start - SLACK_S <= one.raised <= each.end + AFTER_S]
        open_before = [one for one in of_it if one.raised < each.start < one.ended]
        accounted.update(map(id, raised or open_before))
        windows.append(_window(each, raised, open_before, last))
    unwanted = [each for each in told if id(each) not in accounted]
    return JudgedCase(
        windows=windows,
        unwanted=unwanted,
        unwanted_later=sum(each.raised >= first + LEARNING_S for each in unwanted),
        open_h=math.fsum((min(each.ended, last) - each.raised) / 3600.0 for each in unwanted),
        incidents=len(told),
        contradictions=sum(each.contradicts for each in told),
        sensor_days=sensors * (last - first) / 86_400.0,
        later_days=sensors * max(0.0, last - first - LEARNING_S) / 86_400.0,
    )


def _window(wanted: Wanted, raised: list[ToldIncident], open_before: list[ToldIncident], last: float) -> JudgedWindow:
    if raised:
        delay = raised[0].raised - wanted.start
        to_come = wanted.end - max(min(each.ended, last) for each in raised)
        quits = to_come > max(STILL_TO_COME * (wanted.end - wanted.start), QUIT_S)
        verdict: Verdict = "found" if delay <= wanted.within_s else "late"
        return JudgedWindow(wanted, verdict, delay, quits, raised[0].message, raised[0].severity)
    if not open_before:
        return JudgedWindow(wanted, "missed")
    joined = [time for each in open_before for time in each.kinds.values() if wanted.start <= time <= wanted.end]
    delay = min(joined, default=math.nan) - wanted.start
    verdict = "masked" if not joined else "found" if delay <= wanted.within_s else "late"
    return JudgedWindow(wanted, verdict, delay, message=open_before[0].message, severity=open_before[0].severity)


def contradicts_itself(data: Mapping[str, Any]) -> bool:
    """Whether an event's value lies within the range that it says was expected."""
    value, lower, upper = data["value"], data["lower"], data["upper"]
    if data["kind"] in WITHOUT_RANGE or lower is None or upper is None:
        return False
    return bool(lower < value < upper)
