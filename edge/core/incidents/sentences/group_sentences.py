"""Sentences for several incidents with a common cause."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.quantities import duration
from edge.core.scoring.opinions import SETTLING, SUDDEN

MOST_NAMED = 3
"""Maximum number of sensors named in a sentence."""

DOES = {
    "missing": ("is silent", "are silent"),
    "flatline": ("is stuck", "are stuck"),
    "error_value": ("sends an error value", "send error values"),
    "jump": ("has jumped", "have jumped together"),
    "level_shift": ("has shifted", "have shifted together"),
    "drift": ("has drifted", "have drifted together"),
    "trend": ("moves on day by day", "move on day by day"),
    "variance": ("is unsteady", "are unsteady together"),
    "contextual": ("is unusual for this time", "are unusual for this time"),
    "peers": ("differs from its peers", "differ from their peers"),
    "companions": ("no longer follows others of its device", "no longer follow others of their devices"),
    "state": ("isn't as it usually is at this hour", "aren't as they usually are at this hour"),
}
AGAIN = {
    "missing": ("has reported again", "have reported again"),
    "flatline": ("has moved again", "have moved again"),
    "error_value": ("has a real value again", "have real values again"),
    "jump": ("has settled", "have settled"),
    "level": ("is back to normal", "are back to normal"),
    "peers": ("has come back to its peers", "have come back to their peers"),
    "companions": ("follows its device again", "follow their devices again"),
    "state": ("is usual again for this time", "are usual again for this time"),
}
STILL = {
    "missing": ("is still silent", "are still silent"),
    "flatline": ("isn't back to normal yet", "aren't back to normal yet"),
    "error_value": ("still sends an error value", "still send error values"),
    "jump": ("has jumped and hasn't settled", "have jumped together and haven't settled"),
    "level": ("isn't back to normal yet", "aren't back to normal yet"),
    "peers": ("still differs from its peers", "still differ from their peers"),
    "companions": ("still doesn't follow its device", "still don't follow their devices"),
    "state": ("still isn't as it usually is at this hour", "still aren't as they usually are at this hour"),
}
BEEN = {
    "missing": "been silent",
    "flatline": "been stuck",
    "peers": "differed from their peers",
    "companions": "not followed their devices",
    "error_value": "sent the same error values",
    "state": "done what they usually don't at this hour",
}
"""What sensors have done that is taken as normal; others have been at new levels."""

ANSWERS = {
    Transition.ACKNOWLEDGED: "was acknowledged",
    Transition.SHELVED: "was shelved",
    Transition.UNSHELVED: "is no longer shelved, and still raised",
}


class AffectedSensors(NamedTuple):
    """The sensors and devices of several incidents with a common cause.

    Attributes:
        leader: The sensor that was found first.
        sensors: The affected sensors; at the end of the incident, all that were affected.
        ended: Those that aren't affected any more.
        left: Number of those still affected at the end.
        devices: The devices that report themselves gone.
        adopted: Number of those of which what they do was taken as normal, which is why they aren't affected.
        facts: What is known of some affected sensors by name, the most severe first.
    """

    leader: str
    sensors: Sequence[str]
    ended: int
    left: int
    devices: Sequence[str]
    adopted: int = 0
    facts: Mapping[str, str] = {}

    @property
    def named(self) -> list[str]:
        """The sensors in the order in which they are named."""
        return [*self.facts, *(each for each in self.sensors if each not in self.facts)]

    def fact(self, sensor: str) -> str:
        """What is known of a sensor, in parentheses; empty if nothing is."""
        return f" ({self.facts[sensor]})" if sensor in self.facts else ""


def group_sentence(affected: AffectedSensors, change: IncidentChange) -> str:
    """Describe a transition of several sensors with a common cause in one sentence.

    Args:
        affected: The sensors and devices concerned.
        change: The transition; must have a common cause.
    """
    kind = "missing" if change.one_cause is None else change.one_cause.kind
    deviation = change.incident.deviation
    kind = "companions" if kind == "peers" and deviation is not None and deviation.companions else kind
    ends = "level" if kind == "jump" and not change.incident.conditions.keys() <= SETTLING else kind
    lasted = duration(max(0.0, change.observation.time - change.incident.started))
    sensors, where = affected.sensors, common_place(affected.sensors)
    of_all = f"{len(sensors)} sensors{f' of {where}' if where else ''}"
    if change.transition in ANSWERS:
        return f"The incident of {of_all} {ANSWERS[change.transition]} after {lasted}"
    if change.transition is Transition.EXPIRED:
        been = BEEN.get(kind, "been at their new levels")
        who = f"{affected.adopted} of {of_all}" if 0 < affected.adopted < len(sensors) else of_all
        return f"{who} have {been} for {lasted}; that is taken as normal from here on"
    if change.transition is Transition.CLEARED:
        back = len(sensors) - affected.left - affected.adopted
        who = f"{back} of {of_all}" if back < len(sensors) else of_all
        return f"{who} {AGAIN[ends][1]} after {lasted}{_taken_as_normal(affected.adopted)}"
    lasts = change.transition is Transition.UPDATED and affected.ended
    does = (STILL[ends] if lasts else DOES[_shown(kind, change.incident)])[len(sensors) > 1]
    if kind == "missing":
        does = _silent(change, are_many=len(sensors) > 1) or does
    back = affected.ended - affected.adopted
    ended = f"; {back} of {affected.ended + len(sensors)} {AGAIN[ends][back > 1]}" if back else ""
    ended += _taken_as_normal(affected.adopted)
    offline = (
        f"{', '.join(each.rstrip('/') for each in affected.devices[:MOST_NAMED])} is offline: "
        if affected.devices
        else ""
    )
    if len(sensors) == 1:
        return f"{offline}{sensors[0]} {does}{affected.fact(sensors[0])}{ended}"
    named = ", ".join(each.removeprefix(f"{where}/") + affected.fact(each) for each in affected.named[:MOST_NAMED])
    more = f" and {len(sensors) - MOST_NAMED} more" if len(sensors) > MOST_NAMED else ""
    return f"{offline}{of_all} {does}: {named}{more}{ended}"


def _shown(kind: str, incident: Incident) -> str:
    """What sensors do; what has jumped to another level has jumped, and what has got there slowly hasn't."""
    has_jumped = any(incident.began_with(each, incident.started) for each in SUDDEN)
    if kind != "jump" or incident.kind not in DOES or (incident.kind == "level_shift" and has_jumped):
        return kind
    return incident.kind


def _silent(change: IncidentChange, *, are_many: bool) -> str:
    """For how long sensors have been silent, by the one that was found first; empty if that is unknown."""
    passed = change.observation.time - change.summary.seen
    return f"{'have' if are_many else 'has'} been silent for {duration(passed)}" if 0 < passed < math.inf else ""


def _taken_as_normal(adopted: int) -> str:
    """That some sensors are no longer affected because what they do was taken as normal, as the end of a sentence."""
    return f"; {adopted} {'are' if adopted > 1 else 'is'} taken as normal" if adopted else ""


def common_place(names: Sequence[str]) -> str:
    """Common leading levels of names; empty if there are none."""
    first, last = min(names, default="").split("/")[:-1], max(names, default="").split("/")[:-1]
    common = []
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        common.append(one)
    return "/".join(common)
