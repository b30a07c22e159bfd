from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from detectors import DETECTORS
from detectors.base import Detector
from detectors.parameters import ParameterError, Range, check_parameters, choice, parameter, parameters_of


@dataclass(frozen=True)
class Sized:
    size: str = choice("small", "A size.", ("small", "large"))


def test_a_choice_accepts_only_its_words() -> None:
    (size,) = parameters_of(Sized)
    assert (size.kind, size.default, size.words, size.unit) == (str, "small", ("small", "large"), "")
    check_parameters(Sized("large"))
    with pytest.raises(ParameterError) as refusal:
        check_parameters(Sized("huge"))
    assert str(refusal.value) == "size: must be small or large, is huge"


@dataclass(frozen=True)
class Knobs:
    share: float = parameter(0.5, "A share.", above=0, at_most=1)
    number: int = parameter(3, "A number.", unit="readings", at_least=1, below=10)
    limit: float = parameter(math.nan, "A limit.", unit="s")
    switch: bool = parameter(default=True, doc="A switch.")


def test_parameters_come_in_the_order_of_declaration() -> None:
    assert [each.name for each in parameters_of(Knobs)] == ["share", "number", "limit", "switch"]


def test_the_description_of_a_parameter_is_complete() -> None:
    share, number, limit, switch = parameters_of(Knobs)
    assert (share.kind, share.default, share.doc, share.unit) == (float, 0.5, "A share.", "")
    assert share.range == Range(above=0, at_most=1)
    assert (number.kind, number.unit, number.range) == (int, "readings", Range(below=10, at_least=1))
    assert math.isnan(limit.default)
    assert switch.kind is bool


@pytest.mark.parametrize(
    ("settings", "name", "problem"),
    [
        ({"share": 0.0}, "share", "must be above 0, is 0"),
        ({"share": 1.5}, "share", "must be at most 1, is 1.5"),
        ({"number": 0}, "number", "must be at least 1, is 0"),
        ({"number": 10}, "number", "must be below 10, is 10"),
        ({"share": math.nan}, "share", "must be a number, is nan"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(settings: dict[str, float], name: str, problem: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        check_parameters(Knobs(**settings))  # type: ignore[arg-type]
    assert refusal.value.parameter == name
    assert str(refusal.value) == f"{name}: {problem}"


@pytest.mark.parametrize("settings", [{}, {"share": 1.0}, {"number": 1}, {"number": 9}, {"limit": -5.0}])
def test_a_value_in_range_is_accepted(settings: dict[str, float]) -> None:
    check_parameters(Knobs(**settings))  # type: ignore[arg-type]


def test_nan_means_unset_only_where_it_is_the_default() -> None:
    check_parameters(Knobs(limit=math.nan))


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_a_detector_refuses_values_beyond_its_ranges(detector: type[Detector]) -> None:
    for each in parameters_of(detector):
        for bound, step in (
            (each.range.above, 0.0),
            (each.range.below, 0.0),
            (each.range.at_least, -1.0),
            (each.range.at_most, 1.0),
        ):
            if bound is not None:
                with pytest.raises(ParameterError, match=each.name):
                    detector(**{each.name: bound + step})


@pytest.mark.parametrize("detector", DETECTORS.values(), ids=DETECTORS)
def test_every_default_is_within_its_range(detector: type[Detector]) -> None:
    for each in parameters_of(detector):
        if each.words:
            assert each.default in each.words
        elif not math.isnan(each.default):
            assert each.range.problem(each.default) is None


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"low": 5.0, "high": 4.0}, "high"),
        ({"low_critical": 5.0, "low": 5.0}, "low"),
        ({"high": 5.0, "high_critical": 4.0}, "high_critical"),
        ({"low_critical": 5.0, "high_critical": 4.0}, "high_critical"),
    ],
)
def test_limits_out_of_order_are_refused(settings: dict[str, float], name: str) -> None:
    with pytest.raises(ParameterError) as refusal:
        DETECTORS["limits"](**settings)
    assert refusal.value.parameter == name
