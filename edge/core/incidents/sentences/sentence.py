"""The sentence that an operator reads: what is wrong with which sensor, and what was expected."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.incidents.incident import ERROR_KIND, PEERS_KIND, Incident
from edge.core.incidents.sentences.bands import violated
from edge.core.incidents.sentences.condition_clauses import SETTLES, condition_clause, digits_beside, expectation
from edge.core.incidents.sentences.limit_sentences import broken_sentence, kept_sentence, limit_clause
from edge.core.incidents.sentences.pace_sentences import jump_clause, pace_clause, pace_words
from edge.core.incidents.sentences.peer_sentences import peer_sentence
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.trend_sentences import no_longer
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.notation.quantities import duration, ends_of, quantity
from edge.core.scoring.opinions import COUNTER, GAUGE, OF_TRENDS, Observation

TURNS_OUT = {
    COUNTER: "turns out to be a counter, at {}; how fast it counts is judged from here on",
    GAUGE: "turns out to be no counter, at {}; its values are judged from here on",
}
"""The end of an incident of a sensor that is judged otherwise from then on."""

OF_HOURS = frozenset({"contextual", "state", *SETTLES})
"""Kinds that may be over because the hour is, while the value stays as it was."""

WORTH_SAYING_S = 60.0
"""For how long an incident has lasted is said from here on."""

MOST_NAMED = 3
WORTH_NAMING = 0.1
"""Maximum number of a device's sensors named in its sentence, and minimum share in the score to be named."""

ANSWERS = {
    Transition.ACKNOWLEDGED: "was acknowledged",
    Transition.SHELVED: "was shelved",
    Transition.UNSHELVED: "is no longer shelved, and still raised",
}


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
    return f"{sensor} {_learned(change, value, digits)}{since(change)}"


def since(change: SensorChange) -> str:
    """For how long an incident that goes on has lasted, as the end of a sentence that doesn't say so otherwise."""
    opinion, per = change.opinion, change.observation.per
    of_durations = opinion is not None and opinion.kind in {"flatline", "state"}
    of_pace = bool(per) and opinion is not None and opinion.kind != change.incident.kind
    says_so = change.is_return or (of_durations and not of_pace) or (change.is_silence and bool(change.silent))
    return "" if says_so else lasting(change)


def lasting(change: SensorChange) -> str:
    """For how long an incident that goes on has lasted, as the end of a sentence."""
    is_later = (
        change.transition is Transition.UPDATED and change.observation.time - change.incident.started >= WORTH_SAYING_S
    )
    return f"; unusual for {change.lasted}" if is_later else ""


def _beside_limits(change: SensorChange) -> SensorChange:
    """The same change with the band that was learned instead of the range that a limit allows."""
    opinion = change.opinion
    return change if opinion is None else change._replace(band=violated(opinion, change.observation, ended=False))


def _learned(change: SensorChange, value: str, digits: int) -> str:
    """Describe an open incident by learned behaviour."""
    unit, incident, observation = change.unit, change.incident, change.observation
    band, opinion = change.band, change.opinion
    if change.is_return:
        return f"reports again: {value}, but what was wrong before isn't over yet"
    if observation.has_jumped:
        return jump_clause(unit, observation)
    if observation.per and (opinion is None or opinion.kind != "missing"):
        return pace_clause(unit, observation, opinion, incident.kind, band)
    if change.is_silence:
        return _silent(change, value)
    return condition_clause(change, value, digits)


def _silent(change: SensorChange, value: str) -> str:
    """Describe a silence: how long it is, and how often there is a reading otherwise."""
    every = f", usually a reading every {duration(change.interval)}" if change.interval > 0 else ""
    return (
        f"{f'has been silent for {change.silent}{every}' if change.silent else 'is silent'}; its last value was {value}"
    )


def _ended(change: SensorChange, value: str) -> str:
    """Describe the end of an incident of learned behaviour."""
    kind, is_over = change.incident.kind, change.transition is Transition.CLEARED
    if change.observation.becomes:
        return TURNS_OUT[change.observation.becomes].format(value)
    if kind == ERROR_KIND:
        again = f"has a real value again after {change.lasted}: {value}"
        return again if is_over else f"sends {value}, which is taken as a real value from here on"
    if is_over and kind == "missing":
        how_long = f"{change.silent} of silence" if change.silent else f"{change.lasted} of alarm"
        return f"reports again after {how_long}: {value}"
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
