"""An open incident of a sensor: what is wrong, how it began, and its evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from edge.core.incidents.lasting.course import Course
from edge.core.model.notation.severity import severity_class, severity_of, weighted
from edge.core.scoring.consequence import UNKNOWN, IncidentExtent, Yardstick
from edge.core.scoring.limit_conditions import BrokenLimit, LimitCondition, severity_beyond, worst_of
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.peers.deviation import PeerDeviation

PERSISTENT = 3
"""Number of exceeding readings from which a spike is reclassified as a shift or a change of volatility."""

SIDES_AGREE = 0.8
"""Minimum share of exceeding readings on one side of the expected value for a shift."""

PASSING = frozenset({"spike", "rate"})
"""Kinds that describe a moment and change if they last."""

IMPLIED = {"level_shift": frozenset({"level_shift", "spike"})}
"""What joins an incident of this kind without saying anything new; of others their own kind."""

RISE_S = 900.0
"""A rise of severity by one class is reported no sooner than this after the last event, unless it is urgent."""

URGENT = 2
"""The severity class ERROR: a rise to it, or from it, is reported immediately."""

SLOW = frozenset({"drift", "trend"})
"""Kinds that are found long after they have begun."""

ERROR_KIND = "error_value"
ERROR_SEVERITY = 400
"""The severity of error values: a sensor without readings is a warning, however long that lasts."""

PEERS_KIND = "peers"


@dataclass(slots=True)
class Evidence:
    """An agreeing detector: its highest score, and since when it agrees."""

    score: float
    since: float


@dataclass(slots=True)
class Peak:
    """The reading with the highest score in an incident, with the sensors' contributions for a device."""

    value: float
    score: float
    time: float
    contributions: list[tuple[int, float]] = field(default_factory=list)


