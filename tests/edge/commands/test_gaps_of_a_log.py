"""A log with a gap, in which every sensor is silent: what is said of it and of the readings after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from click.testing import CliRunner

from edge.commands import main

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def messages(folder: Path, value: Callable[[int, str, Random], float], gap: range, minutes: int = 10) -> list[str]:
    """The sentences about the incidents of three sensors with a reading every `minutes`, except in the gap."""
    log, chance = folder / "log.csv", Random(1)
    rows = ["time,sensor,value"]
    for step in range(gap.stop + 100):
        for each in "abc":
            at = value(step, each, chance)
            if step not in gap:
                rows.append(f"{(BEGIN + step * timedelta(minutes=minutes)).isoformat()},plant/{each},{at:.2f}")
    log.write_text("\n".join(rows), encoding="utf-8")
    found = CliRunner().invoke(main, ["replay", "--no-summary", str(log)])
    told = [json.loads(line)["data"] for line in found.stdout.splitlines()]
    return [each["message"] for each in told if "incident" in each]


def test_sensors_that_resume_in_the_same_moment_are_not_told_to_be_silent_still(tmp_path: Path) -> None:
    told = messages(tmp_path, lambda *by: by[2].gauss(20.0, 1.0), range(500, 530))
    assert told[0].startswith("3 sensors of plant have been silent for ")
    assert told[0].endswith(": a, b, c")
    assert told[-1].startswith("3 sensors of plant have reported again after 4.6 h")
    assert not [each for each in told if "still" in each]


def walk(step: int, each: str, chance: Random, course: dict[str, float]) -> float:
    """A value that wanders by small steps and returns to its middle."""
    course[each] = 0.98 * course.get(each, 0.0) + chance.gauss(0.0, 0.2)
    return 20.0 + course[each]


def test_where_a_sensor_is_after_a_gap_is_no_jump(tmp_path: Path) -> None:
    course: dict[str, float] = {}
    told = messages(tmp_path, lambda *by: walk(*by, course), range(1000, 1300))
    assert told[-1].startswith("3 sensors of plant have reported again after ")
    assert not [each for each in told if "jumped" in each or "dropped" in each]
