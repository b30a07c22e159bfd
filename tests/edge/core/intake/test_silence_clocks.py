"""Silence is time without messages from a sensor, whatever its clock says meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge.core.model.readings.messages import Message
from edge.core.persistence.snapshot import Snapshot
from tests.edge.core.pipelines import START, Line, differing, pipeline, reading, revived


def minutely(sensor: str, times: np.ndarray, offset: float = 0.0) -> list[Message]:
    """A reading per minute, each with another value, with the given clock error."""
    return [
        reading(sensor, time + offset, 20.0 + place * 7 % 11 + place / 1000, time) for place, time in enumerate(times)
    ]


def in_order(*sent: list[Message]) -> list[Message]:
    return sorted((each for some in sent for each in some), key=lambda each: each.arrived)


def severities(offset: float, cut: int) -> list[tuple[int, float]]:
    """How the severity of a silence grows over time."""
    minutes = START + 60.0 * np.arange(200.0)
    line = Line(pipeline())
    line.take(in_order(minutely("paced/a", minutes), minutely("paced/b", minutes[:100] + 1.0, offset)), cut=cut)
    assert {each.sensor for each in line.events} == {"paced/b"}
    return [(each.severity, each.time) for each in line.events]


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_a_slow_clock_does_not_hasten_the_severities_of_its_silence(cut: int) -> None:
    right, slow = severities(0.0, cut), severities(-3600.0, cut)
    assert [each for each, _ in slow] == [each for each, _ in right] == [250, 500, 750, 1000]
    assert [time for _, time in slow] == pytest.approx([time for _, time in right], abs=90.0)


@pytest.mark.parametrize("cut", [1, 7, 10_000])
@pytest.mark.parametrize(("sensors", "period", "off", "behind"), [("cde", 60.0, 40, 3600.0), ("c", 1.0, 20, 90.0)])
def test_a_sensor_that_always_reports_is_never_silent_although_its_clock_goes_back_and_is_corrected(
    sensors: str, period: float, off: int, behind: float, cut: int
) -> None:
    times = START + period * np.arange(300.0)
    wrong = in_order(
        minutely("paced/b", times[:100]),
        minutely("paced/b", times[100 : 100 + off], -behind),
        minutely("paced/b", times[100 + off :]),
    )
    others = [minutely(f"paced/{each}", times + 0.01) for each in f"a{sensors}"]
    line = Line(pipeline()).take(in_order(wrong, *others), cut=cut)
    assert line.missing() == []


def test_refused_readings_postpone_a_silence_in_a_replay_too() -> None:
    times = START + 60.0 * np.arange(130.0)
    again = [
        each._replace(arrived=float(time))
        for each, time in zip(minutely("paced/b", times[:100])[60:90], times[100:], strict=True)
    ]
    line = Line(pipeline()).take(
        in_order(minutely("paced/a", times + 0.01), minutely("paced/b", times[:100]), again), cut=7
    )
    assert line.refused == ["duplicate"] * 30
    assert line.missing() == []
    other = revived(pipeline(), pipeline().save("", ""), line.parts)
    assert differing(other.pipeline, line.pipeline) == []
    line.take(minutely("paced/a", START + 60.0 * np.arange(131.0, 150.0)))
    assert line.missing() == ["paced/b"]


WRONG_CLOCKS = {
    "an hour ahead": lambda time: time + 3600.0,
    "a day ahead": lambda time: time + 86_400.0,
    "seconds since its start": lambda time: time - START,
    "the week before the GPS rollover": lambda time: time - 1024 * 604_800.0,
    "an hour behind": lambda time: time - 3600.0,
}


@pytest.mark.parametrize("others", ["a", "ace"])
@pytest.mark.parametrize("clock", WRONG_CLOCKS.values(), ids=WRONG_CLOCKS)
@pytest.mark.parametrize("cut", [7, *(pytest.param(each, marks=pytest.mark.long) for each in (1, 10_000))])
def test_a_sensor_that_reports_with_a_wrong_clock_for_a_while_is_never_silent(
    clock: Callable[[float], float], others: str, cut: int
) -> None:
    times = START + 60.0 * np.arange(300.0)
    wrong = [
        reading("paced/b", clock(time) if 100 <= place < 220 else time, 20.0 + place * 7 % 11, time)
        for place, time in enumerate(times)
    ]
    line = Line(pipeline()).take(
        in_order(wrong, *[minutely(f"paced/{each}", times + 0.01) for each in others]), cut=cut
    )
    assert line.missing() == []


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_the_only_other_sensor_is_not_silent_when_one_that_was_always_behind_is_corrected(cut: int) -> None:
    times = START + 60.0 * np.arange(300.0)
    wrong = in_order(minutely("paced/b", times[:100], -3600.0), minutely("paced/b", times[100:]))
    line = Line(pipeline()).take(in_order(wrong, minutely("paced/a", times + 0.01)), cut=cut)
    assert line.missing() == []


@pytest.mark.parametrize("reorder_s", [0.0, 90.0])
def test_a_reading_refused_because_of_its_time_postpones_a_silence_in_a_replay_too(reorder_s: float) -> None:
    times = START + 60.0 * np.arange(150.0)
    ahead = [each._replace(arrived=each.arrived - 3600.0) for each in minutely("paced/b", times[100:] + 3600.0)]
    line = Line(pipeline(reorder_s=reorder_s)).take(
        in_order(minutely("paced/a", times + 0.01), minutely("paced/b", times[:100]), ahead), cut=7
    )
    assert line.refused == ["time_in_future"] * 50
    assert line.missing() == []
    other = revived(pipeline(reorder_s=reorder_s), pipeline(reorder_s=reorder_s).save("", ""), line.parts)
    assert differing(other.pipeline, line.pipeline) == []
    line.take(minutely("paced/a", START + 60.0 * np.arange(151.0, 170.0)))
    assert line.missing() == ["paced/b"]


def test_a_sensor_that_stops_is_silent_although_another_one_is_always_behind() -> None:
    times = START + 60.0 * np.arange(300.0)
    line = Line(pipeline()).take(
        in_order(
            minutely("paced/a", times),
            minutely("paced/behind", times + 0.01, -3600.0),
            minutely("paced/b", times + 0.02),
            minutely("paced/stops", times[:200] + 0.03),
        ),
        cut=7,
    )
    assert line.missing() == ["paced/stops"]


def test_a_snapshot_contains_the_clock_in_use_when_it_has_skipped_a_lead() -> None:
    times = START + 60.0 * np.arange(200.0)
    line = Line(pipeline()).take(in_order(minutely("paced/a", times[:100], -3600.0), minutely("paced/b", times + 0.01)))
    line.take(minutely("paced/b", times[:20] + 12_000.0))
    saved = {each.component: each.state for each in Snapshot.from_bytes(line.pipeline.save("", "")).parts}
    assert saved["clock"] == line.pipeline.engine.clock.state()
