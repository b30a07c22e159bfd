"""Clauses about learned conditions: what a value does, by how much, and what is usual.

Of several conditions the most concrete one speaks: a value outside its range says more than that it is unsteady, or
that it repeats, which is added. What can be said of the sensor's own grid (`grids.py`) is: a contact isn't usually at
0.44.
"""

from __future__ import annotations

import math
from dataclasses import replace

from detectors.daily.drift import DAY
from edge.core.incidents.incident import Incident
from edge.core.incidents.sentences.pace_sentences import changes_clause
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.state_sentences import state_clause
from edge.core.incidents.sentences.swing_sentences import swing_clause
from edge.core.incidents.sentences.trend_sentences import trend_clause
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.grids import at_least_a_step, grid_ends
from edge.core.model.notation.quantities import digits_apart, duration, ends_of, number, quantity, range_text
from edge.core.scoring.opinions import OF_TRENDS, Opinion

SAYS = {
    "spike": "is at",
    "level_shift": "has shifted to",
    "drift": "has drifted to",
    "trend": "moves on day by day, now at",
    "variance": "is unsteady, now",
    "swing": "moves unusually little, at",
    "flatline": "is stuck at",
    "range": "is beyond its limits at",
    "rate": "has jumped to",
    "contextual": "is unusual for this time, at",
    "state": "is in an unusual state, at",
    "correlation": "no longer moves with its device, at",
    "clock": "has a wrong clock, at",
}

SETTLES = {
    "rate": "has settled at",
    "variance": "is steady again at",
    "flatline": "changes again, at",
    "swing": "moves again, at",
}
"""The end of conditions that say nothing about the level, which may be new."""

OF_PLACES = frozenset({"spike", "level_shift", "contextual"})
"""Kinds about where a value is, which say where it usually was if nothing else is known of what was expected."""

SHIFTED = "has shifted on average, now at"
"""Of a mean that has shifted while the value is where it comes each day."""

COURSE = "takes an unusual course"
"""Of a value that is where it is expected."""


def condition_clause(change: SensorChange, value: str, digits: int) -> str:
    """Describe an open incident by what it is called, or by what speaks now, as a sentence without its subject.

    Args:
        change: The change.
        value: The value as text.
        digits: Number of significant digits of that.
    """
    kind = _speaks(change)
    clause = _of_kind(change, kind, value, digits)
    others = {each.kind: each for each in change.observation.opinions if each.exceeds and each.kind != kind}
    is_news = change.transition is Transition.RAISED or change.incident.began_with("variance", change.observation.time)
    if "variance" in others and is_news:
        return f"{clause}, and is unsteady"
    stuck = others.get("flatline")
    return clause if stuck is None or not math.isfinite(stuck.now) else f"{clause}; it {_stays(change, value, stuck)}"


def _speaks(change: SensorChange) -> str:
    """The kind by which an incident is described: its own unless another one has joined it or holds it open now.

    A step says so itself: its band is about the reading before, which says nothing of what is usual.
    """
    incident, opinion = change.incident, change.opinion
    if opinion is None:
        return incident.kind
    is_step = opinion.kind == "rate" and incident.kind in OF_PLACES
    is_other = opinion.exceeds and (incident.kind in SETTLES or is_step)
    return opinion.kind if change.joins or is_other else incident.kind


def _of_kind(change: SensorChange, kind: str, value: str, digits: int) -> str:
    unit, incident, at = change.unit, change.incident, change.observation.value
    opinion, band = on_grid(change.opinion, change), on_grid(change.band, change)
    if opinion is not None and kind == opinion.kind and (clause := _measured(change, opinion, value)):
        return clause
    again = "still " if change.transition is Transition.UPDATED and kind != "variance" and not change.joins else ""
    is_its_own = opinion is None or (kind == "state") == (opinion.kind == "state")
    if is_its_own and (share := _share_of_switch(change, band)):
        return f"is {again}mostly at {value} now; {share}"
    expected = expectation(band, at, unit, digits) if is_its_own else ""
    verb = SAYS[kind].replace("is ", f"is {again}", 1) if again else SAYS[kind]
    if kind == "level_shift" and _is_usual(incident, at) and (band is None or math.isnan(band.lower + band.upper)):
        verb = SHIFTED
    beside = expected or (where_before(incident, at, unit) if kind in {*OF_PLACES, "drift"} else "")
    if beside or kind not in OF_PLACES:
        return f"{verb} {value}{beside}"
    for each in change.observation.opinions:
        if each.exceeds and (clause := _measured(change, each, value)):
            return clause
    is_usual = _is_usual(incident, at)
    if is_usual or kind == "contextual":
        return f"{again}{COURSE}{' within its usual range' if is_usual else ''}, now at {value}"
    return f"{verb} {value}"


def _is_usual(incident: Incident, value: float) -> bool:
    """Whether a value is known to be in the usual range of before the incident."""
    usual = None if incident.extent is None else incident.extent.yardstick
    return usual is not None and usual.low <= value <= usual.high


def on_grid(opinion: Opinion | None, change: SensorChange) -> Opinion | None:
    """An opinion with the ends of its band on the grid of the sensor's values."""
    if opinion is None or change.places is None:
        return opinion
    ends = grid_ends(opinion.lower, opinion.upper, change.observation.value, change.places)
    return opinion if ends is None else replace(opinion, lower=ends[0], upper=ends[1])


def _share_of_switch(change: SensorChange, band: Opinion | None) -> str:
    """How much of the time what is on or off is on; empty for others, or if it is usually always the same."""
    if band is None or not change.is_switch or not 0 < band.expected < 1 or band.lower == band.upper:
        return ""
    return f"usually it is at 1 for {100 * band.expected:.2g} % of the time"


