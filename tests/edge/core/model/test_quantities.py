from __future__ import annotations

import math

import pytest

from edge.core.model.notation.quantities import rounded_alike


@pytest.mark.parametrize(
    ("values", "rounded"),
    [
        ([], []),
        ([0.0], [0.0]),
        ([-0.00033, 1.50049, 7.39912], [0.0, 1.5, 7.399]),
        ([0.0, 123_456.0], [0.0, 123_500.0]),
        ([1.23456e-7], [1.235e-7]),
    ],
)
def test_values_are_rounded_to_the_digits_of_the_largest(values: list[float], rounded: list[float]) -> None:
    assert rounded_alike(values) == pytest.approx(rounded, rel=1e-12, abs=0)
    assert all(math.copysign(1.0, each) > 0 or each < 0 for each in rounded_alike(values))
