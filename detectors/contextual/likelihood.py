"""Likelihood: converts each stream's own scale to decades of surprise.

A stream is smoothed, and its smoothed value is compared with a running Gaussian of its own history. Values above the
mean are surprising by the upper tail, values below aren't. Nothing is clipped when the history is learned: for a stream
that jumps now and then, the next jump is less surprising.

Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark", 2015,
arXiv:1510.03336, for the idea; here the history is the whole past with exponential forgetting, and the smoothing is
exponential.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.base import Field, State
from detectors.contextual.running import taken_in
from detectors.contextual.steps import Age
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import maximum, minimum, sqrt
from detectors.numeric.gather import part_at, put_part

MOST = 10.0
"""Maximum score of one stream in decades."""

FARTHEST = 6.3444
"""Standard deviations at which the maximum is reached."""

TAIL = (0.309593, 0.300906, 0.180862, 0.00196294)
"""Decades of surprise as a polynomial of the deviation, constant term first: within 0.05 of the exact tail, at a sixth
of the cost of `detectors.numeric.surprise.normal_tail`."""

LARGEST = 1e6


KNOWN = ("smooth", "stream_mean", "stream_variance")


def likelihood_layout(streams: int) -> dict[str, Field]:
    """The state fields of the streams."""
    return {
        "smooth": Field(width=streams, learned=False, by_element=True),
        "stream_mean": Field(width=streams, by_element=True),
        "stream_variance": Field(width=streams, by_element=True),
    }


def likelihood(
    state: State, slots: Rows, raw: Sequence[Numbers], shares: Sequence[float], age: Age
) -> Sequence[Numbers]:
    """The excess of each smoothed stream over its usual size in standard deviations, of shape (m,); then learn.

    Args:
        state: The detector's state.
        slots: Rows, shape (m,).
        raw: The streams' raw scores, each of shape (m,).
        shares: Weight of the newest score in the smoothed one, for each stream.
        age: Age of the sensors in steps.
    """
    if type(slots) is not int:
        newest = age.share_of(np.array(shares)[:, None])
        known = [part_at(state[name], slots, 0, len(raw)) for name in KNOWN]
        deviations, *learned = _judge(known, np.array(raw), newest, age.share)
        for name, values in zip(KNOWN, learned, strict=True):
            put_part(state[name], slots, 0, values)
        return list(deviations)
    rows = [state[name][slots].tolist() for name in KNOWN]
    judged = [
        _judge(known, score, age.share_of(share), age.share)
        for *known, score, share in zip(*rows, raw, shares, strict=True)
    ]
    deviations, *rows = zip(*judged, strict=True)
    for name, row in zip(KNOWN, rows, strict=True):
        state[name][slots] = row
    return deviations


def _judge(known: Sequence[Numbers], raw: Numbers, newest: Numbers, share: Numbers) -> tuple[Numbers, ...]:
    """Standard deviations above the mean, and the updated state of the streams in the order of `KNOWN`."""
    smooth, mean, variance = known
    smooth = smooth + newest * (minimum(raw, LARGEST) - smooth)
    off = smooth - mean
    return off / maximum(sqrt(variance), 1e-6), smooth, *taken_in(mean, variance, off, share)


def weighted_decades(deviations: Sequence[Numbers], weights: Sequence[float]) -> Numbers:
    """The weighted sum of the surprise of several deviations; shape (m,)."""
    if type(deviations[0]) is float:
        weighted = [upper_tail(each) * weight for each, weight in zip(deviations, weights, strict=True)]
    else:
        weighted = upper_tail(np.array(deviations)) * np.array(weights)[:, None]
    total = weighted[0]
    for each in weighted[1:]:
        total = total + each
    return total


def upper_tail(z: Numbers) -> Numbers:
    """Decades of surprise of a standard normal deviate at least as high as `z`, at most `MOST`; 0 below the mean."""
    constant, linear, square, cube = TAIL
    near = minimum(z, FARTHEST)
    decades = near * cube
    decades += square
    decades *= near
    decades += linear
    decades *= near
    decades += constant
    decades *= z > 0
    return decades
