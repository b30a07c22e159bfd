"""The band quoted in an event: the range that the reported condition would have considered ordinary.

It is the band of the detector furthest beyond its raising level, at that level, or the range that the operator's limit
allows. While an incident is open, a band that contains the value is omitted: it isn't what was violated and would
contradict the event. It ends where the sensor's possible values do: a detector's band is as wide as its scatter, and a
switch would be between -1 and 2. That of a counter's pace which is beyond all usual ones is their end, so that what is
called usual stays the same while the incident lasts.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from edge.core.incidents.incident import ERROR_KIND, PEERS_KIND
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.limit_sentences import is_beyond
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.notation.quantities import MOST_DIGITS, number
from edge.core.scoring.consequence import UNKNOWN, Yardstick
from edge.core.scoring.limit_conditions import LimitCondition, worst_of
from edge.core.scoring.opinions import Observation, Opinion

CLOSE = 1 / 8
"""A value within this share of a band's width from the middle, about a standard deviation, is what was expected."""

WHOLES = (1.0, 100.0)
"""A sensor that goes exactly from 0 to one of these is a switch or a share; in percent it need not reach the end."""


class PossibleValues(NamedTuple):
    """The ends of what a sensor can be; infinite where nothing is known."""

    lowest: float = -math.inf
    highest: float = math.inf

    @classmethod
    def of(cls, usual: Yardstick, lowest: float, unit: str = "") -> PossibleValues:
        """What follows from the values of a sensor.

        Args:
            usual: Its usual range before the incident.
            lowest: Its lowest value so far, whatever was wrong; minus infinity if unknown.
            unit: The unit of its values.
        """
        if not (lowest >= 0 or usual.low >= 0):
            return cls()
        if unit == "%" and usual.high <= WHOLES[-1]:
            return cls(0.0, WHOLES[-1])
        return cls(0.0, usual.high if usual.low == 0 and usual.high in WHOLES else math.inf)

    def end(self, bound: float) -> float:
        """The end of a range, moved to the nearest possible value; NaN stays so."""
        return min(max(bound, self.lowest), self.highest)

    def band_of(self, opinion: Opinion) -> Opinion:
        """An opinion whose band and expected value are possible."""
        ends = [self.end(each) for each in (opinion.lower, opinion.expected, opinion.upper)]
        return replace(opinion, lower=ends[0], expected=ends[1], upper=ends[2])


def leading_opinion(finding: IncidentChange) -> Opinion | None:
    """The opinion reported by an event: of a new kind, of the kind that names the incident, or the worst.

    A value outside its range is a fact, and speaks before how unsteady it is.
    """
    chosen = _worst_opinion(finding)
    if chosen is None or chosen.kind != "variance":
        return chosen
    value, others = finding.observation.value, finding.observation.opinions
    return next((each for each in others if each.exceeds and (value < each.lower or value > each.upper)), chosen)


def _worst_opinion(finding: IncidentChange) -> Opinion | None:
    incident = finding.incident
    for opinion in finding.observation.opinions if finding.transition is Transition.UPDATED else ():
        if opinion.exceeds and incident.began_with(opinion.kind, finding.observation.time):
            return opinion
    for opinions in (finding.observation.opinions, incident.last.opinions):
        beyond = [each for each in opinions if each.exceeds]
        if beyond:
            return next((each for each in beyond if each.kind == incident.learned_kind), beyond[0])
    return next(iter(finding.observation.opinions), None)


def band_of(finding: IncidentChange, opinion: Opinion | None, unit: str = "") -> Opinion | None:
    """The band shown by an event: the range allowed by the reported limit, or learned to be ordinary.

    Args:
        finding: The reported change.
        opinion: The reported opinion.
        unit: The unit of the sensor's values.
    """
    incident, observation = finding.incident, finding.observation
    if incident.kind in {ERROR_KIND, PEERS_KIND} or observation.deviation is not None:
        return None
    if finding.transition is Transition.CLEARED and incident.left:
        return _allowed(worst_of(incident.left))
    worst = incident.worst_limit
    if worst is not None:
        return _allowed(worst) if is_beyond(worst, observation) else None
    if opinion is None or opinion.is_trend or "missing" in {incident.kind, opinion.kind} or observation.has_jumped:
        return None
    if all(math.isnan(each) for each in (opinion.expected, opinion.lower, opinion.upper)):
        expects = next((each for each in observation.opinions if not math.isnan(each.expected)), opinion)
        opinion = replace(expects, lower=math.nan, upper=math.nan)
    usual = UNKNOWN if incident.extent is None else incident.extent.yardstick
    ended = finding.transition in ENDS
    if observation.per and usual.beyond(observation.value) and not ended:
        is_below = observation.value < usual.low  # the other end may have moved to where an incident went
        return replace(opinion, lower=usual.low if is_below else math.nan, upper=math.nan if is_below else usual.high)
    possible = PossibleValues.of(usual, 0.0 if observation.per else finding.summary.lowest, unit)
    return violated(possible.band_of(opinion), observation, ended=ended)


def violated(opinion: Opinion, observation: Observation, *, ended: bool) -> Opinion:
    """An opinion without its band if that contains the value, unless the incident has ended, when it should.

    What was expected is omitted as well if the value is so close to it that this can't be what is wrong.
    """
    if ended or observation.value < opinion.lower or observation.value > opinion.upper:
        return opinion
    away, width = abs(observation.value - opinion.expected), opinion.upper - opinion.lower
    is_same = number(opinion.expected, MOST_DIGITS) == number(observation.value, MOST_DIGITS) or away < CLOSE * width
    return replace(opinion, expected=math.nan if is_same else opinion.expected, lower=math.nan, upper=math.nan)


def _allowed(condition: LimitCondition | None) -> Opinion | None:
    if condition is None:
        return None
    limit = condition.limit
    return Opinion(limit.detector, limit.kind, limit.score, math.nan, limit.lower, limit.upper)
