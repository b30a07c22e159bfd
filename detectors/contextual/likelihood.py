"""Likelihood: from each stream's own scale to decades of surprise.

A stream is smoothed, and its smoothed value is held against a running Gaussian of its own past. What is above the mean
surprises by the upper tail, what is below by nothing. Nothing is cut off when the past is learned: a stream that jumps
now and then is one whose next jump is less of a surprise.

Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark", 2015,
arXiv:1510.03336, for the idea; here the past is all there is, fading, and the smoothing exponential.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.arithmetic import any_of, maximum, minimum, sqrt
from detectors.base import Field, Numbers, Rows, State
from detectors.rows import put_rows, rows_at

MEMORY = 6000.0
"""Steps that the running Gaussian remembers."""

MOST = 10.0
"""Decades that one stream is worth at most."""

FARTHEST = 6.3444
"""Standard deviations at which that is reached."""

TAIL = (0.309593, 0.300906, 0.180862, 0.00196294)
"""Decades of surprise as a polynomial of deviations, the constant first: within 0.003 of one side of
`detectors.surprise.normal_tail`, at a sixth of its cost."""

LARGEST = 1e6


KNOWN = ("smooth", "stream_mean", "stream_variance")


def likelihood_layout(streams: int) -> dict[str, Field]:
    """The fields that the streams need in a detector's state."""
    return {
        "smooth": Field(width=streams, learned=False),
        "stream_mean": Field(width=streams),
        "stream_variance": Field(width=streams),
    }


def likelihood(
    state: State, slots: Rows, raw: Sequence[Numbers], shares: Sequence[float], count: Numbers, place: Numbers
) -> list[Numbers]:
    """Decades of surprise of each stream, of shape (m,); then learn.

    Args:
        state: The detector's state.
        slots: Rows, shape (m,).
        raw: The streams' raw scores, each of shape (m,).
        shares: Share of the newest score in the smoothed one, of each stream.
        count: Steps learned before, shape (m,).
        place: Steps seen before, learned or not, shape (m,).
    """
    share = maximum(1.0 / (count + 1.0), 1.0 / MEMORY)
    young = any_of(place < 1.0 / min(shares))
    if type(slots) is not int:
        newest = np.maximum(1.0 / (place[:, None] + 1.0), shares) if young else np.array(shares)
        known = [rows_at(state[name], slots) for name in KNOWN]
        scores = np.empty((len(slots), len(raw)))
        for stream, score in enumerate(raw):
            scores[:, stream] = score
        decades, *learned = _judge(known, scores, newest, share[:, None])
        for name, values in zip(KNOWN, learned, strict=True):
            put_rows(state[name], slots, values)
        return list(decades.T)
    found = []
    for stream, score in enumerate(raw):
        known = [float(state[name][slots, stream]) for name in KNOWN]
        newest = maximum(1.0 / (place + 1.0), shares[stream]) if young else shares[stream]
        decades, *learned = _judge(known, score, newest, share)
        for name, value in zip(KNOWN, learned, strict=True):
            state[name][slots, stream] = value
        found.append(decades)
    return found


def _judge(known: Sequence[Numbers], raw: Numbers, newest: Numbers, share: Numbers) -> tuple[Numbers, ...]:
    """Decades of surprise, and what is known of streams thereafter, in the order of `KNOWN`."""
    smooth, mean, variance = known
    smooth = smooth + newest * (minimum(raw, LARGEST) - smooth)
    off = smooth - mean
    decades = upper_tail(off / maximum(sqrt(variance), 1e-6))
    believed = share * off
    return decades, smooth, mean + believed, (1.0 - share) * (variance + believed * off)


def upper_tail(z: Numbers) -> Numbers:
    """Decades of surprise of a standard normal deviate at least as high as `z`, `MOST` at most; 0 below the mean."""
    constant, linear, square, cube = TAIL
    near = minimum(z, FARTHEST)
    return (z > 0) * (constant + near * (linear + near * (square + near * cube)))
