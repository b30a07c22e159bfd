"""Applies the operator's reporting preferences: scores of deviations that aren't to be reported become ordinary.

Preferences apply only to deviations from learned behaviour. They don't affect limits, error values and silence, nor
stuck values and machine states, which have no direction and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.notation.preferences import ReportingPreferences
from detectors.base import Detector, Scores
from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import NOTHING, constant_like, where
from edge.core.scoring.opinions import Opinion

WITHOUT_SIDE = frozenset({"missing", "flatline", "state", "variance", "swing", "range", "trend"})
"""Kinds of detectors that don't compare a value with an expected one."""


def apply_preferences(
    verdicts: list[Scores], detectors: Sequence[Detector], seen: Numbers, preferences: ReportingPreferences
) -> list[Scores]:
    """The scores, with learned surprise set to 0 where a deviation isn't to be reported.

    For a detector without an expected value, that of another detector is used.

    Args:
        verdicts: The scores of n readings by each detector.
        detectors: The detectors.
        seen: The scored values, shape (n,).
        preferences: The operator's preferences.
    """
    usual = constant_like(seen, NOTHING)
    for detector, verdict in zip(detectors, verdicts, strict=True):
        if detector.kind not in {*WITHOUT_SIDE, "rate"}:
            usual = _known(usual, verdict.expected)
    weighted = []
    for detector, verdict in zip(detectors, verdicts, strict=True):
        if detector.kind in WITHOUT_SIDE:
            weighted.append(verdict)
        elif detector.kind == "rate" and preferences.direction != "both":  # a step up may be a return from below
            weighted.append(verdict.with_learned(where(verdict.learned >= 0, 0.0, verdict.learned)))
        else:
            quiet = _is_quiet(seen - _known(verdict.expected, usual), preferences)
            weighted.append(verdict.with_learned(where(quiet & (verdict.learned >= 0), 0.0, verdict.learned)))
    return weighted


def is_too_small(opinion: Opinion, preferences: ReportingPreferences) -> bool:
    """Whether an opinion is about a volatility or a movement smaller than the reporting threshold, or the wrong way."""
    if opinion.is_trend:
        return bool(_is_quiet(opinion.now - opinion.usual, preferences))
    if opinion.kind == "swing":
        return opinion.usual - opinion.now < preferences.least
    return opinion.kind == "variance" and opinion.now < preferences.least


def _known(one: Numbers, other: Numbers) -> Numbers:
    """The first array, with NaN replaced by the second."""
    known: Numbers = where(one == one, one, other)  # noqa: PLR0124 - NaN isn't itself
    return known


def _is_quiet(away: Numbers, preferences: ReportingPreferences) -> Any:
    """Which deviations aren't reported; never one of unknown size."""
    quiet = abs(away) < preferences.least
    if preferences.direction == "high":
        return quiet | (away < 0)
    return quiet | (away > 0) if preferences.direction == "low" else quiet
