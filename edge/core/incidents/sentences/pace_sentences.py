"""Sentences about counters: how fast one counts, in its own unit per time, compared with its usual pace."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.state_sentences import brief_clause
from edge.core.incidents.sentences.swing_sentences import swing_clause
from edge.core.incidents.sentences.trend_sentences import trend_clause
from edge.core.model.notation.quantities import digits_apart, duration, ends_of, number, quantity, range_text
from edge.core.scoring.errors.jumps import unit_factor
from edge.core.scoring.opinions import Observation, Opinion

DIGITS_READ = 6
"""Least number of significant digits of a counter's readings."""

WIDE, WIDEST = 1e6, 1e15
"""Readings in this range are shown as whole numbers."""

PER = {1.0: "s", 60.0: "min", 3_600.0: "h", 86_400.0: "d"}
PER_WORDS = {1.0: "per second", 60.0: "per minute", 3_600.0: "per hour", 86_400.0: "per day"}

LEAST_SHOWN = 1e-4
"""A usual change below this is none that a person could see, and isn't shown."""


def pace_unit(unit: str, per: float) -> str:
    """The unit of a pace, such as `l/min`; the unit of the values if it isn't a pace."""
    return f"{unit or '1'}/{PER[per]}" if per in PER else unit


def pace_words(unit: str, per: float) -> str:
    """The unit of a pace as a sentence says it: in words if the values have none."""
    return pace_unit(unit, per) if unit or per not in PER else PER_WORDS[per]


def about_what_was_read(finding: IncidentChange) -> IncidentChange:
    """The same change with a counter's reading instead of its pace if it is about a limit, which applies to values."""
    incident = finding.incident
    if finding.observation.per and (incident.worst_limit is not None or incident.left):
        return replace(finding, observation=finding.observation.as_read())
    return finding


def jump_clause(unit: str, observation: Observation) -> str:
    """Describe a counter's jump, as a sentence without its subject."""
    before, after = observation.jumped_from, observation.value
    read = f"{_reading(after, before)} {unit}" if unit else _reading(after, before)
    did = f"has jumped from {_reading(before, after)} to {read} within {duration(observation.stretch)}"
    factor = unit_factor(before, after)
    if math.isnan(factor):
        return did
    much = f"{number(factor)} times as much" if factor > 1 else f"1/{number(round(1 / factor))} of it"
    return f"{did}, {much}: its unit may have changed"


def pace_clause(unit: str, observation: Observation, opinion: Opinion | None, kind: str, band: Opinion | None) -> str:
    """Describe what is wrong with the pace of a counter, as a sentence without its subject.

    Args:
        unit: Unit of the pace.
        observation: The pace.
        opinion: The reported opinion, or None.
        kind: Kind of the incident.
        band: The opinion whose band is shown, or None.
    """
    pace = _with_digits(observation.value, unit, band)
    if opinion is not None and opinion.kind == kind:
        clause = _measured(pace, unit, observation, opinion)
        if clause:
            return clause
    does = "stands still" if observation.value == 0 else f"rises by {pace}"
    return f"{does}{_usually(observation.value, unit, band)}"


def _measured(pace: str, unit: str, observation: Observation, opinion: Opinion) -> str:
    """Describe a condition that isn't about the pace itself, in its own quantity; empty if it is about the pace."""
    now, usual, about = opinion.now, opinion.usual, opinion.about
    did = "has stood still" if observation.value == 0 else f"has risen by {pace}"
    so_far = f"{duration(usual)} at most so far"
    if about in {"changes", "starts"}:
        what = "begins to rise" if about == "starts" else "changes its pace"
        return f"{what} about {number(now, 2)} times an hour, {number(usual, 2)} times at most so far"
    if about in {"length", "stay", "aside", "run", "brief"}:
        not_so = {"aside": "kept to its usual paces", "run": "come to rest"}.get(about)
        how = f"and hasn't {not_so} " if not_so else ""
        lasts = f"{did} {how}for {duration(now)}{' of an hour' if about == 'aside' else ''}, {so_far}"
        return brief_clause("keeps to its pace", opinion) if about == "brief" else lasts
    if about in {"hour", "rest"}:
        usually = f", at this hour usually not{' so little' if observation.value else ''}"
        usually = _usually(observation.value, unit, opinion, ", at this hour usually") if about == "hour" else usually
        return f"{did} for {duration(now)}{usually}"
    if opinion.kind == "flatline" and math.isfinite(now):
        exactly = did if observation.value == 0 else f"has risen by exactly {pace}"
        stretch = observation.stretch
        return f"{exactly} for {duration(now * stretch)}, {duration(usual * stretch)} at most so far"
    if opinion.kind in {"variance", "swing"} and math.isfinite(now):
        if opinion.kind == "swing":
            how, clause = "evenly", swing_clause("its pace", unit, opinion)
        else:
            how, clause = "unsteadily", f"its pace {changes_clause('moment', now, usual, unit)}"
        return f"rises {how}, by {pace}: {clause}"
    return f"changes its pace: {trend_clause(unit, opinion)}" if opinion.is_trend else ""


def changes_clause(of: str, now: float, usual: float, unit: str, *, is_visible: bool = True) -> str:
    """Describe how much a sensor changes from one `of` to the next; `now` is a lower bound, as steps are clipped.

    The usual change is shown if the sensor's values can show one of that size.
    """
    shown = f" (about {quantity(usual, unit, 3)})" if usual >= LEAST_SHOWN and is_visible else ""
    return f"changes from one {of} to the next at least {number(now / usual, 2)} times as much as usual{shown}"


def _reading(value: float, other: float) -> str:
    """A counter's reading as its display shows it, without an exponent where possible."""
    digits = digits_apart(value, other, least=DIGITS_READ)
    return f"{value:.0f}" if WIDE <= abs(value) < WIDEST else number(value, digits)


def _with_digits(value: float, unit: str, band: Opinion | None) -> str:
    """A pace with enough digits to distinguish it from the ends of a band."""
    ends = () if band is None else (band.lower, band.upper)
    return quantity(value, unit, digits_apart(value, *ends, least=3))


def _usually(value: float, unit: str, band: Opinion | None, word: str = ", usually") -> str:
    """The usual pace, as the end of a sentence; empty if unknown."""
    if band is None:
        return ""
    if math.isfinite(band.lower) and math.isfinite(band.upper):
        lower, upper = ends_of(band.lower, band.upper, value)
        words = f"at most {upper}" if float(lower) <= 0 and lower != upper else range_text(lower, upper)
        return f"{word} {words}{f' {unit}' if unit else ''}"
    if math.isfinite(band.lower) or math.isfinite(band.upper):
        end, which = (band.lower, "least") if math.isfinite(band.lower) else (band.upper, "most")
        return f"{word} at {which} {quantity(end, unit, digits_apart(value, end, least=2))}"
    digits = digits_apart(value, band.lower, band.upper, least=3)
    return f"{word} about {quantity(band.expected, unit, digits)}" if math.isfinite(band.expected) else ""