@dataclass(slots=True)
class Incident:
    """An open incident of one sensor.

    Attributes:
        started: Time of the reading that raised it, or time at which a silence became too long.
        kind: Current classification, a word of the event schema.
        evidence: Agreeing detectors by name.
        peak: The most surprising moment.
        last: The last observation that is part of it.
        count: Exceeding readings so far.
        published: Number of transitions published so far.
        severity: Severity as last published.
        updated: Reading time of the last publication.
        acknowledged: Whether the operator has acknowledged it; a limit broken later resets it.
        learned_kind: Classification by learned behaviour; empty while only limits hold it open.
        surprise: Highest score by learned behaviour.
        reach: Highest ratio of a score to its raising level.
        conditions: All kinds that it has shown, with start times.
        joined: Whether a detector found a kind that is news: neither published yet nor implied by its name.
        excess: Highest score of a limit.
        limits: Active limit conditions by the key of their limit.
        left: Limit conditions that ended with the last observation.
        extent: How far it has gone by learned behaviour; None in states of versions that rated scores.
        silence: Highest ratio of a silence to the one that is unusual.
        error: The error value of the last reading; None if it wasn't one.
        errors: Number of its readings that were error values.
        deviation: How it differs from its peers; None if it doesn't.
        apart: Highest severity of that; 0 if it never did.
        told_silent: Whether the last that was published of it is that the sensor is silent.
        course: What the value has done.
        is_habit: Whether it isn't reported, because the sensor did the same at this hour before.
        is_trend: Whether the sensor is learned meanwhile, because all that is wrong is that it moves on day by day.
        adopted: Whether the level that it has reached is adopted although it moves on, or differs from its peers.
    """

    started: float
    kind: str
    last: Observation
    peak: Peak
    evidence: dict[str, Evidence] = field(default_factory=dict)
    count: int = 0
    published: int = 0
    severity: int = 0
    updated: float = 0.0
    above: int = 0
    below: int = 0
    news: bool = False
    acknowledged: bool = False
    learned_kind: str = ""
    surprise: float = 0.0
    excess: float = 0.0
    limits: dict[str, LimitCondition] = field(default_factory=dict)
    left: list[LimitCondition] = field(default_factory=list)
    reach: float = 0.0
    error: float | None = None
    errors: int = 0
    conditions: dict[str, float] = field(default_factory=dict)
    joined: bool = False
    weight: float = 1.0
    extent: IncidentExtent | None = None
    silence: float = 0.0
    deviation: PeerDeviation | None = None
    apart: int = 0
    told_silent: bool = False
    course: Course = field(default_factory=Course)
    is_habit: bool = False
    is_trend: bool = False
    adopted: bool = False

    def __post_init__(self) -> None:
        has_cause = self.surprise or self.excess or self.errors or self.apart
        if self.count and not has_cause:  # as versions saved it that knew no conditions
            self.learned_kind, self.surprise = self.kind, self.peak.score
        if self.count and self.kind and not self.conditions:  # the same, when an incident had one kind
            self.conditions = {self.kind: self.started}
        if self.surprise and not self.reach:  # the same, when a sensor had one level
            self.reach = self.surprise / self.threshold
        if self.extent is None and self.count:  # as versions saved it that rated scores
            self.extent = IncidentExtent(severity=weighted(self.severity, 1 / self.weight) if self.severity else 0)

    @classmethod
    def from_observation(
        cls, observation: Observation, yardstick: Yardstick = UNKNOWN, clock: float = math.nan
    ) -> Incident:
        """Begin an incident with the detectors' opinions on an observation."""
        leading = observation.opinions[0]
        peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        incident = cls(
            observation.time,
            leading.kind,
            observation,
            peak,
            learned_kind=leading.kind,
            extent=IncidentExtent(yardstick),
        )
        incident.extend(observation, clock)
        return incident

    @classmethod
    def from_limits(cls, observation: Observation, yardstick: Yardstick = UNKNOWN) -> Incident:
        """Begin an incident with an observation that breaks limits, whose conditions must be added."""
        score = max(each.score for each in observation.broken or ())
        peak = Peak(observation.read, score, observation.time)
        return cls(observation.time, "", observation, peak, count=1, excess=score, extent=IncidentExtent(yardstick))

    @classmethod
    def from_error(cls, observation: Observation, yardstick: Yardstick = UNKNOWN) -> Incident:
        """Begin an incident with an error value, which must be added."""
        peak = Peak(observation.value, 0.0, observation.time)
        return cls(observation.time, ERROR_KIND, observation, peak, extent=IncidentExtent(yardstick))

    @classmethod
    def from_peers(cls, observation: Observation, deviation: PeerDeviation, yardstick: Yardstick = UNKNOWN) -> Incident:
        """Begin an incident with a deviation from peers, which must be added."""
        peak, extent = Peak(observation.value, 0.0, observation.time), IncidentExtent(yardstick)
        severity = deviation.severity
        return cls(observation.time, PEERS_KIND, observation, peak, count=1, extent=extent, apart=severity)

    def differ(self, observation: Observation, deviation: PeerDeviation) -> None:
        """Add a deviation from peers."""
        self.joined |= PEERS_KIND not in self.conditions and bool(self.published)
        self.conditions.setdefault(PEERS_KIND, observation.time)
        self.deviation, self.apart = deviation, max(self.apart, deviation.severity)
        self.acknowledged = False

    def take_error(self, observation: Observation) -> None:
        """Add a reading that is an error value."""
        if self.error is None:
            self.acknowledged = False
        self.error = observation.value
        self.conditions.setdefault(ERROR_KIND, observation.time)
        self.last = observation
        self.count += 1
        self.errors += 1

    def extend(self, observation: Observation, clock: float = math.nan) -> None:
        """Add an exceeding observation, when the stream clock says so: evidence, peak, count, extent and kind."""
        self.joined |= observation.has_jumped and observation.jumped_from != self.last.jumped_from
        self.last = observation
        only_trends = all(each.is_trend for each in observation.opinions if each.exceeds)
        self.is_trend = (self.is_trend and self.adopted) or (only_trends and (self.is_trend or not self.count))
        self.count += 1
        leading = observation.opinions[0]
        for opinion in observation.opinions:
            if not opinion.exceeds:
                break
            if opinion.kind not in self.conditions:
                self.conditions[opinion.kind] = observation.time
                self.joined |= opinion.kind not in IMPLIED.get(self.learned_kind, {self.learned_kind})
            known = self.evidence.get(opinion.detector)
            if known is None:
                self.evidence[opinion.detector] = Evidence(opinion.score, observation.time)
            else:
                known.score = max(known.score, opinion.score)
        if leading.score > self.peak.score:
            self.peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        is_most, is_worse = leading.ratio >= self.reach, _class_of(leading.ratio) > _class_of(self.reach)
        if leading.kind == "flatline":  # a value that is stuck where it shouldn't be is called by where it is
            is_worse &= all(each.kind == "flatline" for each in observation.opinions if each.exceeds)
        self.reach = max(self.reach, leading.ratio)
        self.surprise = max(self.surprise, leading.score)
        self._widen(observation, clock)
        if observation.value > leading.expected:
            self.above += 1
        elif observation.value < leading.expected:
            self.below += 1
        self._call(leading, is_most=is_most, is_worse=is_worse)

    def show_again(self, observation: Observation) -> None:
        """Note that learned behaviour is about to be unusual again while something else has held the incident open.

        That is news, unless it is so often.
        """
        if observation.time - self.updated < RISE_S:
            self.news = True
            return
        for opinion in observation.opinions:
            if opinion.exceeds:
                self.conditions.pop(opinion.kind, None)

    def _widen(self, observation: Observation, clock: float) -> None:
        leading = observation.opinions[0]
        if observation.is_silence:
            self.silence = max(self.silence, leading.ratio)
        elif self.extent is not None:
            self.extent.add(observation.value, leading, observation.time, clock, is_strange=observation.is_strange)

    def break_limits(self, observation: Observation, broken: list[BrokenLimit]) -> None:
        """Add an observation that breaks limits: peak, and count unless it was already counted."""
        if broken and self.last is not observation:
            self.last = observation
            self.count += 1
        if broken and self.extent is not None and not observation.per and not observation.is_strange:
            self.extent.reach_to(observation.value)
        for limit in broken:
            self.excess = max(self.excess, limit.score)
            is_farther = limit.excess(observation.read) > limit.excess(self.peak.value)
            if limit.score > self.peak.score or (limit.score == self.peak.score and is_farther):
                self.peak = Peak(observation.read, limit.score, observation.time)

    def let(self, joined: list[LimitCondition], left: list[LimitCondition]) -> None:
        """Add and remove limit conditions."""
        for condition in joined:
            self.limits[condition.limit.key] = condition
            self.conditions.setdefault(condition.limit.kind, condition.since)
            self.acknowledged = False
        for condition in left:
            del self.limits[condition.limit.key]
        self.left = left

    def began_with(self, kind: str, time: float) -> bool:
        """Whether the incident first showed a kind at this time."""
        return self.conditions.get(kind) == time

    @property
    def is_slide(self) -> bool:
        """Whether what is wrong began slowly, so that it can't be seen within a day whether it still goes on."""
        return next(iter(self.conditions), "") in SLOW

    def is_mended(self, value: float) -> bool:
        """Whether a sensor whose trend has ended is back in the range that was usual before it."""
        usual = None if self.extent is None else self.extent.yardstick
        return self.is_trend and usual is not None and usual.low <= value <= usual.high

    def known_range(self, slack: float) -> tuple[float, float]:
        """The values that the sensor has had in it or usually has, and a share of their width on each side."""
        usual = UNKNOWN if self.extent is None else self.extent.yardstick
        low, high = min(self.course.lowest, usual.low), max(self.course.highest, usual.high)
        width = high - low
        return (low - slack * width, high + slack * width) if 0 < width < math.inf else (-math.inf, math.inf)

    def rename(self) -> None:
        """Classify it: as silence, else error values, else the worst limit, learned behaviour, or unlike its peers."""
        if self.error is not None and self.learned_kind != "missing":
            self.kind = ERROR_KIND
            return
        worst = self.worst_limit
        learned = self.learned_kind or (self.kind if self.deviation is None else PEERS_KIND)
        self.kind = worst.limit.kind if worst is not None else learned

    @property
    def is_held_otherwise(self) -> bool:
        """Whether limits, an error value or a deviation from peers hold it open, whatever was learned."""
        return bool(self.limits) or self.error is not None or self.deviation is not None

    @property
    def worst_limit(self) -> LimitCondition | None:
        """The worst active limit condition; None if there is none, or if a silence conceals its state."""
        return None if self.learned_kind == "missing" else worst_of(self.limits.values())

    def _call(self, leading: Opinion, *, is_most: bool, is_worse: bool) -> None:
        kind = self.learned_kind or leading.kind
        if kind in PASSING or kind == "missing":
            can_change = is_most and leading.kind != "missing"
        else:  # an incident keeps the name it has reached until another condition is worse by a class
            can_change = is_worse and leading.kind not in PASSING and leading.kind != "missing"
        if can_change:
            kind = leading.kind
        sides = self.above + self.below
        if kind in PASSING and sides >= PERSISTENT:
            kind = "level_shift" if max(self.above, self.below) >= SIDES_AGREE * sides else "variance"
        if kind != self.learned_kind:
            self.learned_kind = kind
            self.news |= kind not in self.conditions
        self.rename()

    @property
    def threshold(self) -> float:
        """The raising level at the last observation."""
        return self.last.threshold

    def current_severity(self) -> int:
        """Severity by the worst observation so far."""
        of_errors = ERROR_SEVERITY if self.errors else 1
        of_silence = severity_of(self.silence, 1.0)
        learned, of_limits = self._severity_learned(), severity_beyond(self.excess)
        return weighted(max(learned, of_silence, of_limits, of_errors, self.apart), self.weight)

    def _severity_learned(self) -> int:
        """Severity of what was learned, by its consequence; of a device, whose value is no quantity, by its score."""
        if self.extent is None or self.extent.yardstick.is_device:
            return severity_of(self.reach, 1.0)
        return self.extent.severity

    @property
    def rise(self) -> int:
        """The number of severity classes by which it is more severe than last published."""
        return max(0, severity_class(self.current_severity()) - severity_class(self.severity))

    def worth_an_update(self, time: float, update_s: float) -> bool:
        """Whether to publish an update.

        A new kind is published at once, and so is a value far beyond what was told, and a rise by two classes, to
        `URGENT` or beyond, or of a silence; another name at intervals, a smaller rise at longer ones. The agreement of
        another detector is not a reason.
        """
        rise, waited = self.rise, time - self.updated
        is_urgent = self.learned_kind == "missing" or severity_class(self.severity) + rise >= URGENT
        has_leapt = self.extent is not None and self.extent.has_leapt
        if self.joined or has_leapt or rise > 1 or (rise and is_urgent):
            return True
        return (self.news and waited >= update_s) or (rise > 0 and waited >= max(update_s, RISE_S))

    def snapshot(self) -> Incident:
        """A copy that doesn't change while the incident continues."""
        evidence = {name: replace(each) for name, each in self.evidence.items()}
        limits = {key: replace(each) for key, each in self.limits.items()}
        return replace(
            self,
            evidence=evidence,
            peak=replace(self.peak),
            extent=self.extent and replace(self.extent),
            limits=limits,
            left=list(self.left),
            conditions=dict(self.conditions),
            course=replace(self.course),
        )

    def publish(self, time: float) -> int:
        """Record the publication of a transition; returns its number within the incident, from 0."""
        self.severity = self.current_severity()
        self.updated = time
        self.news = self.joined = False
        if self.extent is not None:
            self.extent.tell()
        self.told_silent = self.last.is_silence
        self.published += 1
        return self.published - 1


def _class_of(ratio: float) -> int:
    """The severity class for a ratio of score to raising level."""
    return severity_class(severity_of(ratio, 1.0))
