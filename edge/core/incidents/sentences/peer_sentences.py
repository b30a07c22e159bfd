"""Sentences about sensors that behave unlike their peers."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.core.incidents.incident import PEERS_KIND, Incident
from edge.core.incidents.sentences.bands import PossibleValues
from edge.core.incidents.sentences.pace_sentences import pace_words
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.quantities import digits_apart, duration, ends_of, number, quantity, range_text
from edge.core.scoring.opinions import Observation
from edge.core.scoring.peers.deviation import PeerDeviation

MANY_TIMES = 10.0
"""Share of what peers suggest from which it is given as a multiple instead of a percentage."""


def peer_sentence(sensor: str, unit: str, transition: Transition, incident: Incident, observation: Observation) -> str:
    """Describe a transition of an incident by a comparison with peers, in one sentence.

    Args:
        sensor: Name of the sensor.
        unit: Unit of its values, for a counter of what it counts; may be empty.
        transition: The transition of the incident.
        incident: The incident as it stands now.
        observation: What caused the transition.
    """
    found = _possible(observation.deviation, incident)
    lasted = duration(max(0.0, observation.time - incident.started))
    about = found if found is not None else incident.deviation
    unit = pace_words(unit, 0.0 if about is None else about.per)
    if about is not None and about.companions:
        return _companion_sentence(sensor, unit, transition, incident, found, about, lasted)
    if transition is Transition.EXPIRED:
        return f"{sensor} has differed from its peers for {lasted}; that is taken as normal from here on"
    if transition is Transition.CLEARED or (found is not None and incident.deviation is None):
        agrees = f"{sensor} agrees with {_peers(found)} again"
        return f"{agrees} after {lasted}" if incident.kind == PEERS_KIND else f"{agrees}, but not yet calm"
    if found is None or not found.peers:  # the last comparison may be days old, so its figures aren't repeated
        peers = _peers(incident.deviation)
        if transition is Transition.RAISED:  # until now it belonged to another incident
            return f"{sensor} has differed from {peers} for {lasted}{_although(incident)}"
        return f"{sensor} still differs from {peers}{_although(incident)}"
    over = f"over the last {duration(found.over_s)}"
    return f"{sensor} {_differs(unit, found)} {over}; {_usually(unit, found)}"


def _possible(found: PeerDeviation | None, incident: Incident) -> PeerDeviation | None:
    """A deviation whose range, of values or shares of them, is one that the sensor can have."""
    if found is None or incident.extent is None or not (found.is_share or found.companions):
        return found
    possible = PossibleValues.of(incident.extent.yardstick, 0.0 if found.per else -math.inf)
    if found.is_share:
        possible = PossibleValues(possible.lowest)
    return replace(found, lower=possible.end(found.lower), upper=possible.end(found.upper))


def _companion_sentence(
    sensor: str,
    unit: str,
    transition: Transition,
    incident: Incident,
    found: PeerDeviation | None,
    about: PeerDeviation,
    lasted: str,
) -> str:
    """The same for a comparison within the sensor's device."""
    others = _listed(about.companions)
    if transition is Transition.EXPIRED:
        return f"{sensor} hasn't followed {others} for {lasted}; that is taken as normal from here on"
    if transition is Transition.CLEARED or (found is not None and found.peers and incident.deviation is None):
        follows = f"{sensor} follows {others} again"
        return f"{follows} after {lasted}" if incident.kind == PEERS_KIND else f"{follows}, but is not yet calm"
    if found is None or not found.peers:
        if transition is Transition.RAISED:
            return f"{sensor} hasn't followed {others} for {lasted}{_although(incident)}"
        return f"{sensor} still doesn't follow {others}{_although(incident)}"
    digits = digits_apart(found.now, found.lower, found.upper, least=3)
    mean = f"{quantity(found.now, unit, digits)} over the last {duration(found.over_s)}"
    they = "that suggests" if len(found.companions) == 1 else "they suggest"
    suggested = range_text(*ends_of(found.lower, found.upper, found.now))
    of_unit = f" {unit}" if unit else ""
    return f"{sensor} no longer follows {others}: {mean}, where {they} {suggested}{of_unit}"


def _although(incident: Incident) -> str:
    """What was said before and holds no longer, as the end of a sentence."""
    return ", although its own level is taken as normal from here on" if incident.adopted else ""


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _peers(deviation: PeerDeviation | None) -> str:
    return f"its {deviation.peers} peers" if deviation is not None and deviation.peers else "its peers"


def _differs(unit: str, deviation: PeerDeviation) -> str:
    now = deviation.now
    if deviation.is_share and now >= MANY_TIMES:
        return f"gives {number(now, 2)} times what its {deviation.peers} peers suggest"
    if deviation.is_share:
        share = _apart(100 * now, 100 * deviation.lower, 100 * deviation.upper)
        return f"gives {share} % of what its {deviation.peers} peers suggest"
    side, away = ("above", now) if now > 0 else ("below", -now)
    sign = 1 if now > 0 else -1
    digits = digits_apart(away, sign * deviation.lower, sign * deviation.upper, least=3)
    return f"is {quantity(away, unit, digits)} {side} what its {deviation.peers} peers suggest"


def _apart(value: float, *ends: float) -> str:
    """A percentage with as many digits as it takes to tell it from the ends of a range."""
    return number(value, digits_apart(value, *ends, least=2 if abs(value) < 100 else 3))


def _usually(unit: str, deviation: PeerDeviation) -> str:
    factor = 100.0 if deviation.is_share else 1.0
    lower, upper = ends_of(factor * deviation.lower, factor * deviation.upper, factor * deviation.now)
    if deviation.is_share:
        return f"usually {range_text(f'{lower} %', f'{upper} %')}"
    of_unit = f" {unit}" if unit else ""
    return f"usually {range_text(_signed(lower), _signed(upper))}{of_unit}"


def _signed(text: str) -> str:
    return text if text.startswith("-") or text == "0" else f"+{text}"
