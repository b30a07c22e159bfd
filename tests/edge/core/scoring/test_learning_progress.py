from __future__ import annotations

from edge.core.scoring.learning_progress import FEW, learned_word, lowest_levels
from edge.core.scoring.levels.alarm_levels import AlarmLevels


def test_the_lowest_level_of_detectors_counts_and_sensors_without_any_have_none() -> None:
    levels = AlarmLevels()
    levels.grow(3)
    levels.by_detector["ewma"].level[:2] = 7.0, 0.0
    levels.by_detector["rate"].level[:3] = 5.0, 6.0, 0.0
    assert lowest_levels(levels, 600)[:4].tolist() == [5.0, 6.0, 0.0, 0.0]
    assert lowest_levels(levels, 1).tolist() == [5.0]
    assert lowest_levels(AlarmLevels(), 2).tolist() == [0.0, 0.0]


def test_a_sensor_is_new_before_it_learns() -> None:
    kinds = ((FEW - 1, "fixed"), (FEW, "fixed"), (FEW, "assumed"), (FEW, "learned"))
    assert [learned_word(*each) for each in kinds] == ["new", "fixed", "learning", "learned"]
