"""The sentence that an operator reads: what is wrong with which sensor, and what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from detectors.daily.drift import DAY
from edge.core.incidents.incident import ERROR_KIND, PEERS_KIND, Incident
from edge.core.incidents.sentences.bands import violated
from edge.core.incidents.sentences.limit_sentences import broken_sentence, kept_sentence, limit_clause
from edge.core.incidents.sentences.pace_sentences import changes_clause, jump_clause, pace_clause, pace_words
from edge.core.incidents.sentences.peer_sentences import peer_sentence
from edge.core.incidents.sentences.state_sentences import state_clause
from edge.core.incidents.sentences.trend_sentences import no_longer, trend_clause
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.notation.quantities import digits_apart, duration, ends_of, number, quantity, range_text
from edge.core.scoring.opinions import COUNTER, GAUGE, OF_TRENDS, Observation, Opinion

SAYS = {
    "spike": "is at",
    "level_shift": "has shifted to",
    "drift": "has drifted to",
    "trend": "moves on day by day, now at",
    "variance": "is unsteady, now",
    "flatline": "is stuck at",
    "range": "is beyond its limits at",
    "rate": "has jumped to",
    "contextual": "is unusual for this time, at",
    "state": "is in an unusual state, at",
    "correlation": "no longer moves with its device, at",
    "clock": "has a wrong clock, at",
}

SETTLES = {"rate": "has settled at", "variance": "is steady again at", "flatline": "changes again, at"}
"""The end of conditions that say nothing about the level, which may be new."""

TURNS_OUT = {
    COUNTER: "turns out to be a counter, at {}; how fast it counts is judged from here on",
    GAUGE: "turns out to be no counter, at {}; its values are judged from here on",
}
"""The end of an incident of a sensor that is judged otherwise from then on."""

COURSE = "takes an unusual course, now at"
"""Of a value that is where it is expected at this time."""

OF_HOURS = frozenset({"contextual", "state", *SETTLES})
"""Kinds that may be over because the hour is, while the value stays as it was."""

MOST_NAMED = 3
WORTH_NAMING = 0.1
"""Maximum number of a device's sensors named in its sentence, and minimum share in the score to be named."""

ANSWERS = {
    Transition.ACKNOWLEDGED: "was acknowledged",
    Transition.SHELVED: "was shelved",
    Transition.UNSHELVED: "is no longer shelved, and still raised",
}


class SensorChange(NamedTuple):
    """A transition of a sensor's incident.

    Attributes:
        sensor: Name of the sensor.
        unit: Unit of its values; may be empty.
        transition: The transition of the incident.
        incident: The incident as it stands now.
        observation: The reading or silence that caused it.
        band: The opinion whose band is shown, or None.
        opinion: The reported opinion, or None.
        interval: Seconds between two readings; 0 if unknown.
    """

    sensor: str
    unit: str
    transition: Transition
    incident: Incident
    observation: Observation
    band: Opinion | None
    opinion: Opinion | None = None
    interval: float = 0.0

    @property
    def is_silence(self) -> bool:
        """Whether readings are missing."""
        return self.incident.kind == "missing" or (self.opinion is not None and self.opinion.kind == "missing")

    @property
    def is_return(self) -> bool:
        """Whether a silent sensor reports again while its incident, which began with something else, continues."""
        observation, incident = self.observation, self.incident
        is_bare = incident.last is observation and not (observation.opinions or observation.broken)
        return is_bare and self.transition is Transition.UPDATED and incident.kind != ERROR_KIND

    @property
    def joins(self) -> bool:
        """Whether the reported opinion is of a kind that the open incident hasn't shown before."""
        opinion = self.opinion
        is_new = opinion is not None and self.incident.began_with(opinion.kind, self.observation.time)
        return is_new and self.transition is Transition.UPDATED

    @property
    def lasted(self) -> str:
        """The duration of the incident as text."""
        return duration(max(0.0, self.observation.time - self.incident.started))


def sentence(change: SensorChange) -> str:
    """Describe a transition in one sentence."""
    sensor, unit, transition, incident, observation, *_ = change
    if transition not in ANSWERS and (observation.deviation is not None or incident.kind == PEERS_KIND):
        return peer_sentence(sensor, unit, transition, incident, observation)
    per = 0.0 if incident.kind == ERROR_KIND else observation.per
    return _about_values(change._replace(unit=pace_words(unit, per)))


