"""Sentences about trends: how far a sensor has moved within hours, a week or two, and where it was before."""

from __future__ import annotations

from edge.core.incidents.incident import Incident
from edge.core.model.notation.quantities import digits_apart, number, quantity
from edge.core.scoring.opinions import Opinion

WHAT = {"lowest": "its lowest hour of the day", "mean": "its daily mean", "highest": "its highest hour of the day"}
SPAN = {"7": "a week", "14": "two weeks"}


def trend_clause(unit: str, opinion: Opinion) -> str:
    """Describe a movement over days: what of a day has moved, how far, and the range of all days before.

    Of one within hours: how far the sensor has moved, and the most that it moved within as many hours before.

    Args:
        unit: The unit of the values.
        opinion: The opinion of the trend detector.
    """
    side, days = opinion.about.split()
    now, usual, rises = opinion.now, opinion.usual, opinion.now > opinion.usual
    if opinion.is_slope:
        digits = digits_apart(abs(now), abs(usual), least=2)
        course = (
            f"by {quantity(abs(now), unit, digits)} within {days} h, by {number(abs(usual), digits)} at most before"
        )
        return f"{'rises' if rises else 'falls'} unusually fast, {course}"
    digits = max(
        digits_apart(now, usual, least=3), digits_apart(now, opinion.upper if rises else opinion.lower, least=3)
    )
    course = f"{WHAT[side]} has gone from {number(usual, digits)} to {quantity(now, unit, digits)} within {SPAN[days]}"
    clause = f"{'rises' if rises else 'falls'} day by day: {course}"
    if opinion.lower <= now <= opinion.upper or not opinion.lower <= opinion.upper:
        return clause
    low, high = number(opinion.lower, digits), number(opinion.upper, digits)
    return f"{clause}; before, it was {f'between {low} and {high}' if low != high else f'at {low}'}"


def no_longer(incident: Incident) -> str:
    """Describe the end of a trend, as far as the value, which may still be where it has led."""
    trend = next((each for each in incident.last.opinions if each.is_trend), None)
    falls = trend is not None and trend.now < trend.usual
    how = "unusually fast" if trend is not None and trend.is_slope else "day by day"
    return f"no longer {'falls' if falls else 'rises'} {how}, at"
