"""Judging: incidents held against labels. By the same rules that the simulator judges its own truth by.

A label is *found* by an incident raised between its start and the end of a grace period after it. An incident that
was open already when it began finds nothing, for it says nothing of it. An incident is *false* if no label lies within
its time, nor ended shortly before it (the recovery: coming back from a fault is a change as well).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.reports.labels import Label

ROUNDING_S = 0.001
"""Labels may carry times in milliseconds; what differs by less is the same time."""


class IncidentSpan(NamedTuple):
    """An incident, as a report shows it.

    Attributes:
        sensor: Its sensor, or its device.
        about: Its sensor; of a device, the one with the largest share.
        raised: Time at which it was raised, in seconds since the epoch, UTC.
        ended: Time at which it ended, or infinity if it is still open.
        severity: The worst that was published, 1 to 1000.
        kind: A word of the event schema.
        incident: Its id.
        score: Its peak, in decades.
        detectors: Those that agree, the most surprised first.
        message: One sentence for a person, from its worst moment.
        sensors: All that it has listed, if it is about several that have one cause.
    """

    sensor: str
    about: str
    raised: float
    ended: float
    severity: int
    kind: str
    incident: str
    score: float
    detectors: tuple[str, ...]
    message: str
    sensors: frozenset[str] = frozenset()


class Judgement(NamedTuple):
    """The outcome of matching incidents with labels.

    Attributes:
        delays: For each label, seconds from its start until it was found, or NaN.
        already: For each label, whether an incident was open when it began.
        words: For each incident: found, late (in the recovery), early (open before a label), or false.
        covered_s: For each label, how much of its time lies within incidents.
    """

    delays: list[float]
    already: list[bool]
    words: list[str]
    covered_s: list[float]


class Rules(NamedTuple):
    """The tolerances for matching labels.

    Attributes:
        grace_s: Grace period in seconds after a label's end, during which it can still be found.
        recovery_s: Time in seconds after a label's end during which an incident isn't false.
    """

    grace_s: float = 600.0
    recovery_s: float = 3600.0


class JudgedRun(NamedTuple):
    """The outcome of a configuration over all labelled data.

    Attributes:
        labels: Their number.
        found: Number of those that were found.
        already: Number of missed ones during which an incident was already open at the start.
        false: Incidents that are false.
        judged: Incidents of sensors that have labels, or could have had.
        delay_median_s: Seconds until a label was found, NaN if none was.
        delay_worst_s: The longest of them.
        covered: Share of the labelled time that lies within incidents, NaN if it has no length.
        sensor_days: Time of the sensors that were judged.
    """

    labels: int
    found: int
    already: int
    false: int
    judged: int
    delay_median_s: float
    delay_worst_s: float
    covered: float
    sensor_days: float

    @property
    def missed(self) -> int:
        """Labels that were not found."""
        return self.labels - self.found

    @property
    def false_per_sensor_day(self) -> float:
        """False incidents a day and sensor; NaN over no time."""
        return self.false / self.sensor_days if self.sensor_days > 0 else math.nan


def judge(labels: Sequence[Label], incidents: Sequence[IncidentSpan], rules: Rules) -> Judgement:
    """Hold the incidents of some data against its labels."""
    recovery_s = max(rules.grace_s, rules.recovery_s)
    mine = [sorted(_about(label, incidents), key=lambda each: each.raised) for label in labels]
    delays, already, covered = [], [], []
    for label, candidates in zip(labels, mine, strict=True):
        found = next((each for each in candidates if _raised_within(each, label, rules.grace_s)), None)
        delays.append(math.nan if found is None else max(0.0, found.raised - label.start))
        already.append(any(each.raised < label.start - ROUNDING_S and each.ended >= label.start for each in candidates))
        covered.append(_covered(label, candidates))
    words = [_word(each, [it for it in labels if _is_about(it, each)], rules.grace_s, recovery_s) for each in incidents]
    return Judgement(delays, already, words, covered)


def summarise(judged: Iterable[tuple[Sequence[Label], Judgement, float]]) -> JudgedRun:
    """Add up judgements: the labels of some data, their judgement, and its sensor-days."""
    labels: list[Label] = []
    delays: list[float] = []
    already: list[bool] = []
    words: list[str] = []
    covered = sensor_days = 0.0
    for its_labels, judgement, days in judged:
        labels += its_labels
        delays += judgement.delays
        already += judgement.already
        words += judgement.words
        covered += sum(judgement.covered_s)
        sensor_days += days
    found = [each for each in delays if not math.isnan(each)]
    length = sum(each.end - each.start for each in labels)
    return JudgedRun(
        labels=len(labels),
        found=len(found),
        already=sum(was and math.isnan(delay) for was, delay in zip(already, delays, strict=True)),
        false=words.count("false"),
        judged=len(words),
        delay_median_s=statistics.median(found) if found else math.nan,
        delay_worst_s=max(found, default=math.nan),
        covered=covered / length if length > 0 else math.nan,
        sensor_days=sensor_days,
    )


def _is_about(label: Label, incident: IncidentSpan) -> bool:
    return label.sensor is None or label.sensor == incident.about or label.sensor in incident.sensors


def _about(label: Label, incidents: Iterable[IncidentSpan]) -> list[IncidentSpan]:
    return [each for each in incidents if _is_about(label, each)]


def _raised_within(incident: IncidentSpan, label: Label, after_s: float) -> bool:
    return label.start - ROUNDING_S <= incident.raised <= label.end + after_s + ROUNDING_S


def _covered(label: Label, incidents: Iterable[IncidentSpan]) -> float:
    """Seconds of a label within incidents, which are in the order in which they were raised."""
    covered, reached = 0.0, label.start
    for each in incidents:
        begin, end = max(reached, each.raised), min(label.end, each.ended)
        if end > begin:
            covered += end - begin
            reached = end
    return covered


def _word(incident: IncidentSpan, labels: Sequence[Label], grace_s: float, recovery_s: float) -> str:
    if any(_raised_within(incident, each, grace_s) for each in labels):
        return "found"
    if any(_raised_within(incident, each, recovery_s) for each in labels):
        return "late"
    early = any(incident.raised < each.start and incident.ended >= each.start for each in labels)
    return "early" if early else "false"
