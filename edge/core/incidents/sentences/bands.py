"""The band that an event quotes: what the condition that the event is about would have called ordinary.

It is the band of the detector that goes farthest beyond its raising level, at that level, or what the operator's limit
allows. While an incident is open, a band that holds the value is none: it isn't what was violated, and would contradict
the event. What a sensor was never seen to do isn't promised either: no band reaches below zero if no reading did.
"""

from __future__ import annotations

import math
from dataclasses import replace

from edge.core.incidents.incident import ERROR_KIND
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.limit_sentences import is_beyond
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.limit_conditions import LimitCondition, worst_of
from edge.core.scoring.opinions import Observation, Opinion

ENDS = frozenset({Transition.CLEARED, Transition.EXPIRED})


def leading_opinion(finding: IncidentChange) -> Opinion | None:
    """The opinion that an event is about: of a new kind, or of that which the incident is called by, or the worst."""
    incident = finding.incident
    for opinion in finding.observation.opinions if finding.transition is Transition.UPDATED else ():
        if opinion.exceeds and incident.began_with(opinion.kind, finding.observation.time):
            return opinion
    for opinions in (finding.observation.opinions, incident.last.opinions):
        beyond = [each for each in opinions if each.exceeds]
        if beyond:
            return next((each for each in beyond if each.kind == incident.learned_kind), beyond[0])
    return next(iter(finding.observation.opinions), None)


def band_of(finding: IncidentChange, opinion: Opinion | None) -> Opinion | None:
    """The band that an event shows: what the limit that it is about allows, or what was learned to be ordinary.

    Args:
        finding: What the event is about.
        opinion: The opinion that it is about.
    """
    incident, observation = finding.incident, finding.observation
    if incident.kind == ERROR_KIND:
        return None
    if finding.transition is Transition.CLEARED and incident.left:
        return _allowed(worst_of(incident.left))
    worst = incident.worst_limit
    if worst is not None:
        return _allowed(worst) if is_beyond(worst, observation) else None
    if opinion is None or "missing" in {incident.kind, opinion.kind}:
        return None
    if all(math.isnan(each) for each in (opinion.expected, opinion.lower, opinion.upper)):
        expects = next((each for each in observation.opinions if not math.isnan(each.expected)), opinion)
        opinion = replace(expects, lower=math.nan, upper=math.nan)
    return violated(
        _possible(opinion, 0.0 if observation.per else finding.summary.lowest),
        observation,
        ended=finding.transition in ENDS,
    )


def violated(opinion: Opinion, observation: Observation, *, ended: bool) -> Opinion:
    """An opinion without its band if this holds the value, unless the incident has ended: then it should."""
    if ended or observation.value < opinion.lower or observation.value > opinion.upper:
        return opinion
    return replace(opinion, lower=math.nan, upper=math.nan)


def _possible(opinion: Opinion, lowest: float) -> Opinion:
    """An opinion whose band doesn't reach below zero if the sensor's lowest reading didn't."""
    if lowest >= 0 and opinion.lower < 0:
        return replace(opinion, lower=0.0, expected=max(opinion.expected, 0.0), upper=max(opinion.upper, 0.0))
    return opinion


def _allowed(condition: LimitCondition | None) -> Opinion | None:
    if condition is None:
        return None
    limit = condition.limit
    return Opinion(limit.detector, limit.kind, limit.score, math.nan, limit.lower, limit.upper)