def _about_values(change: SensorChange) -> str:
    """Describe a transition by the sensor's own values, whatever its peers do."""
    sensor, unit, transition, incident, observation, band, *_ = change
    digits = digits_beside(observation.value, band)
    value = quantity(observation.value, unit, digits)
    if transition in ANSWERS:
        clause = limit_clause(unit, incident, observation)
        return f"{sensor} {ANSWERS[transition]} after {change.lasted}, at {value}{clause}"
    if incident.kind == ERROR_KIND and transition not in ENDS:
        again = "still " if transition is Transition.UPDATED and incident.errors > 1 else ""
        sent = value if incident.error is None else quantity(incident.error, unit, digits)
        return f"{sensor} {again}sends {sent}, an error value"
    if incident.left:
        kept = kept_sentence(sensor, unit, observation, incident.left)
        return f"{kept}, after {change.lasted}" if transition is Transition.CLEARED else f"{kept}{_rest(change)}"
    if transition in ENDS:
        return f"{sensor} {_ended(change, value)}"
    if incident.worst_limit is not None:
        broken = broken_sentence(sensor, unit, observation, incident.worst_limit)
        joins = change.joins and incident.worst_limit.since < observation.time
        return f"{broken}; it {_learned(_beside_limits(change), value, digits)}" if joins else broken
    return f"{sensor} {_learned(change, value, digits)}"


def _beside_limits(change: SensorChange) -> SensorChange:
    """The same change with the band that was learned instead of the range that a limit allows."""
    opinion = change.opinion
    return change if opinion is None else change._replace(band=violated(opinion, change.observation, ended=False))


def _learned(change: SensorChange, value: str, digits: int) -> str:
    """Describe an open incident by learned behaviour."""
    _, unit, transition, incident, observation, band, opinion, _ = change
    if change.is_return:
        return f"reports again: {value}, but what was wrong before isn't over yet"
    if not math.isnan(observation.jumped_from):
        return jump_clause(unit, observation)
    if observation.per and (opinion is None or opinion.kind != "missing"):
        lasting = observation.time - incident.started if transition is Transition.UPDATED else 0.0
        return pace_clause(unit, observation, opinion, incident.kind, band, lasting)
    if change.is_silence:
        return f"is silent; its last value was {value}"
    return _named(change, value, digits)


def _named(change: SensorChange, value: str, digits: int) -> str:
    """Describe an open incident by what it is called, or by the kind that has joined it."""
    _, unit, transition, incident, observation, band, opinion, interval = change
    is_other = incident.kind in SETTLES and opinion is not None and opinion.exceeds  # what keeps it open now
    kind = opinion.kind if opinion is not None and (change.joins or is_other) else incident.kind
    if opinion is not None and opinion.about and kind == opinion.kind == "state":
        return state_clause(observation.value, unit, opinion)
    if opinion is not None and (clause := measured(value, unit, kind, observation.value, opinion, interval)):
        return clause
    again = "still " if transition is Transition.UPDATED and kind != "variance" and not change.joins else ""
    is_its_own = opinion is None or (kind == "state") == (opinion.kind == "state")
    expected = expectation(band, observation.value, unit, digits) if is_its_own else ""
    if kind == "contextual" and not expected:
        return f"{again}{COURSE} {value}"
    if kind in {"spike", "level_shift"} and not expected and (before := _before(incident, observation.value, unit)):
        is_within = incident.extent is not None and not incident.extent.yardstick.beyond(observation.value)
        return f"{again}{COURSE if is_within else SAYS[kind]} {value}{before}"
    verb = SAYS[kind].replace("is ", f"is {again}", 1) if again else SAYS[kind]
    return f"{verb} {value}{expected}"


