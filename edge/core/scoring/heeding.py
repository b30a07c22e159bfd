"""Heeding the operator's wishes: scores of deviations that aren't to be told of count as ordinary.

A wish is about what was learned. It says nothing of limits, error values and silence, nor of a value that is stuck or a
machine's state, as these have no side and no distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from config.notation.wishes import Wishes
from detectors.base import Detector, Scores
from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import NOTHING, constant_like, where
from edge.core.scoring.opinions import Opinion

WITHOUT_SIDE = frozenset({"missing", "flatline", "state", "variance", "range"})
"""Kinds of detectors that don't hold a value against an expected one."""


def heeded(verdicts: list[Scores], detectors: Sequence[Detector], seen: Numbers, wishes: Wishes) -> list[Scores]:
    """Scores, with 0 by what was learned where a reading's deviation isn't to be told of.

    A detector that expects nothing in particular is held to what another one does expect.

    Args:
        verdicts: Of each detector, for n readings.
        detectors: The detectors.
        seen: The values that were scored, shape (n,).
        wishes: The operator's.
    """
    usual = constant_like(seen, NOTHING)
    for detector, verdict in zip(detectors, verdicts, strict=True):
        if detector.kind not in {*WITHOUT_SIDE, "rate"}:
            usual = _known(usual, verdict.expected)
    said = []
    for detector, verdict in zip(detectors, verdicts, strict=True):
        if detector.kind in WITHOUT_SIDE:
            said.append(verdict)
        elif detector.kind == "rate" and wishes.direction != "both":  # a step up may be a return from below
            said.append(verdict.with_learned(where(verdict.learned >= 0, 0.0, verdict.learned)))
        else:
            quiet = _is_quiet(seen - _known(verdict.expected, usual), wishes)
            said.append(verdict.with_learned(where(quiet & (verdict.learned >= 0), 0.0, verdict.learned)))
    return said


def is_too_small(opinion: Opinion, wishes: Wishes) -> bool:
    """Whether an opinion is about an unsteadiness that is smaller than what is to be told of."""
    return opinion.kind == "variance" and opinion.now < wishes.least


def _known(one: Numbers, other: Numbers) -> Numbers:
    """The one, or the other where that is NaN."""
    known: Numbers = where(one == one, one, other)  # noqa: PLR0124 - NaN isn't itself
    return known


def _is_quiet(away: Numbers, wishes: Wishes) -> Any:
    """Which deviations aren't told of; never one of which it isn't known how far it goes."""
    quiet = abs(away) < wishes.least
    if wishes.direction == "high":
        return quiet | (away < 0)
    return quiet | (away > 0) if wishes.direction == "low" else quiet
