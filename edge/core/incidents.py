"""Incidents: from surprising readings to one open incident a sensor, as a state machine.

An incident is raised when a reading's surprise reaches the sensor's raising level, and cleared when several readings
in a row stay below a lower one (hysteresis). Detectors that agree are its evidence, not incidents of their own.
Silence raises one too, by time instead of by readings. While one is open, nothing is learned, so that it can't become
normal by itself. A detector that smooths is still surprised when its sensor has long returned; what it says of readings
within its own band keeps no incident open, and until it has settled only a reading beyond the band raises another one.
One that lasts for too long ends, and its level is adopted: it is learned, beside all that was known,
and nothing is raised before it is as calm as an incident must be to be cleared.

`TABLE` is the whole behaviour: state x signal -> next state and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import Enum


class State(Enum):
    """Where a sensor stands."""

    NORMAL = "normal"
    OPEN = "open"
    CALMING = "calming"
    SILENT = "silent"
    ADOPTING = "adopting"
    SETTLING = "settling"


class Signal(Enum):
    """What a reading, or the lack of one, says to the state machine."""

    EXCEEDS = "a reading at or above the raising level"
    HOLDS = "a reading between the clearing and the raising level"
    CALM = "a reading below the clearing level"
    CALM_ENOUGH = "the last of the calm readings that it takes to clear"
    SETTLES = "likewise, while a detector that smooths hasn't forgotten yet what was before"
    SILENCE = "the sensor has been silent for too long"
    RETURN = "a reading after the silence"
    ADOPTION = "the incident, or the learning of its level, has lasted for so long that this is the new normal"
    DECLARED_NORMAL = "the operator says that this is normal"


class Action(Enum):
    """What a transition does."""

    NOTHING = "nothing"
    RAISE = "raise an incident"
    EXTEND = "add the reading to the open incident"
    CLEAR = "clear the incident"
    EXPIRE = "end the incident and learn its level"


TABLE: dict[tuple[State, Signal], tuple[State, Action]] = {
    (State.NORMAL, Signal.EXCEEDS): (State.OPEN, Action.RAISE),
    (State.NORMAL, Signal.HOLDS): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, Signal.CALM): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, Signal.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.NORMAL, Signal.SILENCE): (State.SILENT, Action.RAISE),
    (State.OPEN, Signal.EXCEEDS): (State.OPEN, Action.EXTEND),
    (State.OPEN, Signal.HOLDS): (State.OPEN, Action.NOTHING),
    (State.OPEN, Signal.CALM): (State.CALMING, Action.NOTHING),
    (State.OPEN, Signal.CALM_ENOUGH): (State.NORMAL, Action.CLEAR),
    (State.OPEN, Signal.SETTLES): (State.SETTLING, Action.CLEAR),
    (State.OPEN, Signal.SILENCE): (State.OPEN, Action.EXTEND),
    (State.OPEN, Signal.ADOPTION): (State.ADOPTING, Action.EXPIRE),
    (State.CALMING, Signal.EXCEEDS): (State.OPEN, Action.EXTEND),
    (State.CALMING, Signal.HOLDS): (State.OPEN, Action.NOTHING),
    (State.CALMING, Signal.CALM): (State.CALMING, Action.NOTHING),
    (State.CALMING, Signal.CALM_ENOUGH): (State.NORMAL, Action.CLEAR),
    (State.CALMING, Signal.SETTLES): (State.SETTLING, Action.CLEAR),
    (State.CALMING, Signal.SILENCE): (State.CALMING, Action.EXTEND),
    (State.CALMING, Signal.ADOPTION): (State.ADOPTING, Action.EXPIRE),
    (State.SILENT, Signal.SILENCE): (State.SILENT, Action.EXTEND),
    (State.SILENT, Signal.RETURN): (State.NORMAL, Action.CLEAR),
    (State.SETTLING, Signal.EXCEEDS): (State.OPEN, Action.RAISE),
    (State.SETTLING, Signal.HOLDS): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, Signal.CALM): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, Signal.SETTLES): (State.SETTLING, Action.NOTHING),
    (State.SETTLING, Signal.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.SETTLING, Signal.SILENCE): (State.SILENT, Action.RAISE),
    (State.SETTLING, Signal.ADOPTION): (State.NORMAL, Action.NOTHING),
    (State.ADOPTING, Signal.EXCEEDS): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, Signal.HOLDS): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, Signal.CALM): (State.ADOPTING, Action.NOTHING),
    (State.ADOPTING, Signal.CALM_ENOUGH): (State.NORMAL, Action.NOTHING),
    (State.ADOPTING, Signal.SILENCE): (State.SILENT, Action.RAISE),
    (State.ADOPTING, Signal.ADOPTION): (State.NORMAL, Action.NOTHING),
    (State.OPEN, Signal.DECLARED_NORMAL): (State.ADOPTING, Action.EXPIRE),
    (State.CALMING, Signal.DECLARED_NORMAL): (State.ADOPTING, Action.EXPIRE),
    (State.SILENT, Signal.DECLARED_NORMAL): (State.NORMAL, Action.EXPIRE),
}

WORST_SEVERITY = 1000
PERSISTENT = 3
"""From this many exceeding readings on, a spike is called what it has become: a shift, or a noisier signal."""

SIDES_AGREE = 0.8
"""The share of the exceeding readings on one side of what was expected that makes it a shift."""


def severity_of(score: float, threshold: float) -> int:
    """Severity 1 to 1000 (OPC UA) of a score: 250 at the threshold, 250 more with each doubling."""
    if not score > 0:
        return 1
    return max(1, min(WORST_SEVERITY, round(250 * (1 + math.log2(score / threshold)))))


def severity_class(severity: int) -> int:
    """0 INFO (to 250), 1 WARN (to 500), 2 ERROR (to 750), 3 FATAL."""
    return min(3, (severity - 1) // 250)


@dataclass(slots=True)
class Opinion:
    """What one detector said of one reading."""

    detector: str
    kind: str
    score: float
    expected: float = math.nan
    lower: float = math.nan
    upper: float = math.nan


@dataclass(slots=True)
class Observation:
    """One reading, or one silence, as the state machine sees it.

    Attributes:
        time: Time of the reading; of a silence, when it became too long.
        value: Value of the reading; of a silence, the last value.
        threshold: The sensor's raising level at that time, in decades.
        opinions: Those of the detectors that had one, the most surprised first.
        contributions: Of a device: the slots of its sensors, and the share of each in the score; the largest first.
    """

    time: float
    value: float
    threshold: float
    opinions: list[Opinion]
    contributions: list[tuple[int, float]] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The largest surprise of any detector."""
        return self.opinions[0].score if self.opinions else 0.0

    def score_now(self, lingering: Collection[str]) -> float:
        """The largest surprise, but for detectors named in `lingering` whose band holds the value."""
        return max(
            (
                each.score
                for each in self.opinions
                if each.detector not in lingering or not each.lower <= self.value <= each.upper
            ),
            default=0.0,
        )


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
        acknowledged: Whether the operator has seen it.
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

    @classmethod
    def from_observation(cls, observation: Observation) -> Incident:
        """An incident that begins with this observation."""
        leading = observation.opinions[0]
        peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        incident = cls(observation.time, leading.kind, observation, peak)
        incident.extend(observation)
        return incident

    def extend(self, observation: Observation) -> None:
        """Add an exceeding observation: evidence, peak, count and kind."""
        self.last = observation
        self.count += 1
        leading = observation.opinions[0]
        for opinion in observation.opinions:
            if opinion.score < observation.threshold:
                break
            known = self.evidence.get(opinion.detector)
            if known is None:
                self.evidence[opinion.detector] = Evidence(opinion.score, observation.time)
                self.news = True
            else:
                known.score = max(known.score, opinion.score)
        if leading.score > self.peak.score:
            self.peak = Peak(observation.value, leading.score, observation.time, observation.contributions)
        if observation.value > leading.expected:
            self.above += 1
        elif observation.value < leading.expected:
            self.below += 1
        self._rename(leading)

    def _rename(self, leading: Opinion) -> None:
        kind = self.kind
        if leading.score >= self.peak.score and leading.kind != "missing" and kind in {"spike", "rate", "missing"}:
            kind = leading.kind
        sides = self.above + self.below
        if kind in {"spike", "rate"} and sides >= PERSISTENT:
            kind = "level_shift" if max(self.above, self.below) >= SIDES_AGREE * sides else "variance"
        if kind != self.kind:
            self.kind = kind
            self.news = True

    @property
    def threshold(self) -> float:
        """The raising level that the last observation was held against."""
        return self.last.threshold

    def current_severity(self) -> int:
        """Severity by the worst moment so far."""
        return severity_of(self.peak.score, self.threshold)

    def worth_an_update(self, time: float, update_s: float) -> bool:
        """Whether subscribers should hear of it again: a worse class at once, other news now and then."""
        if severity_class(self.current_severity()) > severity_class(self.severity):
            return True
        return self.news and time - self.updated >= update_s

    def snapshot(self) -> Incident:
        """A copy that stays as it is while the incident goes on."""
        evidence = {name: replace(each) for name, each in self.evidence.items()}
        return replace(self, evidence=evidence, peak=replace(self.peak))

    def publish(self, time: float) -> int:
        """Note that a transition is being published; returns its number within the incident, from 0."""
        self.severity = self.current_severity()
        self.updated = time
        self.news = False
        self.published += 1
        return self.published - 1


