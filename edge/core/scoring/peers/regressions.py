"""Regressions of each sensor of a device on the others.

Source: J. Whittaker, "Graphical Models in Applied Multivariate Statistics", Wiley 1990, chapter 5: all of them follow
    from the inverse of the correlations. A row of it, divided by its diagonal element, has the weights of the others in
    what they suggest for a sensor, with the opposite sign; the inverse of the diagonal element is the share of the
    sensor's variance that is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Slots

NOISE = 0.01
"""Share of each variance attributed to noise of the sensor's own."""


class Regressions(NamedTuple):
    """The regressions within devices of as many sensors.

    Attributes:
        used: Whether a sensor is known and varies, shape (devices, sensors).
        scale: Standard deviation of each, 1 where it isn't used, shape (devices, sensors).
        matrix: Weights by which standardised values give their differences from what the others suggest, shape
            (devices, sensors, sensors).
        unexplained: Share of the variance that the others leave, 1 where a sensor isn't used, shape (devices, sensors).
    """

    used: NDArray[np.bool_]
    scale: Floats
    matrix: Floats
    unexplained: Floats

    @property
    def weights(self) -> Floats:
        """How much each of the others counts in what is suggested for a sensor, at least 0; the shape of `matrix`."""
        places = np.arange(self.matrix.shape[1])
        weights: Floats = np.abs(self.matrix)
        weights[:, places, places] = 0.0
        return weights

    def differences(self, away: Floats) -> Floats:
        """Values less what the others suggest, NaN where a sensor isn't used; shape (devices, sensors).

        Args:
            away: Values less their means, shape (devices, sensors); only those of used sensors count.
        """
        standard = np.where(self.used, away / self.scale, 0.0)
        differences: Floats = (self.matrix * standard[:, None, :]).sum(axis=2) * self.scale
        return np.where(self.used, differences, np.nan)


def regressions(moments: Floats, known: NDArray[np.bool_]) -> Regressions:
    """The regressions by second moments.

    Args:
        moments: Second moments, shape (devices, sensors, sensors).
        known: Which sensors have a value, shape (devices, sensors); the others aren't used.
    """
    places = np.arange(moments.shape[1])
    scale = np.sqrt(moments[:, places, places])
    used = known & (scale > 0) & np.isfinite(scale)
    scale = np.where(used, scale, 1.0)
    both = used[:, :, None] & used[:, None, :]
    correlations = np.where(both, np.clip(moments / (scale[:, :, None] * scale[:, None, :]), -1.0, 1.0), 0.0)
    correlations[:, places, places] = 1.0 + NOISE
    inverse = _inverse(correlations)
    own = inverse[:, places, places]
    used &= own > 0  # not so only if the correlations are from different half hours that contradict each other
    own = np.where(used, own, 1.0)
    return Regressions(
        used, scale, inverse / own[:, :, None], np.where(used, np.clip(1.0 / own - NOISE, 0.0, 1.0), 1.0)
    )


def _inverse(matrices: Floats) -> Floats:
    try:
        return np.linalg.inv(matrices).astype(np.float64)
    except np.linalg.LinAlgError:  # one of them is singular, which mustn't affect the others
        return np.linalg.pinv(matrices, hermitian=True).astype(np.float64)


def add_products(
    moments: NDArray[np.float32], slots: Slots, values: Floats, known: NDArray[np.bool_], weight: Floats, kept: Floats
) -> None:
    """Add the products of values to second moments, where both are known.

    Args:
        moments: Second moments, shape (rows, most sensors of a device).
        slots: Rows of the sensors, shape (devices, sensors).
        values: Values less their means, shape (devices, sensors).
        known: Which of them are known, shape (devices, sensors).
        weight: Weights of the products, shape (devices, sensors, sensors).
        kept: Weights of the moments so far, shape (devices, sensors, sensors).
    """
    size = slots.shape[1]
    both = known[:, :, None] & known[:, None, :]
    before = moments[slots][:, :, :size].astype(np.float64)
    products = kept * before + weight * values[:, :, None] * values[:, None, :]
    moments[slots, :size] = np.where(both, products, before)
