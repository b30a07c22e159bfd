"""What `make bench` prints: every goal with its figure, held or missed."""

from __future__ import annotations

import bench
import pytest
from figures import Figure, table


@pytest.mark.parametrize("part", ["quiet", "packs", "large", "many"])
def test_the_benchmark_contains_quiet_and_large_plants_and_floods(part: str) -> None:
    assert part in bench.PARTS


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        ([3.0, 9.0, 4.0], "held   large: recovery: 4 s, goal <= 5"),
        ([3.0, 9.0, 6.0], "MISSED large: recovery: 6 s, goal <= 5"),
    ],
)
def test_a_goal_is_told_with_its_figure_and_as_held_or_missed(seconds: list[float], line: str) -> None:
    figure = Figure("large", "recovery", "s", seconds, most=5.0)
    assert figure.as_goal() == line
    assert figure.as_row()[-1] == line.split(maxsplit=1)[0]


def test_a_goal_beside_a_peer_is_about_the_ratio() -> None:
    figure = Figure(
        "packs", "readings per second", "1/s", [50.0, 20.0, 30.0], [100.0, 100.0, 100.0], "paho", least=0.25
    )
    assert figure.as_goal() == "held   packs: readings per second: 0.30 of paho, goal >= 0.25"


def test_a_figure_without_a_goal_has_no_verdict() -> None:
    figure = Figure("large", "memory", "MiB", [179.0])
    assert not figure.has_goal
    assert figure.as_row()[-2:] == ["-", ""]
    assert table([figure]).splitlines()[0].endswith("verdict |")
