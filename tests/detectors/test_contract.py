from __future__ import annotations

import doctest
import sys

import numpy as np
import pytest
from detector_contract import CHECKS
from detector_examples import examples, label
from detector_runs import Subject, next_round, trained

from detectors import DETECTORS, make
from detectors.base import Detector
from detectors.parameters import ParameterError


@pytest.mark.long
@pytest.mark.parametrize("property_name", CHECKS)
@pytest.mark.parametrize("detector", examples(), ids=label)
def test_the_contract_holds(detector: Detector, property_name: str) -> None:
    CHECKS[property_name](Subject(detector))


@pytest.mark.parametrize("detector", examples(), ids=label)
def test_the_contract_is_tried_on_a_detector_that_has_an_opinion(detector: Detector) -> None:
    table = trained(Subject(detector))
    scores = next_round(table).score
    patience = detector.patience(table.arrays, np.arange(table.rows), 6.0)
    may_be_without = detector.name == "limits" and detector == type(detector)()
    assert may_be_without or np.isfinite(scores).any() or np.isfinite(patience).any()


def test_the_contract_has_all_its_properties() -> None:
    assert len(CHECKS) == 27


@pytest.mark.parametrize("name", DETECTORS)
def test_the_example_in_the_documentation_runs(name: str) -> None:
    cls = DETECTORS[name]
    module = sys.modules[cls.__module__]
    found = [each for each in doctest.DocTestFinder().find(cls, globs=vars(module)) if each.examples]
    assert found
    runner = doctest.DocTestRunner(verbose=False)
    for each in found:
        runner.run(each)
    assert runner.failures == 0


def test_each_detector_has_a_name_a_file_and_words_of_its_own() -> None:
    assert list(DETECTORS) == [each.name for each in DETECTORS.values()]
    modules = [each.__module__ for each in DETECTORS.values()]
    assert len(set(modules)) == len(modules)


def test_make_makes_a_detector_by_name() -> None:
    assert make("limits", high=3.0) == DETECTORS["limits"](high=3.0)  # type: ignore[call-arg]


def test_make_refuses_a_name_that_nobody_registered() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        make("nonsense")


def test_make_refuses_a_parameter_out_of_range() -> None:
    with pytest.raises(ParameterError, match="deadband"):
        make("limits", deadband=-1.0)
