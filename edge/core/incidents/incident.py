"""An incident: what is wrong with a sensor, how it began, and what belongs to it, while it is open."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from edge.core.model.words.severity import severity_class, severity_of, weighted
from edge.core.scoring.limit_conditions import BrokenLimit, LimitCondition, severity_beyond, worst_of
from edge.core.scoring.opinions import Observation, Opinion

PERSISTENT = 3
"""From this many exceeding readings on, a spike is called what it has become: a shift, or a noisier signal."""

SIDES_AGREE = 0.8
"""The share of the exceeding readings on one side of what was expected that makes it a shift."""

WORSE = 1.1
"""What is so many times as far off as before has drifted on."""

PASSING = frozenset({"spike", "rate"})
"""Kinds of a moment, which become others if they last."""

ERROR_KIND = "error_value"
ERROR_SEVERITY = 400
"""A sensor that says nothing is a warning, however long it does so."""


@dataclass(slots=True)
class Evidence:
    """A detector that agrees: its largest score, and since when."""

    score: float
    since: float


@dataclass(slots=True)
class Peak:
    """The most surprising moment of an incident, and the sensors' contributions if it is a device's."""

    value: float
    score: float
    time: float
    contributions: list[tuple[int, float]] = field(default_factory=list)


@dataclass(slots=True)
class Incident:
    """An open incident of one sensor.

    Attributes:
        started: Time of the reading that raised it; of a silence, when it became too long.
        kind: What it looks like so far, a word of the event schema.
        evidence: The detectors that agree, by name.
        peak: The most surprising moment.
        last: The last observation that belongs to it.
        count: Exceeding readings so far.
        published: Transitions published so far.
        severity: As last published.
        updated: When it was last published, in the readings' time.
        acknowledged: Whether the operator has seen it; a limit that is broken later hasn't been seen.
        learned_kind: What it looks like by what was learned; empty while nothing but limits holds it open.
        surprise: The largest score by what was learned.
        reach: How many times its raising level a score was at most.
        conditions: All kinds that it has shown, and since when.
        joined: Whether a detector has found one that subscribers haven't been told of.
        excess: The largest score of a limit.
        limits: The conditions that hold, by the key of their limit.
        left: Those that have ended with the last observation.
        worsened: When its drift was last seen to go on, if it drifts.
        worsened_to: How many times its raising level that was.
        error: The error value that the last reading was; None if it wasn't one.
        errors: How many readings of it were error values.
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
    worsened: float = -math.inf
    worsened_to: float = 0.0

    def __post_init__(self) -> None:
        has_cause = self.surprise or self.excess or self.errors
        if self.count and not has_cause:  # as versions saved it that knew no conditions
            self.learned_kind, self.surprise = self.kind, self.peak.score
        if self.count and self.kind and not self.conditions:  # likewise, when an incident had one kind
            self.conditions = {self.kind: self.started}
        if self.surprise and not self.reach:  # likewise, when a sensor had one level
            self.reach = self.surprise / self.threshold

    @classmethod
    def from_observation(cls, observation: Observation) -> Incident:
        """An incident that begins with what detectors say of this observation."""
        leading = observation.opinions[0]
        peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        incident = cls(observation.time, leading.kind, observation, peak, learned_kind=leading.kind)
        incident.extend(observation)
        return incident

    @classmethod
    def from_limits(cls, observation: Observation) -> Incident:
        """An incident that begins as this observation breaks limits; their conditions have to join it."""
        score = max(each.score for each in observation.broken or ())
        peak = Peak(observation.read, score, observation.time)
        return cls(observation.time, "", observation, peak, count=1, excess=score)

    @classmethod
    def from_error(cls, observation: Observation) -> Incident:
        """An incident that begins with an error value, which has to join it."""
        peak = Peak(observation.value, 0.0, observation.time)
        return cls(observation.time, ERROR_KIND, observation, peak)

    def take_error(self, observation: Observation) -> None:
        """Add a reading that is an error value."""
        if self.error is None:
            self.acknowledged = False
        self.error = observation.value
        self.conditions.setdefault(ERROR_KIND, observation.time)
        self.last = observation
        self.count += 1
        self.errors += 1

    def extend(self, observation: Observation) -> None:
        """Add an exceeding observation: evidence, peak, count and kind."""
        self.last = observation
        self.count += 1
        leading = observation.opinions[0]
        for opinion in observation.opinions:
            if not opinion.exceeds:
                break
            if opinion.kind not in self.conditions:
                self.conditions[opinion.kind] = observation.time
                self.joined = True
            if opinion.kind == "drift" and opinion.ratio > WORSE * self.worsened_to:
                self.worsened, self.worsened_to = observation.time, opinion.ratio
            known = self.evidence.get(opinion.detector)
            if known is None:
                self.evidence[opinion.detector] = Evidence(opinion.score, observation.time)
                self.news = True
            else:
                known.score = max(known.score, opinion.score)
        if leading.score > self.peak.score:
            self.peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        is_most, is_worse = leading.ratio >= self.reach, _class_of(leading.ratio) > _class_of(self.reach)
        if leading.kind == "flatline":  # a value that is stuck where it shouldn't be is called by where it is
            is_worse &= all(each.kind == "flatline" for each in observation.opinions if each.exceeds)
        self.reach = max(self.reach, leading.ratio)
        self.surprise = max(self.surprise, leading.score)
        if observation.value > leading.expected:
            self.above += 1
        elif observation.value < leading.expected:
            self.below += 1
        self._call(leading, is_most=is_most, is_worse=is_worse)

    def break_limits(self, observation: Observation, broken: list[BrokenLimit]) -> None:
        """Add an observation that breaks limits: peak, and count if it hasn't been counted."""
        if broken and self.last is not observation:
            self.last = observation
            self.count += 1
        for limit in broken:
            self.excess = max(self.excess, limit.score)
            is_farther = limit.excess(observation.read) > limit.excess(self.peak.value)
            if limit.score > self.peak.score or (limit.score == self.peak.score and is_farther):
                self.peak = Peak(observation.read, limit.score, observation.time)

    def let(self, joined: list[LimitCondition], left: list[LimitCondition]) -> None:
        """Let conditions join and leave."""
        for condition in joined:
            self.limits[condition.limit.key] = condition
            self.conditions.setdefault(condition.limit.kind, condition.since)
            self.acknowledged = False
        for condition in left:
            del self.limits[condition.limit.key]
        self.left = left

    def began_with(self, kind: str, time: float) -> bool:
        """Whether the incident has shown a kind first at this time."""
        return self.conditions.get(kind) == time

    def rename(self) -> None:
        """Call it what it is: a silence, else error values, else by the worst limit, else by what was learned."""
        if self.error is not None and self.learned_kind != "missing":
            self.kind = ERROR_KIND
            return
        worst = self.worst_limit
        self.kind = worst.limit.kind if worst is not None else self.learned_kind or self.kind

    @property
    def worst_limit(self) -> LimitCondition | None:
        """The worst condition that holds; None if there is none, or if a silence hides what became of it."""
        return None if self.learned_kind == "missing" else worst_of(self.limits.values())

    def _call(self, leading: Opinion, *, is_most: bool, is_worse: bool) -> None:
        kind = self.learned_kind or leading.kind
        if kind in PASSING or kind == "missing":
            can_change = is_most and leading.kind != "missing"
        else:  # what it has become stays its name until something else is worse by a class
            can_change = is_worse and leading.kind not in PASSING and leading.kind != "missing"
        if can_change:
            kind = leading.kind
        sides = self.above + self.below
        if kind in PASSING and sides >= PERSISTENT:
            kind = "level_shift" if max(self.above, self.below) >= SIDES_AGREE * sides else "variance"
        if kind != self.learned_kind:
            self.learned_kind = kind
            self.news = True
        self.rename()

    @property
    def threshold(self) -> float:
        """The raising level that the last observation was held against."""
        return self.last.threshold

    def current_severity(self) -> int:
        """Severity by the worst moment so far."""
        of_errors = ERROR_SEVERITY if self.errors else 1
        worst = max(severity_of(self.reach, 1.0), severity_beyond(self.excess), of_errors)
        return weighted(worst, self.weight)

    def worth_an_update(self, time: float, update_s: float) -> bool:
        """Whether subscribers should hear of it again: a worse class at once, other news now and then."""
        if self.joined or severity_class(self.current_severity()) > severity_class(self.severity):
            return True
        return self.news and time - self.updated >= update_s

    def snapshot(self) -> Incident:
        """A copy that stays as it is while the incident goes on."""
        evidence = {name: replace(each) for name, each in self.evidence.items()}
        limits = {key: replace(each) for key, each in self.limits.items()}
        return replace(
            self,
            evidence=evidence,
            peak=replace(self.peak),
            limits=limits,
            left=list(self.left),
            conditions=dict(self.conditions),
        )

    def publish(self, time: float) -> int:
        """Note that a transition is being published; returns its number within the incident, from 0."""
        self.severity = self.current_severity()
        self.updated = time
        self.news = self.joined = False
        self.published += 1
        return self.published - 1


def _class_of(ratio: float) -> int:
    """The severity class of what goes beyond its raising level so many times."""
    return severity_class(severity_of(ratio, 1.0))
