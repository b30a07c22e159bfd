"""What jumps at several places of a site at one moment is one incident if half of the site has jumped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from tests.edge.core.common_plants import every, found, merged
from tests.edge.core.pipelines import START, Line, detectors, differing, pipeline, plant, reading, revived, rule

QUIET = START + 4000.0
WORKS = ["now/saw/current", "now/saw/speed", "now/oven/heat", "now/oven/gas", "now/press/force", "now/press/oil"]
HALL = ["now/hall/light", "now/hall/noise", "now/hall/dust", "now/hall/heat"]
"""Ten sensors of one site, six of them of machines, and a last one that lets time pass."""


def works(jumps: dict[str, float], until: float = 60.0, back: float = 1e9) -> list[Message]:
    """All of them each ten seconds, one 0.1 s after the other; some jump by so much at `QUIET`."""
    clock = plant(every(1.0, START, QUIET + until), "paced/clock")
    readings = [
        reading(name, time + 0.1 * place, 20.0 + round(time * 0.7 + place) % 10 / 10 + by)
        for time in every(10.0, START, QUIET + until)
        for place, name in enumerate(WORKS + HALL)
        for by in [jumps.get(name, 0.0) if QUIET <= time < QUIET + back else 0.0]
    ]
    return merged(readings, clock)


def watched() -> Pipeline:
    return pipeline(lambda _: rule(*detectors(ewma={})))


def raised(line: Line) -> list[str]:
    return [each.sensor for each in line.events if each.transition == "raised"]


def test_half_of_a_site_that_jumps_at_one_moment_is_one_incident() -> None:
    line = Line(watched()).take(works({each: 40.0 + 7.0 * place for place, each in enumerate(WORKS[:5])}))
    assert raised(line) == [WORKS[0]]
    assert json.loads(line.events[-1].payload)["data"]["sensors"] == WORKS[:5]


def test_less_than_half_of_a_site_that_jumps_is_an_incident_of_each_place() -> None:
    line = Line(watched()).take(works(dict.fromkeys((WORKS[0], WORKS[2], WORKS[3], WORKS[4]), 40.0)))
    assert raised(line) == [WORKS[0], WORKS[2], WORKS[4]]
    first, last = (each for each in line.events if each.transition == "raised" and each.sensor != WORKS[2])
    assert json.loads(last.payload)["correlationid"] == last.incident != first.incident


def test_three_sensors_are_not_a_site() -> None:
    names = WORKS[1::2]
    few = [each for each in works(dict.fromkeys(names, 40.0)) if each.topic in {*names, "paced/clock"}]
    assert raised(Line(watched()).take(few)) == names


def test_what_ends_while_it_waits_for_its_site_is_reported_first() -> None:
    grouping = Grouping([*WORKS, *HALL])
    told = grouping.follow([found(0, START, "spike"), found(2, START, "spike")], START)
    assert [each.slot for each in told] == [0]
    ended = grouping.follow([found(2, START + 20.0, "spike", transition=Transition.CLEARED)], START + 20.0)
    assert [(each.slot, each.transition) for each in ended] == [(2, Transition.RAISED), (2, Transition.CLEARED)]


def test_what_waits_when_the_first_incident_ends_is_reported() -> None:
    grouping = Grouping([*WORKS, *HALL])
    grouping.follow([found(0, START, "spike"), found(2, START, "spike")], START)
    ended = grouping.follow([found(0, START + 20.0, "spike", transition=Transition.CLEARED)], START + 20.0)
    assert [(each.slot, each.transition) for each in ended] == [(0, Transition.CLEARED)]
    assert [(each.slot, each.transition) for each in grouping.follow([], START + 60.0)] == [(2, Transition.RAISED)]


def test_sensors_without_levels_in_their_names_have_no_site() -> None:
    names = ["saw current", "oven speed", "press force", "hall light"]
    told = Grouping(names).follow([found(slot, START, "spike") for slot in range(4)], START)
    assert [each.slot for each in told] == [0, 1, 2, 3]


WHOLE = works(dict.fromkeys(WORKS[:4], 40.0), 100.0, 30.0)
FIRST = next(place for place, each in enumerate(WHOLE) if each.arrived >= QUIET)
EXPECTED = Line(watched()).take(WHOLE)


@pytest.mark.long
@seed(19)
@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(FIRST, len(WHOLE)), max_size=8), killed=st.integers(FIRST, len(WHOLE)))
def test_in_any_batching_and_after_any_restart_the_events_are_the_same(cuts: set[int], killed: int) -> None:
    line, first = Line(watched()), 0
    saved, since, before = b"", 0, 0
    for cut in sorted({*cuts, killed, len(WHOLE)}):
        line.take(WHOLE[first:cut])
        first = cut
        if cut == killed:
            saved, since, before = line.pipeline.save("", ""), len(line.parts), len(line.events)
    assert line.events == EXPECTED.events
    assert not differing(line.pipeline, EXPECTED.pipeline)
    restarted = revived(watched(), saved, line.parts[since:])
    assert restarted.events == EXPECTED.events[before:]
    assert not differing(restarted.pipeline, EXPECTED.pipeline)
