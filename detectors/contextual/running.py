"""Running mean and variance with exponential forgetting.

Source: D. H. D. West, "Updating mean and variance estimates: an improved method", Communications of the ACM 22 (9),
1979, doi:10.1145/359146.359153, with a share of the newest value instead of weights.
"""

from __future__ import annotations

from detectors.numeric.arrays import Numbers


def taken_in(mean: Numbers, variance: Numbers, off: Numbers, share: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and variance updated with one more value.

    Args:
        mean: Previous mean, shape (m,) or any other, or a scalar.
        variance: Previous variance.
        off: The value minus the previous mean.
        share: Weight of the value, 0 to 1; with 1 it becomes the mean.
    """
    believed = share * off
    return mean + believed, (1.0 - share) * (variance + believed * off)
