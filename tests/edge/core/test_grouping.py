"""One cause, one incident: sensors that fall silent together are reported as one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.model.readings.messages import Message
from tests.edge.core.common_plants import CLOCK, QUIET, data, every, merged
from tests.edge.core.pipelines import (
    START,
    Line,
    detectors,
    differing,
    pipeline,
    plant,
    reading,
    revived,
    rule,
    word,
)

PLUG = [f"field{each:02d}" for each in range(13)]


def plug(times: Iterable[float], fields: Iterable[str] = PLUG) -> list[Message]:
    """A device that sends all of its fields in one message."""
    return [
        Message(
            "now/plug",
            json.dumps({each: 20.0 + round(time * 7 + len(each)) % 10 / 10 for each in fields}).encode(),
            time,
        )
        for time in times
    ]


def transitions(line: Line) -> list[str]:
    """The reported events, except silences that became worse and the sensor that only lets time pass."""
    told, worst = list[str](), dict[str, int]()
    for each in line.events:
        is_worse = each.transition == "updated" and each.severity > worst.get(each.incident, 0)
        worst[each.incident] = each.severity
        if not is_worse and each.sensor != "now/other/clock":
            told.append(f"{each.transition} {each.sensor}")
    return told


def test_a_plug_that_dies_is_one_incident_that_lists_its_fields() -> None:
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), CLOCK))
    assert transitions(line) == ["raised now/plug/field00"]
    assert data(line.events[0])["sensors"] == [f"now/plug/{each}" for each in PLUG]
    assert data(line.events[0])["sensors_total"] == 13
    named = "field00, field01, field02 and 10 more"
    assert re.fullmatch(f"13 sensors of now/plug have been silent for [\\d.]+ s: {named}", line.events[0].message)


def test_it_ends_when_all_are_back() -> None:
    back = plug(every(10.0, QUIET + 600.0, QUIET + 900.0))
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), back, CLOCK[: 60 + 90]))
    assert transitions(line) == ["raised now/plug/field00", "cleared now/plug/field00"]
    assert data(line.events[-1])["sensors_total"] == 13
    assert line.events[-1].message == "13 sensors of now/plug have reported again after 9.6 min"
    assert not line.pipeline.open_incidents.events


def publisher(first: float, last: float, count: int = 148) -> list[Message]:
    """Sensors of one publisher, each with its own topic and phase."""
    names = [f"now/hall{each % 7}/sensor{each}" for each in range(count)]
    phases = [each * 7 % 10 + each / count for each in range(count)]
    return merged(
        *([reading(name, time + phase, 20.0 + round(time * 7) % 10 / 10) for time in every(10.0, first, last)]
          for name, phase in zip(names, phases, strict=True))
    )  # fmt: skip


def test_a_publisher_that_stops_is_one_incident_and_a_handful_of_events() -> None:
    line = Line(pipeline()).take(merged(publisher(START, QUIET), publisher(QUIET + 600.0, QUIET + 700.0), CLOCK[:130]))
    assert [each.transition for each in line.events if each.transition in {"raised", "cleared"}] == [
        "raised",
        "cleared",
    ]
    assert len(line.events) <= 8
    assert max(data(each)["sensors_total"] for each in line.events) == 148  # type: ignore[type-var]
    assert len({each.incident for each in line.events}) == 1


def test_a_sensor_that_stays_silent_is_reported_individually_with_a_reference_to_the_group() -> None:
    back = plug(every(10.0, QUIET + 600.0, QUIET + 1800.0), PLUG[:7] + PLUG[8:])
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), back, CLOCK[: 60 + 182]))
    assert [each for each in transitions(line) if "updated" not in each] == [
        "raised now/plug/field00",
        "cleared now/plug/field00",
        "raised now/plug/field07",
    ]
    cleared = next(each for each in line.events if each.transition == "cleared")
    assert cleared.message == "12 of 13 sensors of now/plug have reported again after 10.2 min"
    first, last = (json.loads(line.events[place].payload) for place in (0, -1))
    assert last["correlationid"] == first["data"]["incident"] != last["data"]["incident"]
    line.take(plug([QUIET + 1810.0]))
    assert transitions(line)[-1] == "cleared now/plug/field07"
    assert not line.pipeline.open_incidents.events


def test_the_first_sensor_keeps_the_incident_when_the_others_are_back_and_it_is_not() -> None:
    back = plug(every(10.0, QUIET + 600.0, QUIET + 1800.0), PLUG[1:])
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), back, CLOCK[: 60 + 182]))
    assert {each.sensor for each in line.events} == {"now/plug/field00"}
    assert line.events[-1].message.startswith("now/plug/field00 has been silent for ")
    assert line.events[-1].message.endswith("; 12 of 13 have reported again")
    line.take(plug([QUIET + 1810.0]))
    assert transitions(line)[-1] == "cleared now/plug/field00"


def test_a_sensor_that_is_told_on_its_own_because_it_is_still_silent_does_not_count_as_back() -> None:
    back = plug(every(10.0, QUIET + 600.0, QUIET + 1800.0), PLUG[1:7] + PLUG[8:])
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), back, CLOCK[: 60 + 182]))
    assert "raised now/plug/field07" in transitions(line)
    assert line.events[-1].message.startswith("now/plug/field00 has been silent for ")
    assert line.events[-1].message.endswith("; 11 of 12 have reported again")
    line.take(plug([QUIET + 1810.0], PLUG[:1]))
    assert transitions(line)[-1] == "cleared now/plug/field00"


def test_sensors_that_stop_at_different_times_are_separate_incidents() -> None:
    one, other = plant(every(10.0, START, QUIET), "now/a"), plant(every(10.0, START, QUIET + 300.0), "now/b")
    line = Line(pipeline()).take(merged(one, other, CLOCK))
    assert transitions(line) == ["raised now/a", "raised now/b"]
    assert data(line.events[0])["sensors"] == []


def test_a_slow_sensor_that_stopped_with_a_fast_one_joins_it() -> None:
    slow, quick = plant(every(20.0, START, QUIET), "now/a/slow"), plant(every(5.0, START, QUIET), "now/b/quick")
    line = Line(pipeline()).take(merged(slow, quick, CLOCK))
    assert transitions(line) == ["raised now/b/quick", "updated now/b/quick"]
    assert data(line.events[-1])["sensors"] == ["now/b/quick", "now/a/slow"]


def test_sensors_of_a_device_that_reports_itself_offline_are_not_reported_silent() -> None:
    gone = [word("now/plug", QUIET + 5.0, "offline"), word("now/plug", QUIET + 900.0, "online")]
    back = plug(every(10.0, QUIET + 901.0, QUIET + 1100.0))
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), gone, back, CLOCK[:170]))
    assert transitions(line) == ["raised now/plug/", "cleared now/plug/"]
    assert data(line.events[0])["sensors_total"] == 13


def test_those_that_are_still_silent_after_it_is_back_are_reported() -> None:
    gone = [word("now/plug", QUIET + 5.0, "offline"), word("now/plug", QUIET + 900.0, "online")]
    back = plug(every(10.0, QUIET + 901.0, QUIET + 2000.0), PLUG[1:])
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), gone, back, CLOCK[:200]))
    assert transitions(line) == ["raised now/plug/", "cleared now/plug/", "raised now/plug/field00"]


def test_a_device_that_reports_late_joins_the_silence_of_its_sensors() -> None:
    gone = [word("now/plug", QUIET + 900.0, "offline")]
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), gone, CLOCK[:170]))
    assert transitions(line) == ["raised now/plug/field00", "updated now/plug/field00"]
    assert line.events[-1].message.startswith("now/plug is offline: 13 sensors of now/plug have been silent for 15")


def test_an_acknowledgement_covers_all_sensors_of_an_incident() -> None:
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), CLOCK[:100]))
    for sensor in ("now/plug/field05", "now/plug/field00"):
        command = json.dumps({"sensor": sensor}).encode()
        line.note(line.pipeline.follow(Message("edgewarden/command/acknowledge", command, QUIET + 500.0)))
    assert transitions(line)[1:] == ["acknowledged now/plug/field00"]
    assert data(line.events[-1])["acknowledged"]
    assert line.events[-1].message.startswith("The incident of 13 sensors of now/plug was acknowledged")


def test_declaring_normal_applies_to_the_silence_of_all() -> None:
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), CLOCK[:100]))
    command = json.dumps({"incident": line.events[0].incident}).encode()
    line.note(line.pipeline.follow(Message("edgewarden/command/normal", command, QUIET + 500.0)))
    assert transitions(line)[1:] == ["expired now/plug/field00"]
    assert not line.pipeline.engine.open_incidents


def test_a_muted_incident_is_muted_as_a_whole() -> None:
    line = Line(pipeline()).take(merged(plug(every(10.0, START, QUIET)), CLOCK[:100]))
    command = json.dumps({"sensor": "now/plug/**", "until": "2h"}).encode()
    line.note(line.pipeline.follow(Message("edgewarden/command/shelve", command, QUIET + 500.0)))
    assert transitions(line)[1:] == ["shelved now/plug/field00"]


ALL = merged(
    plug(every(10.0, START, QUIET)),
    publisher(START, QUIET, 20),
    plug([QUIET + 400.0, QUIET + 410.0], PLUG[:6]),
    plug([QUIET + 500.0], PLUG),
    publisher(QUIET + 450.0, QUIET + 480.0, 15),
    [word("now/plug", QUIET + 30.0, "offline"), word("now/plug", QUIET + 395.0, "online")],
    [word("now/hall1", QUIET + 600.0, "offline"), word("now/hall1", QUIET + 900.0, "online")],
    plug([QUIET + 700.0], PLUG[2:]),
    CLOCK[:200],
)
FIRST = next(place for place, each in enumerate(ALL) if each.arrived > QUIET)
WHOLE = Line(pipeline()).take(ALL)


def test_the_example_contains_the_essentials() -> None:
    said = {(each.transition, data(each)["sensors_total"] != 0) for each in WHOLE.events}
    assert said >= {("raised", True), ("raised", False), ("updated", True), ("cleared", True)}


@pytest.mark.long
@seed(17)
@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(FIRST, len(ALL)), max_size=8), killed=st.integers(FIRST, len(ALL)))
def test_in_any_batching_and_after_any_restart_the_events_are_the_same(cuts: set[int], killed: int) -> None:
    line, first = Line(pipeline()), 0
    saved, since, before = b"", 0, 0
    for cut in sorted({*cuts, killed, len(ALL)}):
        line.take(ALL[first:cut])
        first = cut
        if cut == killed:
            saved, since, before = line.pipeline.save("", ""), len(line.parts), len(line.events)
    assert line.events == WHOLE.events
    assert not differing(line.pipeline, WHOLE.pipeline)
    restarted = revived(pipeline(), saved, line.parts[since:])
    assert restarted.events == WHOLE.events[before:]
    assert not differing(restarted.pipeline, WHOLE.pipeline)


@pytest.mark.long
@seed(18)
@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(5)), gaps=st.lists(st.floats(0.0, 1.9), min_size=5, max_size=5))
def test_sensors_that_stop_in_any_order_are_one_incident(order: list[int], gaps: list[float]) -> None:
    names = [f"now/x{each}/y" for each in order]
    usual = [
        plant([each + gap for each in every(10.0, START, QUIET)], name) for name, gap in zip(names, gaps, strict=True)
    ]
    line = Line(pipeline()).take(merged(*usual, CLOCK[:100]))
    assert [each.transition for each in line.events].count("raised") == 1
    assert sorted(data(line.events[-1])["sensors"]) == sorted(names)  # type: ignore[call-overload]


@pytest.mark.parametrize("tick_s", [1.0, 7.0, 200.0])
def test_a_plant_that_stops_as_a_whole_is_one_incident(tick_s: float) -> None:
    line = Line(pipeline()).take(publisher(START, QUIET, 40))
    for step in every(tick_s, tick_s, 400.0):
        line.note(line.pipeline.tick(step))
    assert [each.transition for each in line.events].count("raised") == 1
    assert data(line.events[-1])["sensors_total"] == 40


@pytest.mark.long
def test_thousands_of_sensors_are_not_reported_individually() -> None:
    names = [f"now/big/s{each}" for each in range(3000)]
    big = [
        Message(
            "now/big", json.dumps(dict.fromkeys((n.rpartition("/")[2] for n in names), 1.5)).encode(), START + 10.0 * t
        )
        for t in range(12)
    ]
    line = Line(pipeline(lambda _: rule(*detectors(silence={})))).take(merged(big, CLOCK[:60]), 50)
    assert [each.transition for each in line.events].count("raised") == 1
    assert data(line.events[0])["sensors_total"] == 3000
    assert len(data(line.events[0])["sensors"]) == 1000  # type: ignore[arg-type]
    assert len(line.events[0].payload) < 64_000


def test_the_first_sensor_back_with_another_incident_leaves_the_others_time_to_return() -> None:
    names = ["now/press/a", "now/press/b", "now/press/c"]
    usual, back = plant(every(1.0, START, QUIET), *names), plant(every(1.0, QUIET + 1202.0, QUIET + 1300.0), *names)
    wrong = [reading("now/press/a", QUIET + 1200.0, 900.0)]
    late = [reading(each, QUIET + 1200.5, 20.0) for each in names[1:]]
    everything = merged(usual, wrong, late, back, CLOCK[:190])
    line = Line(pipeline(lambda _: rule(*detectors(silence={}, ewma={})))).take(everything)
    raised = [each.sensor for each in line.events if each.transition == "raised" and each.sensor in names]
    assert raised == ["now/press/a", "now/press/a"]
