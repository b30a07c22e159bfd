"""Reporting: converts incident changes to numbered events, ready to be stored and published."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import cast

from msgspec import UNSET

from edge.core.incidents.events.event import (
    ConditionFound,
    Contribution,
    DetectorEvidence,
    Event,
    IncidentData,
    IncidentEvent,
    Kind,
    PeakMoment,
    encoded,
    incident_id,
    severity_name,
    timestamp,
)
from edge.core.incidents.events.gaps import Gap, gap_event
from edge.core.incidents.events.sensor_events import Change, Reason, SensorData, sensors_event
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.bands import band_of, leading_opinion
from edge.core.incidents.sentences.group_sentences import AffectedSensors, group_sentence
from edge.core.incidents.sentences.member_facts import member_fact
from edge.core.incidents.sentences.pace_sentences import about_what_was_read, pace_unit
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import device_sentence, lasting, sentence
from edge.core.incidents.state_machine import ENDS
from edge.core.model.notation.topics import Topics
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensors import SensorFacts, is_device
from edge.core.scoring.opinions import Opinion

SENSORS_LISTED, SENSORS_BYTES = 1000, 48_000
"""Maximum number and size in bytes of the names listed in an event; some brokers limit messages to 128 KB."""


class Reporter:
    """Creates events from incident changes.

    Args:
        gateway: Name of the gateway.
        topics: This gateway's own topics.
        facts: Returns the facts about a sensor by slot.

    Attributes:
        last_sequence: Number of the last event.
    """

    def __init__(self, gateway: str, topics: Topics, facts: Callable[[int], SensorFacts]) -> None:
        self._gateway = gateway
        self._topics = topics
        self._facts = facts
        self.last_sequence = 0

    def report(self, finding: IncidentChange, identity: str | None = None) -> Event:
        """The next event.

        Args:
            finding: The change that it reports.
            identity: The incident's ID if it already has one, even from a time when the gateway had another name.
        """
        self.last_sequence += 1
        facts = self._facts(finding.slot)
        finding = about_what_was_read(finding)
        incident, observation = finding.incident, finding.observation
        identity = identity or incident_id(self._gateway, facts.name, incident.started)
        transition = finding.transition.value
        text, number = severity_name(incident.severity)
        opinion = leading_opinion(finding)
        band = band_of(finding, opinion, facts.unit)
        contributions = [
            Contribution(sensor=self._facts(slot).name, share=share) for slot, share in incident.peak.contributions
        ]
        names = [name for slot in finding.sensors if not is_device(name := self._facts(slot).name)]
        message = self._message(finding, facts, band, opinion, contributions, names)
        event = IncidentEvent(
            id=f"{identity}-{finding.number}-{transition}",
            source=f"/edgewarden/{self._gateway}",
            type=f"io.edgewarden.incident.{transition}.v1",
            subject=facts.name,
            time=timestamp(observation.time),
            recordedtime=timestamp(max(finding.clock, observation.time)),
            sequence=f"{self.last_sequence:020d}",
            correlationid=identity if finding.cause is None else self.identity(*finding.cause),
            partitionkey=facts.name,
            severitytext=text,
            severitynumber=number,
            data=self._data(finding, facts, identity, band, contributions, names, message),
        )
        return Event(
            sequence=self.last_sequence,
            id=event.id,
            sensor=facts.name,
            topic=self._topics.anomaly(facts.topic),
            time=observation.time,
            incident=identity,
            transition=transition,
            kind=incident.kind,
            severity=incident.severity,
            message=message,
            payload=encoded(event),
        )

    def _message(
        self,
        finding: IncidentChange,
        facts: SensorFacts,
        band: Opinion | None,
        opinion: Opinion | None,
        contributions: list[Contribution],
        names: list[str],
    ) -> str:
        """The sentence of an event: about a sensor, a device, or several sensors with one cause."""
        what = (finding.transition, finding.incident, finding.observation)
        if finding.is_forgotten:
            return _forgotten_sentence(facts.name)
        if is_device(facts.name):
            shares = [(each.sensor, each.share) for each in contributions]
            return device_sentence(facts.name, *what, shares, len(names))
        recent = [value for _, value in finding.recent]
        summary = finding.summary
        change = SensorChange(facts.name, facts.unit, *what, band, opinion, summary.interval, recent, summary.seen)
        if finding.one_cause is None:
            return sentence(change)
        joins = change.joins and len(names) > 1
        of_all = group_sentence(self._affected(finding, names, facts.name if joins else ""), finding)
        if joins:
            return f"{of_all}; {sentence(change)}"
        return of_all + ("" if finding.one_cause.kind == "missing" else lasting(change))

    def _data(
        self,
        finding: IncidentChange,
        facts: SensorFacts,
        identity: str,
        band: Opinion | None,
        contributions: list[Contribution],
        names: list[str],
        message: str,
    ) -> IncidentData:
        """The event's data: the state of the incident after the change."""
        incident, observation = finding.incident, finding.observation
        active = finding.transition not in ENDS
        return IncidentData(
            incident=identity,
            transition=finding.transition.value,
            active=active,
            acknowledged=incident.acknowledged,
            shelved=finding.shelved,
            kind=cast("Kind", incident.kind),
            severity=incident.severity,
            score=round(observation.worst_score, 3),
            threshold=round(observation.threshold, 3),
            value=observation.value,
            unit=pace_unit(facts.unit, observation.per),
            reading=UNSET if (reading := _finite(observation.reading)) is None else reading,
            expected=_finite(band.expected if band else math.nan),
            lower=_finite(band.lower if band else math.nan),
            upper=_finite(band.upper if band else math.nan),
            detectors=_evidence(incident, active=active),
            conditions=_conditions(incident),
            contributions=contributions,
            sensors=listed(names),
            sensors_total=len(names),
            started=timestamp(incident.started),
            last=timestamp(incident.last.time),
            ended=None if active else timestamp(observation.time),
            peak=PeakMoment(
                value=incident.peak.value,
                score=round(incident.peak.score, 3),
                time=timestamp(incident.peak.time),
            ),
            count=incident.count,
            recent=[(timestamp(time), value) for time, value in finding.recent],
            labels=dict(facts.labels),
            by=finding.remark[0] or None,
            comment=finding.remark[1] or None,
            message=message,
        )

    def identity(self, slot: int, started: float) -> str:
        """The ID of the incident of a sensor with this start time."""
        return incident_id(self._gateway, self._facts(slot).name, started)

    def _affected(self, finding: IncidentChange, sensors: list[str], known: str) -> AffectedSensors:
        """The sensors and devices that an event with one cause concerns, with facts of all but the known one."""
        cause = finding.one_cause
        of_all = ([], [], []) if cause is None else (cause.slots, cause.ended, cause.adopted)
        still, over, adopted = ([self._facts(slot).name for slot in each] for each in of_all)
        devices = [name for name in still if is_device(name)]
        return AffectedSensors(
            self._facts(finding.slot).name,
            sensors,
            sum(not is_device(name) for name in over),
            len(still) - len(devices),
            devices,
            sum(not is_device(name) for name in adopted),
            {} if cause is None or cause.kind not in {"jump", "flatline"} else self._member_facts(cause.worst, known),
        )

    def _member_facts(self, findings: Sequence[IncidentChange], known: str) -> dict[str, str]:
        """What is known of sensors by name, except of one of them."""
        of = [(each, self._facts(each.slot)) for each in findings]
        return {
            its.name: member_fact(each, its.name, its.unit)
            for each, its in of
            if its.name != known and not is_device(its.name)
        }

    def state(self) -> bytes:
        """The last number, for `load()`."""
        return encode(self.last_sequence)

    def load(self, state: bytes) -> None:
        """Load the last number.

        Raises:
            StateError: It can't be read.
        """
        self.last_sequence = decode(state, int)

    def report_sensors(
        self,
        change: Change,
        sensors: Sequence[SensorData],
        time: float,
        reason: Reason | None = None,
        remark: tuple[str, str] = ("", ""),
    ) -> Event:
        """The next event, for sensors found or forgotten; see `sensors_event()`."""
        self.last_sequence += 1
        topic = self._topics.sensors
        return sensors_event(self._gateway, topic, change, sensors, self.last_sequence, time, reason, remark)

    def report_gap(self, gap: Gap, now: float) -> Event:
        """The next event, for lost data."""
        self.last_sequence += 1
        return gap_event(self._gateway, self._topics.gap, gap, self.last_sequence, now)


