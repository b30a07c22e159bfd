from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.numeric.surprise import (
    MOST,
    exponential_reach,
    exponential_tail,
    normal_tail,
    student_reach,
    student_tail,
)


def array(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def exact_normal(z: float) -> float:
    return -math.log10(math.erfc(z / math.sqrt(2)))


def exact_student(t: float, freedom: float) -> float:
    """By Simpson's rule, in the angle whose tangent is t / sqrt(freedom)."""
    steps = 4000
    low, high = math.atan(t / math.sqrt(freedom)), math.pi / 2
    width = (high - low) / steps
    weights = [1.0, *([4.0, 2.0] * (steps // 2))[:-1], 1.0]
    area = sum(
        weight * max(math.cos(low + index * width), 0.0) ** (freedom - 1) for index, weight in enumerate(weights)
    )
    constant = math.gamma((freedom + 1) / 2) / (math.sqrt(math.pi) * math.gamma(freedom / 2))
    return -math.log10(2 * constant * area * width / 3)


@pytest.mark.parametrize("z", np.arange(0.0, 37.0, 0.25).tolist())
def test_the_normal_tail_is_exact_to_a_fortieth_of_a_decade(z: float) -> None:
    assert normal_tail(array(z))[0] == pytest.approx(exact_normal(z), abs=0.025)


@pytest.mark.parametrize(
    ("t", "freedom", "chance"),
    [(6.314, 1, 0.10), (12.706, 1, 0.05), (4.303, 2, 0.05), (2.776, 4, 0.05), (4.604, 4, 0.01), (3.169, 10, 0.01)],
)
def test_the_student_tail_agrees_with_the_printed_table(t: float, freedom: float, chance: float) -> None:
    assert student_tail(array(t), array(freedom))[0] == pytest.approx(-math.log10(chance), abs=0.15)


@pytest.mark.parametrize("freedom", [4.0, 5.0, 8.0, 15.0, 40.0, 150.0])
@pytest.mark.parametrize("t", [0.5, 1.0, 2.0, 4.0, 8.0])
def test_the_student_tail_agrees_with_the_integral(t: float, freedom: float) -> None:
    exact = exact_student(t, freedom)
    assert student_tail(array(t), array(freedom))[0] == pytest.approx(exact, abs=0.07 + 0.02 * exact)


def test_a_student_tail_with_many_degrees_of_freedom_is_the_normal_tail() -> None:
    z = np.linspace(0.0, 8.0, 50)
    np.testing.assert_allclose(student_tail(z, np.full(50, 1e9)), normal_tail(z), atol=1e-5)


def test_fewer_degrees_of_freedom_give_less_surprise() -> None:
    tails = student_tail(np.full(5, 6.0), array(1.0, 2.0, 5.0, 30.0, 1e4))
    assert (np.diff(tails) > 0).all()


@given(st.floats(0.0, 1e150), st.floats(0.0, 1e150), st.floats(1.0, 1e4))
def test_larger_deviations_are_never_less_surprising(one: float, other: float, freedom: float) -> None:
    near, far = sorted([one, other])
    normal = normal_tail(array(near, far))
    student = student_tail(array(near, far), array(freedom, freedom))
    assert 0.0 <= normal[0] <= normal[1] <= MOST
    assert 0.0 <= student[0] <= student[1] <= MOST


@given(st.floats(allow_nan=False), st.floats(1.0, 1e6))
def test_the_side_does_not_matter_and_nothing_overflows(value: float, freedom: float) -> None:
    both = array(value, -value)
    for tail in (normal_tail(both), student_tail(both, array(freedom, freedom))):
        assert tail[0] == tail[1]
        assert 0.0 <= tail[0] <= MOST


def test_nan_stays_nan() -> None:
    assert np.isnan(normal_tail(array(math.nan))).all()
    assert np.isnan(student_tail(array(math.nan), array(5.0))).all()


@given(st.floats(1.0, 12.0), st.floats(1.0, 1e4))
def test_the_reach_is_the_inverse_of_the_tail(decades: float, freedom: float) -> None:
    away = student_reach(decades, array(freedom))
    assert student_tail(away, array(freedom))[0] == pytest.approx(decades, rel=0.01, abs=0.01)


@given(st.floats(0.0, 100.0))
def test_exponential_tail_and_reach_are_inverse(decades: float) -> None:
    assert exponential_tail(exponential_reach(decades)) == pytest.approx(decades)


def test_the_rarity_of_an_exponential_variable_of_ten_means_is_exact() -> None:
    assert exponential_tail(array(10.0))[0] == pytest.approx(-math.log10(math.exp(-10.0)))


def test_elements_are_independent() -> None:
    values = np.random.default_rng(1).normal(size=1000) * 10
    freedom = np.random.default_rng(2).uniform(1, 100, 1000)
    together = student_tail(values, freedom)
    apart = [student_tail(values[[index]], freedom[[index]])[0] for index in range(1000)]
    assert together.tolist() == apart
