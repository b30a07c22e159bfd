"""A mean and a variance that run along, and forget what is long past.

Source: D. H. D. West, "Updating mean and variance estimates: an improved method", Communications of the ACM 22 (9),
1979, doi:10.1145/359146.359153, with a share of the newest value instead of weights.
"""

from __future__ import annotations

from detectors.numeric.arrays import Numbers


def taken_in(mean: Numbers, variance: Numbers, off: Numbers, share: Numbers) -> tuple[Numbers, Numbers]:
    """The mean and the variance with one more value.

    Args:
        mean: Mean before, shape (m,) or any other, or a plain number.
        variance: Variance before.
        off: The value, less the mean before.
        share: What the value counts for, 0 to 1; 1 makes it the mean.
    """
    believed = share * off
    return mean + believed, (1.0 - share) * (variance + believed * off)
