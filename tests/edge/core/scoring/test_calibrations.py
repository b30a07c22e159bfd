"""The calibrations of all detectors share their arrays: one reading and many, and any detectors, give the same."""

from __future__ import annotations

import numpy as np
import pytest

from config.schema import IncidentSettings
from detectors.base import Detector
from detectors.contextual import Contextual
from detectors.state import StateError
from detectors.univariate.ewma import EwmaZScore
from detectors.univariate.rate import RateOfChange
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.levels.calibration import REMEMBERED

SETTINGS = IncidentSettings()
DETECTORS: tuple[Detector, ...] = (EwmaZScore(), RateOfChange(), Contextual())
SENSORS = 120


def scores(rounds: int, detectors: int = len(DETECTORS), sensors: int = SENSORS) -> np.ndarray:
    """Scores with excursions, some of them unknown, shape (rounds, detectors, sensors)."""
    rng = np.random.default_rng(4)
    found = -np.log10(rng.random((rounds, detectors, sensors))) * 2.0
    found[rng.random(found.shape) < 0.05] = np.nan
    return found


def assumed(intervals: np.ndarray) -> np.ndarray:
    return np.full(len(intervals), 6.0)


def see(
    levels: AlarmLevels, slots: np.ndarray, found: np.ndarray, time: float, detectors: tuple[Detector, ...]
) -> None:
    calm, times = np.zeros(len(slots), dtype=bool), np.full(len(slots), time)
    levels.levels(detectors, slots, times, calm, np.full(len(slots), 60.0), assumed, SETTINGS)
    levels.note(detectors, slots, found, calm, SETTINGS)


def test_single_readings_give_the_same_state_as_rounds() -> None:
    one, many = AlarmLevels(), AlarmLevels()
    one.grow(SENSORS)
    many.grow(SENSORS)
    for number, found in enumerate(scores(200)):
        time = 1800.0 * number
        see(many, np.arange(SENSORS), found, time, DETECTORS)
        for slot in range(SENSORS):
            one.levels(DETECTORS, slot, time, False, 60.0, assumed, SETTINGS)
            one.note(DETECTORS, slot, found[:, slot].tolist(), False, SETTINGS)
    assert one.state(0, SENSORS) == many.state(0, SENSORS)
    assert one.by_detector["ewma"].peaks.any()


def test_detectors_are_independent_of_each_other_and_of_which_sensors_report_together() -> None:
    together, apart = AlarmLevels(), AlarmLevels()
    together.grow(SENSORS)
    apart.grow(SENSORS)
    for number, found in enumerate(scores(100)):
        see(together, np.arange(SENSORS), found, 600.0 * number, DETECTORS)
        for slots in (np.arange(0, SENSORS, 2), np.arange(1, SENSORS, 2)):
            see(apart, slots, found[1:, slots], 600.0 * number, DETECTORS[1:])
    for detector in DETECTORS[1:]:
        for mine, theirs in zip(together.by_detector[detector.name], apart.by_detector[detector.name], strict=True):
            assert np.array_equal(mine[:SENSORS], theirs[:SENSORS]), detector.name
    assert "ewma" not in list(apart.by_detector)


def test_a_round_costs_the_same_number_of_passes_however_many_detectors_have_scored_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels, calls = AlarmLevels(), 0
    levels.grow(SENSORS)
    search = np.flatnonzero

    def counted(condition: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        return search(condition)

    monkeypatch.setattr(np, "flatnonzero", counted)
    see(levels, np.arange(SENSORS), np.full((1, SENSORS), 5.0), 0.0, DETECTORS[:1])
    alone, calls = calls, 0
    see(levels, np.arange(SENSORS), np.full((3, SENSORS), 5.0), 60.0, DETECTORS)
    assert calls == alone


def test_more_sensors_and_detectors_leave_what_is_known() -> None:
    levels = AlarmLevels()
    levels.grow(3)
    levels.by_detector["ewma"].level[:3] = 7.0
    levels.by_detector["rate"].peaks[2, :] = 5.0
    levels.grow(1000)
    assert levels.by_detector["ewma"].level[:4].tolist() == [7.0, 7.0, 7.0, 0.0]
    assert levels.by_detector["rate"].peaks.shape == (len(levels.by_detector["ewma"].level), REMEMBERED)
    assert levels.by_detector["contextual"].level.shape == levels.by_detector["ewma"].level.shape
    levels.clear_row(2)
    assert levels.by_detector["ewma"].level[:3].tolist() == [7.0, 7.0, 0.0]
    assert not levels.by_detector["rate"].peaks.any()


def test_a_saved_state_of_another_kind_is_refused_as_a_whole() -> None:
    levels = AlarmLevels()
    levels.grow(4)
    levels.by_detector["ewma"].level[:4] = 3.0
    good = {name: array[:2] for name, array in levels.by_detector["ewma"]._asdict().items()}
    bad = {**good, "calm": np.zeros(2)}
    with pytest.raises(StateError, match="calm"):
        levels.by_detector.load(0, {"rate": good, "ewma": bad})
    assert not levels.by_detector["rate"].level.any()
    with pytest.raises(StateError, match="no room"):
        levels.by_detector.load(len(levels.by_detector["ewma"].level) - 1, {"ewma": good})


def test_sensors_that_no_detector_scores_have_no_levels() -> None:
    levels, calm = AlarmLevels(), np.zeros(2, dtype=bool)
    levels.grow(2)
    assert levels.levels((), np.arange(2), np.zeros(2), calm, np.full(2, 60.0), assumed, SETTINGS).shape == (0, 2)
    levels.note((), np.arange(2), np.zeros((0, 2)), calm, SETTINGS)
    assert len(levels.levels((), 0, 0.0, False, 60.0, assumed, SETTINGS)) == 0
    levels.note((), 0, [], False, SETTINGS)
    levels.clear_row(1)


def test_detectors_looked_up_in_another_order_give_the_same_levels() -> None:
    ordered, other = AlarmLevels(), AlarmLevels()
    for levels in (ordered, other):
        levels.grow(SENSORS)
    for detector in reversed(DETECTORS):
        other.by_detector[detector.name].level[:] = 0.0
    for number, found in enumerate(scores(60)):
        for levels in (ordered, other):
            see(levels, np.arange(1, SENSORS), found[:, 1:], 3600.0 * number, DETECTORS)
            levels.levels(DETECTORS, 0, 3600.0 * number, False, 60.0, assumed, SETTINGS)
            levels.note(DETECTORS, 0, found[:, 0].tolist(), False, SETTINGS)
    assert ordered.state(0, SENSORS) == other.state(0, SENSORS)
    assert [*other.by_detector] != [*ordered.by_detector]


def test_a_restored_state_has_the_detectors_in_the_order_of_profiles() -> None:
    levels, again = AlarmLevels(), AlarmLevels()
    for each in (levels, again):
        each.grow(SENSORS)
    see(levels, np.arange(SENSORS), scores(1)[0], 0.0, DETECTORS)
    again.load(0, levels.state(0, SENSORS))
    assert [*again.by_detector] == [*levels.by_detector]
    assert again.state(0, SENSORS) == levels.state(0, SENSORS)
