"""Judging: compares incidents with labels, by the same rules as the simulator's own judgement.

A label is *found* by an incident raised between its start and the end of a grace period after it; if there is none, by
an update between its start and its end that tells a new kind of condition of an incident which was open already. Such
an incident doesn't count otherwise. An incident is *false* if no label lies within its time or ended shortly before it
(the recovery: returning from a fault is also a change).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge.reports.found import is_within, was_open_before
from edge.reports.labels import Label


class IncidentSpan(NamedTuple):
    """An incident as shown in a report.

    Attributes:
        sensor: Name of the sensor or device.
        about: Name of the sensor; for a device, the sensor with the largest share.
        raised: Time at which it was raised, in seconds since the epoch, UTC.
        ended: Time at which it ended, or infinity if it is still open.
        severity: Highest published severity, 1 to 1000.
        kind: A word of the event schema.
        incident: ID of the incident.
        score: Peak score in decades.
        detectors: Agreeing detectors, highest score first.
        message: One sentence for people, from its worst moment.
        sensors: All sensors listed, if there are several with a common cause.
        joined: Times of updates by which a new kind of condition joined it, see `ToldKinds`.
        conditions: Kinds of its conditions with the time since which each held, in order.
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
    joined: tuple[float, ...] = ()
    conditions: tuple[tuple[str, float], ...] = ()


class Judgement(NamedTuple):
    """The outcome of matching incidents with labels.

    Attributes:
        delays: For each label, seconds from its start until it was found, or NaN.
        already: For each label, whether an incident was already open at its start.
        words: For each incident: found, late (in the recovery), early (open before a label), or false.
        covered_s: For each label, seconds within incidents.
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
    """The result of a configuration over all labelled data.

    Attributes:
        labels: Number of labels.
        found: Number of labels found.
        already: Number of missed labels with an incident already open at their start.
        false: Number of false incidents.
        judged: Number of incidents of sensors that have labels, or could have had.
        delay_median_s: Median seconds until a label was found; NaN if none was.
        delay_worst_s: Maximum of these.
        covered: Share of the labelled time within incidents; NaN if it has no length.
        sensor_days: Total time of the judged sensors in days.
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
        """Number of labels that weren't found."""
        return self.labels - self.found

    @property
    def false_per_sensor_day(self) -> float:
        """False incidents per sensor and day; NaN without any time."""
        return self.false / self.sensor_days if self.sensor_days > 0 else math.nan


def judge(labels: Sequence[Label], incidents: Sequence[IncidentSpan], rules: Rules) -> Judgement:
    """Compare incidents with labels."""
    recovery_s = max(rules.grace_s, rules.recovery_s)
    mine = [sorted(_about(label, incidents), key=lambda each: each.raised) for label in labels]
    delays, already, covered = [], [], []
    for label, candidates in zip(labels, mine, strict=True):
        open_before = [each for each in candidates if was_open_before(each.raised, each.ended, label)]
        raised = (each.raised for each in candidates if is_within(each.raised, label, rules.grace_s))
        joined = (time for each in open_before for time in each.joined if is_within(time, label))
        found = next(raised, min(joined, default=math.nan))
        delays.append(math.nan if math.isnan(found) else max(0.0, found - label.start))
        already.append(bool(open_before))
        covered.append(_covered(label, candidates))
    words = [_word(each, [it for it in labels if _is_about(it, each)], rules.grace_s, recovery_s) for each in incidents]
    return Judgement(delays, already, words, covered)


def summarise(judged: Iterable[tuple[Sequence[Label], Judgement, float]]) -> JudgedRun:
    """Add up judgements, given as labels, judgement and sensor-days."""
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


def _covered(label: Label, incidents: Iterable[IncidentSpan]) -> float:
    """Seconds of a label within incidents, which are sorted by start."""
    covered, reached = 0.0, label.start
    for each in incidents:
        begin, end = max(reached, each.raised), min(label.end, each.ended)
        if end > begin:
            covered += end - begin
            reached = end
    return covered


def _word(incident: IncidentSpan, labels: Sequence[Label], grace_s: float, recovery_s: float) -> str:
    if any(is_within(incident.raised, each, grace_s) for each in labels):
        return "found"
    if any(is_within(incident.raised, each, recovery_s) for each in labels):
        return "late"
    return "early" if any(was_open_before(incident.raised, incident.ended, each) for each in labels) else "false"
