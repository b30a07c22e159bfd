"""From a statistic to decades of surprise: -log10 of a tail probability, finite at any distance.

All functions are elementwise, so that one sensor and ten thousand give the same bits.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from detectors.base import Floats, bounded

MOST = 300.0
"""No score is larger: 1e-300 is about the smallest probability that a float holds."""

_LN10 = float(np.log(10.0))


def normal_tail(z: Floats) -> Floats:
    """Decades of surprise of a standard normal deviate at least as far out as `z`, both sides counted.

    Within 0.06 decades of the exact value everywhere. The tail is the product of Karagiannidis and Lioumpas,
    "An improved approximation for the Gaussian Q-function", IEEE Communications Letters 11 (8), 2007,
    doi:10.1109/LCOMM.2007.070470, with their constants 1.98 and 1.135.

    Args:
        z: Deviations in standard deviations; the sign doesn't matter.

    Returns:
        Decades, 0 to `MOST`; NaN where `z` is NaN.
    """
    away = np.minimum(np.abs(z), 1e6)
    near = np.maximum(away, 1e-9)
    factor = -np.expm1(-1.98 * near / np.sqrt(2.0)) / (1.135 * np.sqrt(np.pi / 2.0) * near)
    decades = 0.5 * away * away / _LN10 - np.log10(np.minimum(factor, 1.0))
    tail: Floats = bounded(decades, 0.0, MOST)
    return tail


def student_tail(t: Floats, freedom: Floats) -> Floats:
    """Decades of surprise of Student's t at least as far out as `t`, both sides counted.

    Student's t is turned into a normal deviate by D. L. Wallace, "Bounds on normal approximations to Student's and
    the chi-square distributions", Annals of Mathematical Statistics 30, 1959, doi:10.1214/aoms/1177706096.

    Args:
        t: Deviations in estimated standard deviations; the sign doesn't matter.
        freedom: Degrees of freedom, 1 or more: how many independent readings the estimate rests on.
    """
    away = np.minimum(np.abs(t), 1e150)
    scale = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    return normal_tail(scale * np.sqrt(freedom * np.log1p(away / freedom * away)))


def student_reach(decades: Floats | float, freedom: Floats) -> Floats:
    """How far out Student's t must be to be `decades` surprising: the inverse of `student_tail`.

    Args:
        decades: 1 to 12, as bands use it; accurate to 1 %.
        freedom: Degrees of freedom, 1 or more.
    """
    z = _normal_reach_once(decades) if isinstance(decades, float) else _normal_reach(decades)
    scale = (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
    away: Floats = np.sqrt(freedom * np.expm1(np.minimum((z / scale) ** 2 / freedom, 700.0)))
    return away


def _normal_reach(decades: Floats | float) -> Floats:
    """How far out a standard normal deviate must be: the inverse of `normal_tail`."""
    wanted = np.asarray(decades, dtype=np.float64)
    z = np.sqrt(2.0 * _LN10 * wanted)
    for _ in range(4):  # Newton: the tail's slope in nats is close to z
        z = np.maximum(z - (normal_tail(z) - wanted) * _LN10 / z, 0.1)
    return z


@cache
def _normal_reach_once(decades: float) -> Floats:
    """The same for a number that every call asks for."""
    return _normal_reach(decades)


def exponential_tail(ratio: Floats) -> Floats:
    """Decades of surprise of an exponential variable at least `ratio` times its mean."""
    return bounded(ratio / _LN10, 0.0, MOST)


def exponential_reach(decades: Floats | float) -> Floats:
    """How many means an exponential variable must reach to be `decades` surprising."""
    reach: Floats = np.asarray(decades, dtype=np.float64) * _LN10
    return reach