def _forgotten_sentence(name: str) -> str:
    if is_device(name):
        return f"The incident of {name.rstrip('/')} ends, as one of its sensors was forgotten"
    return f"{name} was forgotten, and its incident ends with it"


def _conditions(incident: Incident) -> list[ConditionFound]:
    """The kinds that an incident has shown, in order of appearance."""
    ordered = sorted(incident.conditions.items(), key=lambda each: (each[1], each[0]))
    return [ConditionFound(kind=cast("Kind", kind), since=timestamp(time)) for kind, time in ordered]


def _evidence(incident: Incident, *, active: bool) -> list[DetectorEvidence]:
    """The agreeing detectors; limits are included while they are broken, and when their end ends the incident."""
    evidence = {name: (each.score, each.since) for name, each in incident.evidence.items()}
    for condition in [*incident.limits.values(), *(() if active else incident.left)]:
        name = condition.limit.detector
        score, since = evidence.get(name, (0.0, math.inf))
        evidence[name] = (max(score, condition.score), min(since, condition.since))
    return [
        DetectorEvidence(name=name, score=round(score, 3), since=timestamp(since))
        for name, (score, since) in sorted(evidence.items(), key=lambda each: (-each[1][0], each[0]))
    ]


def listed(names: Sequence[str]) -> list[str]:
    """The first of these names, up to the maximum that an event may list."""
    sizes = accumulate(len(name.encode()) for name in names)
    return [name for name, size in zip(names[:SENSORS_LISTED], sizes, strict=False) if size <= SENSORS_BYTES]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
