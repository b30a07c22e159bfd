"""Readings of one sensor with equal times all count if their values differ."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from edge.commands import main
from edge.core.intake.times.same_times import MOST
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, detectors, differing, pipeline, reading, revived, rule


def seconds(count: int, each: int, first: int = 0) -> list[Message]:
    """Several readings per second of a sensor whose clock has a resolution of seconds, each with another value."""
    return [
        reading("paced/a", START + number // each, 20.0 + number * 7 % 11 + number / 1000, START + number / each)
        for number in range(first * each, (first + count) * each)
    ]


SENT = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 3)), max_size=40)


@pytest.mark.long
@given(SENT, st.integers(1, 40), st.sampled_from([0.0, 2.0]))
def test_the_result_is_the_same_in_any_batching_and_after_a_restart(
    sent: list[tuple[int, int, int]], cut: int, reorder_s: float
) -> None:
    messages = [
        reading(f"paced/{'ab'[sensor]}", START + time, float(value), START + place)
        for place, (sensor, time, value) in enumerate(sent)
    ]
    middle = len(messages) // 2
    whole = Line(pipeline(reorder_s=reorder_s)).take(messages)
    pieces = Line(pipeline(reorder_s=reorder_s)).take(messages[:middle], cut=cut)
    saved, so_far = pieces.pipeline.save("", ""), len(pieces.parts)
    pieces.take(messages[middle:], cut=cut)
    again = revived(pipeline(reorder_s=reorder_s), saved, pieces.parts[so_far:])
    assert differing(pieces.pipeline, whole.pipeline) == []
    assert differing(again.pipeline, whole.pipeline) == []
    assert pieces.refused == whole.refused


def of_one_time(values: Iterable[float], time: float = START) -> list[Message]:
    return [reading("paced/a", time, value, START + place / 10) for place, value in enumerate(values)]


def test_a_limited_number_of_readings_of_one_time_is_accepted_and_the_rest_is_refused_with_a_reason() -> None:
    line = Line(pipeline()).take(of_one_time(range(MOST + 50)), cut=7)
    counters = line.pipeline.counters
    assert counters.readings_taken == MOST
    assert counters.readings_refused == {"crowded_time": 50}
    line.take([reading("paced/a", START + 1.0, 0.5)])
    assert counters.readings_taken == MOST + 1


@pytest.mark.parametrize("known", [0, 1000])
@pytest.mark.parametrize("cut", [1, 10_000])
def test_a_repeated_set_of_one_time_is_not_accepted_again_however_long_its_sensor_is_known(
    known: int, cut: int
) -> None:
    line = Line(pipeline()).take(seconds(known, 1, first=-known))
    line.take(of_one_time(range(MOST), START + 10.0), cut=cut)
    taken = line.pipeline.counters.readings_taken
    saved, so_far = line.pipeline.save("", ""), len(line.parts)
    line.take(of_one_time(range(MOST), START + 10.0) * 2, cut=cut)
    assert line.pipeline.counters.readings_taken == taken == known + MOST
    again = revived(pipeline(), saved, line.parts[so_far:])
    assert again.pipeline.counters.readings_taken == 0
    assert differing(again.pipeline, line.pipeline) == []


@pytest.mark.long
@given(st.integers(0, 600), st.lists(st.integers(0, 300), max_size=400), st.integers(1, 50))
def test_each_value_of_one_time_is_accepted_once_up_to_a_limit(known: int, values: list[int], cut: int) -> None:
    line = Line(pipeline()).take(seconds(known, 1, first=-known))
    line.take(of_one_time(map(float, values), START + 10.0), cut=cut)
    assert line.pipeline.counters.readings_taken == known + min(MOST, len(set(values)))
    refused = line.pipeline.counters.readings_refused
    crowded = sum(value not in set(dict.fromkeys(values[:place])) for place, value in enumerate(values)) - MOST
    assert refused["crowded_time"] >= max(0, crowded)
    assert refused.total() == len(values) - min(MOST, len(set(values)))


def test_the_memory_for_one_time_is_bounded() -> None:
    line = Line(pipeline())
    for second in range(5):
        line.take(of_one_time(range(second, 400 + second), START + second))
    same = line.pipeline.intake.admission.same.of_one_time
    assert len(same.of(0)) == MOST
    assert len(same.state(0, 1)) < 10 * MOST


def test_no_time_passes_between_them_for_a_rate_limit_or_for_a_silence() -> None:
    watched = rule(*detectors(rate={"most_per_s": 20.0}, silence={}))
    line = Line(pipeline(lambda _: watched)).take(seconds(60, 10))
    assert line.events == []
    silence = line.pipeline.engine.members[0][0].tables[1]
    assert silence.arrays["gap"][0] == pytest.approx(1.0, abs=0.01)


def test_each_has_its_own_row_in_a_score(tmp_path: Path) -> None:
    rows = [f"{START + number // 3:.0f},a,{number * 7 % 11}.5" for number in range(300)]
    file = tmp_path / "readings.csv"
    file.write_text("\n".join(["time,sensor,value", *rows]))
    result = CliRunner().invoke(main, ["score", str(file)], catch_exceptions=False)
    scored = [line.split(",") for line in result.stdout.splitlines()[1:]]
    assert len(scored) == 300
    assert sum(each[4] == "" for each in scored) == 0
    assert "refused" not in result.stderr
