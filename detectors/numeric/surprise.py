"""Surprise: converts a statistic to decades, -log10 of a tail probability, finite at any distance.

All functions are elementwise, so one sensor and ten thousand give the same bits.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import LOG10_OF_E, bounded, exp, log, minimum, sqrt

MOST = 300.0
"""Maximum score: 1e-300 is about the smallest probability that a float can represent."""

_LN10 = math.log(10.0)
_SQUARE = 8.0 / math.pi
_ROOT = math.sqrt(_SQUARE)


def normal_tail(z: Numbers) -> Numbers:
    """Two-sided decades of surprise of a standard normal deviate at least as far out as `z`.

    At most 0.025 decades below the exact value. The tail is the upper bound of Mills' ratio in the Digital Library of
    Mathematical Functions, 7.8.2, which is exact at 0 and far out.

    Args:
        z: Deviations in standard deviations; the sign doesn't matter.

    Returns:
        Decades, 0 to `MOST`; NaN where `z` is NaN.
    """
    away = minimum(abs(z), 1e6)
    square = away * away
    nats = 0.5 * square + log((away + sqrt(square + _SQUARE)) / _ROOT)
    return minimum(nats * LOG10_OF_E, MOST)


def student_tail(t: Numbers, freedom: Numbers) -> Numbers:
    """Two-sided decades of surprise of Student's t at least as far out as `t`.

    Student's t is converted to a normal deviate by D. L. Wallace, "Bounds on normal approximations to Student's and the
    chi-square distributions", Annals of Mathematical Statistics 30, 1959, doi:10.1214/aoms/1177706096.

    Args:
        t: Deviations in estimated standard deviations; the sign doesn't matter.
        freedom: Degrees of freedom, at least 1: number of independent readings behind the estimate.
    """
    if type(t) is float:
        return _student_tail_of_one(t, freedom)
    away = minimum(abs(t), 1e150)
    return normal_tail(_scale(freedom) * sqrt(freedom * log(1.0 + away / freedom * away)))


def _student_tail_of_one(t: float, freedom: float) -> float:
    """`student_tail` of a single number, with few function calls."""
    away = abs(t)
    away = 1e150 if away > 1e150 else away  # noqa: FURB136 - min() takes four times as long
    z = (1.0 - 0.25 / (freedom + 0.375)) * math.sqrt(freedom * float(np.log(1.0 + away / freedom * away)))
    away = 1e6 if z > 1e6 else z  # noqa: FURB136
    square = away * away
    nats = 0.5 * square + float(np.log((away + math.sqrt(square + _SQUARE)) / _ROOT))
    decades = nats * LOG10_OF_E
    return MOST if decades > MOST else decades  # noqa: FURB136


def student_reach(decades: float, freedom: Numbers) -> Numbers:
    """The distance at which Student's t scores `decades`: the inverse of `student_tail`.

    Args:
        decades: 1 to 12, the range used by bands; accurate to 1 %.
        freedom: Degrees of freedom, at least 1.
    """
    away = _normal_reach(decades) / _scale(freedom)
    return sqrt(freedom * (exp(away * away / freedom) - 1.0))


def _scale(freedom: Numbers) -> Numbers:
    """Wallace's (8 n + 1) / (8 n + 3)."""
    return 1.0 - 0.25 / (freedom + 0.375)


@cache
def _normal_reach(decades: float) -> float:
    """The distance at which a standard normal deviate scores `decades`: the inverse of `normal_tail`."""
    z = math.sqrt(2.0 * _LN10 * decades)
    for _ in range(4):  # Newton: the tail's slope in nats is close to z
        z = max(z - (normal_tail(z) - decades) * _LN10 / z, 0.1)
    return z


def exponential_tail(ratio: Numbers) -> Numbers:
    """Decades of surprise of an exponential variable at least `ratio` times its mean."""
    return bounded(ratio / _LN10, 0.0, MOST)


def exponential_reach(decades: Numbers) -> Numbers:
    """The ratio to its mean at which an exponential variable scores `decades`."""
    return decades * _LN10
