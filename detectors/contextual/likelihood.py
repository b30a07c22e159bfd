"""Likelihood: from each stream's own scale to decades of surprise.

A stream is smoothed, and its smoothed value is held against a running Gaussian of its own past. What is above the mean
surprises by the upper tail, what is below by nothing. Nothing is cut off when the past is learned: a stream that jumps
now and then is one whose next jump is less of a surprise.

Source: A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark", 2015,
arXiv:1510.03336, for the idea; here the past is all there is, fading, and the smoothing exponential.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Field, Floats, Slots, State
from detectors.surprise import normal_tail

MEMORY = 6000.0
"""Steps that the running Gaussian remembers."""

MOST = 10.0
"""Decades that one stream is worth at most."""

LARGEST = 1e6
_ONE_SIDE = float(np.log10(2.0))


def likelihood_layout(streams: int) -> dict[str, Field]:
    """The fields that the streams need in a detector's state."""
    return {
        "smooth": Field(width=streams, learned=False),
        "stream_mean": Field(width=streams),
        "stream_variance": Field(width=streams),
    }


def likelihood(state: State, slots: Slots, raw: Floats, shares: Floats, count: Floats, place: Floats) -> Floats:
    """Decades of surprise of each stream, then learn; shape (m, streams).

    Args:
        state: The detector's state.
        slots: Rows, shape (m,).
        raw: The streams' raw scores, shape (m, streams).
        shares: Share of the newest score in the smoothed one, shape (streams,).
        count: Steps learned before, shape (m,).
        place: Steps seen before, learned or not, shape (m,).
    """
    smooth = state["smooth"].take(slots, axis=0)
    smooth += np.maximum(shares, 1.0 / (place[:, None] + 1.0)) * (np.minimum(raw, LARGEST) - smooth)
    state["smooth"][slots] = smooth
    mean, variance = state["stream_mean"].take(slots, axis=0), state["stream_variance"].take(slots, axis=0)
    off = smooth - mean
    z = off / np.maximum(np.sqrt(variance), 1e-6)
    decades = upper_tail(z)
    share = np.maximum(1.0 / MEMORY, 1.0 / (count[:, None] + 1.0))
    state["stream_mean"][slots] = mean + share * off
    state["stream_variance"][slots] = (1.0 - share) * (variance + share * off * off)
    return decades


def upper_tail(z: Floats) -> Floats:
    """Decades of surprise of a standard normal deviate at least as high as `z`, `MOST` at most; 0 below the mean."""
    return np.where(z > 0, np.minimum(normal_tail(z) + _ONE_SIDE, MOST), 0.0)