def measured(value: str, unit: str, kind: str, at: float, opinion: Opinion, interval: float) -> str:
    """Describe a condition that isn't about the value itself, in its own quantity; empty if it is about the value.

    Args:
        value: The value as text.
        unit: Its unit.
        kind: Kind of the incident.
        at: The value.
        opinion: The reported opinion.
        interval: Seconds between two readings; 0 if unknown.
    """
    if kind != opinion.kind:
        return ""
    now, usual = opinion.now, opinion.usual
    if kind == "flatline" and math.isfinite(now):
        long, most = f"{number(now)} times", f"{number(usual)} times"
        if interval > 0:
            long, most = f"for {duration(now * interval)}", duration(usual * interval)
        return f"has repeated {value} {long}, {most} at most so far"
    if kind == "variance" and math.isfinite(now):
        return f"is unsteady, at {value}: it {changes_clause('reading', now, usual, unit)}"
    if kind in {"drift", OF_TRENDS} and math.isfinite(now):
        return drift_clause(value, unit, opinion) if kind == "drift" else trend_clause(unit, opinion)
    if kind == "rate" and math.isfinite(reach := opinion.upper - opinion.expected):
        if usual > 0:  # what steps really were; the end of the band is where one is surprising
            reach = min(reach, usual)
        step = abs(at - opinion.expected)
        digits = digits_apart(step, reach, least=3)
        jumped = "jumped" if at >= opinion.expected else "dropped"
        usually = f"steps are usually up to {quantity(reach, unit, digits)}"
        return f"has {jumped} by {number(step, digits)} to {value}; {usually}"
    return ""


def drift_clause(value: str, unit: str, opinion: Opinion) -> str:
    """Describe a mean that is beyond those of all previous days, or that hasn't returned for a day."""
    now, usual = opinion.now, opinion.usual
    digits = digits_apart(now, usual, least=4)
    if opinion.about == DAY:
        way, most = ("below", "less") if now > usual else ("above", "more")
        nearest = f"its mean over an hour hasn't been {way} {number(now, digits)} for a day"
        return f"is at {value}: {nearest}, on each day before it was {quantity(usual, unit, digits)} or {most}"
    usually = f"usually {quantity(usual, unit, digits)} at {'most' if now > usual else 'least'}"
    return f"has drifted to {value}: its mean over {opinion.about} is {number(now, digits)}, {usually}"


def digits_beside(value: float, band: Opinion | None) -> int:
    """Number of digits needed to distinguish a value from the ends of a band."""
    ends = () if band is None else (band.lower, band.upper, band.expected)
    return digits_apart(value, *ends, least=4)


def _ended(change: SensorChange, value: str) -> str:
    """Describe the end of an incident of learned behaviour."""
    kind, is_over = change.incident.kind, change.transition is Transition.CLEARED
    if change.observation.becomes:
        return TURNS_OUT[change.observation.becomes].format(value)
    if kind == ERROR_KIND:
        again = f"has a real value again after {change.lasted}: {value}"
        return again if is_over else f"sends {value}, which is taken as a real value from here on"
    if is_over and kind == "missing":
        return f"reports again after {change.lasted} of alarm: {value}"
    if is_over:
        returns = change.incident.course.returns
        came = f", in which it came and went {returns + 1} times" if returns else ""
        over = "is usual again for this time, at" if _only_the_hour_is_over(change) else _over(change.incident)
        return f"{over} {value} after {change.lasted}{came}"
    if kind == "missing":
        return f"has been silent for {change.lasted}; that is taken as normal from here on"
    return f"{_did(change)} for {change.lasted}; that is taken as normal from here on"


def _did(change: SensorChange) -> str:
    """What the value has done during an incident that is adopted."""
    _, unit, _, incident, observation, *_ = change
    course, value = incident.course, observation.value
    unsteady = "unsteady, " if incident.kind == "variance" else ""
    low, high = ends_of(min(course.lowest, value), max(course.highest, value), value)
    if low == high:
        return f"has been {unsteady}at {quantity(value, unit)}"
    return f"has been {unsteady}between {low} and {high}{f' {unit}' if unit else ''}"


def _over(incident: Incident) -> str:
    """What has ended; only an incident about the level itself shows that this is back to normal."""
    if incident.conditions.keys() == {OF_TRENDS}:
        return no_longer(incident)
    if not incident.conditions.keys() <= SETTLES.keys():
        return "is back to normal at"
    return SETTLES.get(incident.kind, SETTLES["rate"])


def _only_the_hour_is_over(change: SensorChange) -> bool:
    """Whether the value is still where it was unusual, which is usual at the present time of day."""
    incident, value = change.incident, change.observation.value
    shown = [each for each in incident.last.opinions if each.exceeds]
    by_hours = any(each.kind == "contextual" or each.about in {"hour", "hours", "rest"} for each in shown)
    extent = incident.extent
    return (
        by_hours
        and incident.conditions.keys() <= OF_HOURS
        and extent is not None
        and extent.lowest <= value <= extent.highest
    )


