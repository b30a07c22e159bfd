"""Sentences for several incidents with a common cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.quantities import duration

MOST_NAMED = 3
"""Maximum number of sensors named in a sentence."""

DOES = {
    "missing": ("is silent", "are silent"),
    "flatline": ("is stuck", "are stuck"),
    "jump": ("has jumped", "have jumped together"),
    "peers": ("differs from its peers", "differ from their peers"),
}
AGAIN = {
    "missing": "reported again",
    "flatline": "moved again",
    "jump": "settled",
    "peers": "come back to their peers",
}
STILL = {
    "missing": ("is still silent", "are still silent"),
    "flatline": ("is still stuck", "are still stuck"),
    "jump": ("has jumped and hasn't settled", "have jumped together and haven't settled"),
    "peers": ("still differs from its peers", "still differ from their peers"),
}
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
    """

    leader: str
    sensors: Sequence[str]
    ended: int
    left: int
    devices: Sequence[str]


def group_sentence(affected: AffectedSensors, change: IncidentChange) -> str:
    """Describe a transition of several sensors with a common cause in one sentence.

    Args:
        affected: The sensors and devices concerned.
        change: The transition; must have a common cause.
    """
    kind = "missing" if change.one_cause is None else change.one_cause.kind
    lasted = duration(max(0.0, change.observation.time - change.incident.started))
    sensors, where = affected.sensors, common_place(affected.sensors)
    of_all = f"{len(sensors)} sensors{f' of {where}' if where else ''}"
    if change.transition in ANSWERS:
        return f"The incident of {of_all} {ANSWERS[change.transition]} after {lasted}"
    if change.transition is Transition.EXPIRED:
        been = "silent" if kind == "missing" else "at their new levels"
        return f"{of_all} have been {been} for {lasted}; that is taken as normal from here on"
    if change.transition is Transition.CLEARED:
        who = f"{len(sensors) - affected.left} of {of_all}" if affected.left else of_all
        return f"{who} have {AGAIN[kind]} after {lasted}"
    lasts = change.transition is Transition.UPDATED and affected.ended
    does = (STILL if lasts else DOES)[kind][len(sensors) > 1]
    have = "has" if affected.ended == 1 else "have"
    ended = f"; {affected.ended} of {affected.ended + len(sensors)} {have} {AGAIN[kind]}" if affected.ended else ""
    offline = (
        f"{', '.join(each.rstrip('/') for each in affected.devices[:MOST_NAMED])} is offline: "
        if affected.devices
        else ""
    )
    if len(sensors) == 1:
        return f"{offline}{sensors[0]} {does}{ended}"
    named = ", ".join(each.removeprefix(f"{where}/") for each in sensors[:MOST_NAMED])
    more = f" and {len(sensors) - MOST_NAMED} more" if len(sensors) > MOST_NAMED else ""
    return f"{offline}{of_all} {does}: {named}{more}{ended}"


def common_place(names: Sequence[str]) -> str:
    """Common leading levels of names; empty if there are none."""
    first, last = min(names, default="").split("/")[:-1], max(names, default="").split("/")[:-1]
    common = []
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        common.append(one)
    return "/".join(common)