def _measured(change: SensorChange, opinion: Opinion, value: str) -> str:
    """Describe a condition that isn't about the value itself, in its own quantity; empty if it is about the value.

    Args:
        change: The change.
        opinion: The opinion that speaks.
        value: The value as text.
    """
    now, usual, unit = opinion.now, opinion.usual, change.unit
    if opinion.kind == "state" and opinion.about:
        return state_clause(change.observation.value, unit, opinion)
    if opinion.kind == "flatline" and math.isfinite(now):
        return _stays(change, value, opinion)
    if opinion.kind == "variance" and math.isfinite(now):
        is_visible = usual >= at_least_a_step(0.0, change.places)
        changes = changes_clause("reading", now, usual, unit, is_visible=is_visible)
        before = where_before(change.incident, change.observation.value, unit)
        return (
            f"is at {value}{before}; it is unsteady and {changes}"
            if before
            else f"is unsteady, at {value}: it {changes}"
        )
    if opinion.kind in {"drift", "swing", OF_TRENDS} and math.isfinite(now):
        return _of_days(change, value, opinion)
    if opinion.kind == "rate" and math.isfinite(opinion.upper - opinion.expected):
        return _steps(change, opinion, value)
    return ""


def _stays(change: SensorChange, value: str, opinion: Opinion) -> str:
    """Describe a value that repeats; at the floor where it rested before it isn't stuck, nor is a switch."""
    now, usual = opinion.now, opinion.usual
    long, most = f"{number(now)} times", f"{number(usual)} times"
    if change.interval > 0:
        long, most = f"for {duration(now * change.interval)}", duration(usual * change.interval)
    extent = change.incident.extent
    rests = change.is_switch or (extent is not None and extent.yardstick.rests_at(change.observation.value))
    return f"has {'stayed at' if rests else 'repeated'} {value} {long}, {most} at most so far"


def _steps(change: SensorChange, opinion: Opinion, value: str) -> str:
    """Describe a step beside what steps really were, if they were smaller, or the end of the band."""
    at, reach = change.observation.value, opinion.upper - opinion.expected
    step = abs(at - opinion.expected)
    reach = opinion.usual if 0 < opinion.usual < max(step, reach) else reach
    if (shown := at_least_a_step(reach, change.places)) < step:
        reach = shown
    digits = digits_apart(step, reach, least=3)
    jumped = "jumped" if at >= opinion.expected else "dropped"
    usually = f"steps are usually up to {quantity(reach, change.unit, digits)}"
    return f"has {jumped} by {number(step, digits)} to {value}; {usually}"


def _of_days(change: SensorChange, value: str, opinion: Opinion) -> str:
    """Describe a condition that is found by comparing days."""
    if opinion.kind == "swing":
        return f"moves unusually little, at {value}: {swing_clause('it', change.unit, opinion)}"
    if opinion.kind == "drift":
        return _drifts(change, value, opinion)
    moves_on = trend_clause(change.unit, opinion)
    return f"is at {value} and {moves_on}" if opinion.is_slope else moves_on


def _drifts(change: SensorChange, value: str, opinion: Opinion) -> str:
    """Describe a mean that is beyond those of all previous days, or that hasn't returned for a day.

    A value that has left that side again hasn't drifted to where it is, but its mean still shows where it was.
    """
    now, usual, unit = opinion.now, opinion.usual, change.unit
    digits = digits_apart(now, usual, least=4)
    if opinion.about == DAY:
        way, most = ("below", "less") if now > usual else ("above", "more")
        nearest = f"its mean over an hour hasn't been {way} {number(now, digits)} for a day"
        return f"is at {value}: {nearest}, on each day before it was {quantity(usual, unit, digits)} or {most}"
    usually = f"usually {quantity(usual, unit, digits)} at {'most' if now > usual else 'least'}"
    is_back = (change.observation.value - usual) * (now - usual) < 0
    verb, still = ("is at", "still ") if is_back else ("has drifted to", "")
    return f"{verb} {value}: its mean over {opinion.about} is {still}{number(now, digits)}, {usually}"


def digits_beside(value: float, band: Opinion | None) -> int:
    """Number of digits needed to distinguish a value from the ends of a band."""
    ends = () if band is None else (band.lower, band.upper, band.expected)
    return digits_apart(value, *ends, least=4)


def where_before(incident: Incident, value: float, unit: str) -> str:
    """The usual range before the incident if the value is outside, as the end of a clause; else empty."""
    if incident.extent is None or not incident.extent.yardstick.beyond(value):
        return ""
    usual = incident.extent.yardstick
    low, high = ends_of(usual.low, usual.high, value)
    return f"; before, it was usually {range_text(low, high)}{f' {unit}' if unit else ''}"


def expectation(band: Opinion | None, value: float, unit: str, digits: int = 4) -> str:
    """The value or range that was expected instead of a value, as the end of a sentence; empty if there is none."""
    if band is None or expects_nothing(band):
        return ""
    if math.isfinite(band.lower) and math.isfinite(band.upper):
        lower, upper = ends_of(band.lower, band.upper, value, digits)
        word = "on usual days" if band.has_records else "expected"
        return f", {word} {range_text(lower, upper)}{f' {unit}' if unit else ''}"
    if math.isfinite(band.lower):
        return f", expected {quantity(band.lower, unit, digits)} or more"
    if math.isfinite(band.upper):
        return f", expected {quantity(band.upper, unit, digits)} or less"
    return f", usually about {quantity(band.expected, unit, digits)}"


def expects_nothing(band: Opinion) -> bool:
    """Whether an opinion has no expected value or range."""
    return not any(math.isfinite(each) for each in (band.expected, band.lower, band.upper))
