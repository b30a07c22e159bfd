"""Sentences about machine states: each condition in its own quantity."""

from __future__ import annotations

import math

from detectors.states import IN_A_ROW
from edge.core.model.notation.quantities import digits_apart, duration, ends_of, number, quantity, range_text
from edge.core.scoring.opinions import Opinion


def state_clause(value: float, unit: str, opinion: Opinion) -> str:
    """Describe what is wrong with the state of a sensor, as a sentence without its subject.

    Args:
        value: The value.
        unit: Its unit.
        opinion: The opinion of the state detector.
    """
    shown, so_far = quantity(value, unit), f"{duration(opinion.usual)} at most so far"
    if opinion.about in {"changes", "starts"}:
        what = "starts" if opinion.about == "starts" else "changes its state"
        most = number(opinion.usual, 2)
        return f"{what} about {number(opinion.now, 2)} times an hour, {most} times at most so far"
    if opinion.about in {"length", "stay"}:
        where = "at" if opinion.about == "length" else "near"
        return f"has stayed {where} {shown} for {duration(opinion.now)}, {so_far}"
    if opinion.about == "aside":
        return f"is at {shown} and hasn't been in its usual states for {duration(opinion.now)} of an hour, {so_far}"
    if opinion.about in {"rest", "run"}:
        end = opinion.lower if opinion.about == "rest" else opinion.upper
        lasts = f"been below {quantity(end, unit, digits_apart(value, end, least=3))} for {duration(opinion.now)}"
        has = f"has {lasts}, at this hour usually not" if opinion.about == "rest" else f"hasn't {lasts}, {so_far}"
        return f"is at {shown} and {has}"
    at, usually = _beside(value, unit, opinion.lower, opinion.upper)
    if opinion.about == "brief":
        clause = brief_clause(f"is at {at}; it has stayed at {usually}" if usually else f"has stayed at {at}", opinion)
    elif opinion.about.startswith("hour"):
        clause = _at_wrong_hour(at, usually, duration(opinion.now), in_turn=opinion.about == "hours")
    else:
        clause = f"is at {at}, between its states" + (f"; the nearest is {usually}" if usually else "")
    return clause


def brief_clause(stays: str, opinion: Opinion) -> str:
    """Describe for how long a state, or a pace, was kept that was left too soon several times."""
    now, usual = duration(opinion.now), duration(opinion.usual)
    return f"{stays} for {now} at most, {IN_A_ROW} times in a row; before, {usual} at least"


def _at_wrong_hour(at: str, usually: str, lasted: str, *, in_turn: bool) -> str:
    """Describe a state that is unusual at this hour, or several in turn."""
    if not in_turn:
        return f"has been at {at} for {lasted}" + (f", at this hour usually {usually}" if usually else "")
    if usually:
        return f"is at {at}, at this hour usually {usually}, where it hasn't stayed for {lasted}"
    return f"is at {at} and has been in states that are unusual at this hour for {lasted}"


def _beside(value: float, unit: str, lower: float, upper: float) -> tuple[str, str]:
    """A value and a range that excludes it, with enough digits to show that; empty strings without a range."""
    if not (value < lower or value > upper):
        return quantity(value, unit), ""
    digits = digits_apart(value, lower if value < lower else upper, least=3)
    low, high = ends_of(lower, upper, value)
    words = f"{range_text(low, high)}{f' {unit}' if unit else ''}"
    return quantity(value, unit, max(digits, 4)), words if math.isfinite(lower) and high else ""
