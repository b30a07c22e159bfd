"""From a statistic to decades of surprise: -log10 of a tail probability, finite at any distance.

All functions are elementwise, so that one sensor and ten thousand give the same bits.
"""

from __future__ import annotations

import math
from functools import cache

from detectors.arithmetic import LOG10_OF_E, bounded, exp, log, maximum, minimum, sqrt
from detectors.base import Numbers

MOST = 300.0
"""No score is larger: 1e-300 is about the smallest probability that a float holds."""

_LN10 = math.log(10.0)
_RISE = -1.98 / math.sqrt(2.0)
_FALL = 1.135 * math.sqrt(math.pi / 2.0)


def normal_tail(z: Numbers) -> Numbers:
    """Decades of surprise of a standard normal deviate at least as far out as `z`, both sides counted.

    Within 0.06 decades of the exact value everywhere. The tail is the product of Karagiannidis and Lioumpas,
    "An improved approximation for the Gaussian Q-function", IEEE Communications Letters 11 (8), 2007,
    doi:10.1109/LCOMM.2007.070470, with their constants 1.98 and 1.135.

    Args:
        z: Deviations in standard deviations; the sign doesn't matter.

    Returns:
        Decades, 0 to `MOST`; NaN where `z` is NaN.
    """
    away = minimum(abs(z), 1e6)
    near = maximum(away, 1e-6)
    factor = (1.0 - exp(_RISE * near)) / (_FALL * near)
    decades = (0.5 * away * away - log(minimum(factor, 1.0))) * LOG10_OF_E
    return bounded(decades, 0.0, MOST)


def student_tail(t: Numbers, freedom: Numbers) -> Numbers:
    """Decades of surprise of Student's t at least as far out as `t`, both sides counted.

    Student's t is turned into a normal deviate by D. L. Wallace, "Bounds on normal approximations to Student's and
    the chi-square distributions", Annals of Mathematical Statistics 30, 1959, doi:10.1214/aoms/1177706096.

    Args:
        t: Deviations in estimated standard deviations; the sign doesn't matter.
        freedom: Degrees of freedom, 1 or more: how many independent readings the estimate rests on.
    """
    away = minimum(abs(t), 1e150)
    scale = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    return normal_tail(scale * sqrt(freedom * log(1.0 + away / freedom * away)))


def student_reach(decades: float, freedom: Numbers) -> Numbers:
    """How far out Student's t must be to be `decades` surprising: the inverse of `student_tail`.

    Args:
        decades: 1 to 12, as bands use it; accurate to 1 %.
        freedom: Degrees of freedom, 1 or more.
    """
    scale = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    away = _normal_reach(decades) / scale
    return sqrt(freedom * (exp(minimum(away * away / freedom, 700.0)) - 1.0))


@cache
def _normal_reach(decades: float) -> float:
    """How far out a standard normal deviate must be: the inverse of `normal_tail`."""
    z = math.sqrt(2.0 * _LN10 * decades)
    for _ in range(4):  # Newton: the tail's slope in nats is close to z
        z = max(z - (normal_tail(z) - decades) * _LN10 / z, 0.1)
    return z


def exponential_tail(ratio: Numbers) -> Numbers:
    """Decades of surprise of an exponential variable at least `ratio` times its mean."""
    return bounded(ratio / _LN10, 0.0, MOST)


def exponential_reach(decades: Numbers) -> Numbers:
    """How many means an exponential variable must reach to be `decades` surprising."""
    return decades * _LN10