class Transition(Enum):
    """What an event says about an incident; the words of the event schema."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    EXPIRED = "expired"


@dataclass(slots=True)
class Tracker:
    """The state machine of one sensor.

    Attributes:
        state: Where the sensor stands.
        incident: Its open incident, or None.
        calm: Calm readings in a row since the last one that wasn't.
        since: When the incident was raised, or its level began to be learned; maintenance puts it off.
    """

    state: State = State.NORMAL
    incident: Incident | None = None
    calm: int = 0
    since: float = 0.0

    def __post_init__(self) -> None:
        if self.incident is not None and not self.since:  # as version 0.1 saved it
            self.since = self.incident.started

    @property
    def may_linger(self) -> bool:
        """Whether a detector's surprise may be about what is over: after an incident was raised by it."""
        return self.state in {State.OPEN, State.CALMING, State.SETTLING}

    def calm_signal(self, clear_after: int, *, lingers: bool) -> Signal:
        """What a calm reading means.

        Args:
            clear_after: Calm readings in a row that clear an incident.
            lingers: Whether a detector that smooths is still surprised.
        """
        if self.state is State.SETTLING:
            return Signal.SETTLES if lingers else Signal.CALM_ENOUGH
        if self.calm + 1 < clear_after:
            return Signal.CALM
        return Signal.SETTLES if lingers and self.may_linger else Signal.CALM_ENOUGH

    def step(self, signal: Signal, observation: Observation, update_s: float) -> tuple[Transition, Incident] | None:
        """Move on by one signal.

        Args:
            signal: What happened; it must be one that `TABLE` knows in this state.
            observation: The reading or silence behind it.
            update_s: Seconds between two updates of an incident that isn't getting worse.

        Returns:
            The transition to publish and its incident, or None.
        """
        self.state, action = TABLE[self.state, signal]
        self.calm = self.calm + 1 if signal in {Signal.CALM, Signal.CALM_ENOUGH, Signal.SETTLES} else 0
        if action in {Action.RAISE, Action.EXPIRE}:
            self.since = observation.time
        if action is Action.RAISE:
            self.incident = Incident.from_observation(observation)
            return Transition.RAISED, self.incident
        incident = self.incident
        if incident is None or action is Action.NOTHING:
            return None
        if action is Action.EXTEND:
            incident.extend(observation)
            if incident.worth_an_update(observation.time, update_s):
                return Transition.UPDATED, incident
            return None
        self.incident = None
        self.calm = 0
        return (Transition.CLEARED if action is Action.CLEAR else Transition.EXPIRED), incident
