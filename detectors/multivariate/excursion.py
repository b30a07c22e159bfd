"""Excursions: the path of a device during an incident, and whether the cause of the incident has gone.

Devices drift: water warms up while a valve is stuck. When the valve opens, the device is where it would be without the
incident, but not where it was before. An excursion therefore has a direction: from the level before the incident to the
features after its first rows. Once the features have returned along that direction, whatever they have done in others,
the excursion is over. The device then settles for as long as it was away, and the remaining difference is treated as
drift, which is subtracted from the features until the model has learned it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from detectors.base import Field, State
from detectors.numeric.arrays import Floats, Slots

LEVEL_ROWS = 40.0
"""Number of rows over which the level follows the features, and in which a device settles after an excursion."""

ONSET_ROWS = 60
"""Number of rows after which an excursion's direction is known."""

GONE = 0.3
"""Maximum remaining share of an excursion that is over."""

LEARNED_ROWS = 2_000.0
"""Number of rows over which subtracted drift decays, because the model learns it in the meantime."""

Product = Callable[[Floats, Floats], Floats]
"""Returns the inner product of two rows of differences under the model, shape (n,): how far both go in one
direction.
"""


def fields(channels: int) -> dict[str, Field]:
    """The state of excursions.

    The level before an excursion; where it went; whether an incident was open at the last row; for how many rows the
    device has been away, or has yet to settle; and what is subtracted as drift.
    """
    return {
        "level": Field(math.nan, width=channels, later=True),  # learned, so it doesn't change during an incident
        "excursion": Field(width=channels, learned=False, later=True),
        "held": Field(learned=False, later=True),
        "away": Field(learned=False, later=True),
        "settling": Field(learned=False, later=True),
        "drift": Field(width=channels, learned=False, later=True),
    }


def follow(state: State, slots: Slots, features: Floats, product: Product) -> Floats:
    """Follow excursions by one row of features for each device; returns the features without drift.

    Args:
        state: The arrays of `fields()`, modified in place in the rows `slots` only.
        slots: Row of each device, shape (n,).
        features: Shape (n, channels); NaN where a channel has none.
        product: The product by the model of these devices.
    """
    settling = np.maximum(state["settling"][slots] - 1.0, 0.0)
    away = np.where((state["held"][slots] > 0) & (settling == 0), state["away"][slots] + 1.0, 0.0)
    state["held"][slots] = 0.0
    drift, level = state["drift"][slots], state["level"][slots]
    beyond = np.nan_to_num(features - drift - level)
    begins = (away > 0) & (away <= ONSET_ROWS)
    excursion = np.where(begins[:, None], beyond, state["excursion"][slots])
    size = product(excursion, excursion)
    is_back = (away > ONSET_ROWS) & (size > 0) & (product(excursion, beyond) <= GONE * size)
    settling = np.where(is_back, away, settling)
    share = np.where(settling > 0, 1.0 / LEVEL_ROWS, 0.0)
    drift = (drift + share[:, None] * beyond) * (1.0 - 1.0 / LEARNED_ROWS)
    scored: Floats = features - drift
    moved = np.where(np.isnan(scored), level, level + (scored - level) / LEVEL_ROWS)
    state["level"][slots] = np.where(np.isnan(level), scored, moved)
    state["excursion"][slots] = excursion
    state["away"][slots] = np.where(is_back, 0.0, away)
    state["settling"][slots] = settling
    state["drift"][slots] = drift
    return scored


def hold(state: State, slots: Slots) -> None:
    """Record that an incident was open at the last rows of these devices."""
    state["held"][slots] = 1.0