def _before(incident: Incident, value: float, unit: str) -> str:
    """Where a value usually was before the incident, as the end of a sentence; empty if unknown."""
    if incident.extent is None or math.isnan(incident.extent.yardstick.low):
        return ""
    usual = incident.extent.yardstick
    low, high = ends_of(usual.low, usual.high, value)
    return f"; before, it was usually {range_text(low, high)}{f' {unit}' if unit else ''}"


def _rest(change: SensorChange) -> str:
    """Why the incident continues although a limit is no longer broken, as the end of a sentence."""
    _, unit, _, incident, observation, band, *_ = change
    clause = limit_clause(unit, incident, observation, ", but still ")
    if clause:
        return clause
    if band is None or not (observation.value < band.lower or observation.value > band.upper):
        return ", but not yet calm"
    return expectation(band, observation.value, unit).replace(",", ";", 1)


def device_sentence(
    device: str,
    transition: Transition,
    incident: Incident,
    observation: Observation,
    shares: Sequence[tuple[str, float]],
    sensors: int = 0,
) -> str:
    """Describe a transition of a device in one sentence: what its sensors do together, and which contribute most.

    The device's value, a distance, means nothing to people and is left out. A device that reports itself gone is
    offline.

    Args:
        device: Its name.
        transition: The transition of the incident.
        incident: The incident as it stands now.
        observation: The row or silence that caused it.
        shares: Names of sensors and their shares in the score, largest first.
        sensors: Number of its sensors, if it reports itself gone.
    """
    name, shifted = device.rstrip("/"), incident.kind == "level_shift"
    lasted = duration(max(0.0, observation.time - incident.started))
    if transition not in ANSWERS and incident.kind == "missing":
        return _offline(name, transition, lasted, sensors)
    if transition is Transition.CLEARED:
        return (
            f"The sensors of {name} {'are back where they were' if shifted else 'move together again'} after {lasted}"
        )
    if transition in ANSWERS:
        return f"The incident of {name} {ANSWERS[transition]} after {lasted}"
    if transition is Transition.EXPIRED:
        return f"What the sensors of {name} have done for {lasted} is taken as normal from here on"
    does = f"The sensors of {name} {'have shifted together' if shifted else 'no longer move together'}"
    worst = [each for each in shares[:MOST_NAMED] if each[1] >= WORTH_NAMING] or shares[:1]
    named = ", ".join(f"{sensor.removeprefix(device)} {share:.0%}" for sensor, share in worst)
    return f"{does}: {named}" if named else does


def _offline(device: str, transition: Transition, lasted: str, sensors: int) -> str:
    """Describe a device that reports its availability."""
    if transition is Transition.CLEARED:
        return f"{device} is online again after {lasted}"
    if transition is Transition.EXPIRED:
        return f"{device} has been offline for {lasted}; that is taken as normal from here on"
    concerned = f", and with it {sensors} sensor{'s' if sensors > 1 else ''}" if sensors else ""
    return f"{device} is {'still ' if transition is Transition.UPDATED else ''}offline{concerned}"


def expectation(band: Opinion | None, value: float, unit: str, digits: int = 4) -> str:
    """The value or range that was expected instead of a value, as the end of a sentence; empty if there is none."""
    if band is None or expects_nothing(band):
        return ""
    if math.isfinite(band.lower) and math.isfinite(band.upper):
        lower, upper = ends_of(band.lower, band.upper, value, digits)
        word = "so far" if band.has_records else "expected"
        return f", {word} {range_text(lower, upper)}{f' {unit}' if unit else ''}"
    if math.isfinite(band.lower):
        return f", expected {quantity(band.lower, unit, digits)} or more"
    if math.isfinite(band.upper):
        return f", expected {quantity(band.upper, unit, digits)} or less"
    return f", usually about {quantity(band.expected, unit, digits)}"


def expects_nothing(band: Opinion) -> bool:
    """Whether an opinion has no expected value or range."""
    return not any(math.isfinite(each) for each in (band.expected, band.lower, band.upper))
