"""Sentences about movement that vanishes: over what a sensor ranges, and what it usually ranges over."""

from __future__ import annotations

from edge.core.model.notation.quantities import digits_apart, duration, number, quantity
from edge.core.scoring.opinions import Opinion


def swing_clause(which: str, unit: str, opinion: Opinion) -> str:
    """Describe how little a sensor moves, and the least that it usually moves in so long a time.

    Args:
        which: What moves.
        unit: The unit of the values.
        opinion: The opinion of the swing detector.
    """
    now, usual = opinion.now, opinion.usual
    digits = digits_apart(now, usual, least=3)
    span = duration(3600.0 * float(opinion.about))
    changed = f"{which} has changed by only {quantity(now, unit, digits)} in {span}"
    return f"{changed}, usually by {number(usual, digits)} at least"
