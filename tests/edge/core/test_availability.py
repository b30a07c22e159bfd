"""Devices that report that they are gone or back: one incident for the device, immediately."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.incidents.events.event import Event
from edge.core.persistence.journal import pack, unpack
from tests.edge.core.pipelines import START, Line, differing, knowledge, pipeline, plant, reading, revived, word

SENSORS = ("now/pump/flow", "now/pump/power", "now/fan/speed")
CALM = plant((START + 10.0 * each for each in range(60)), *SENSORS)
AFTER = START + 600.0


def transitions(line: Line) -> list[tuple[str, str, str]]:
    return [(each.transition, each.sensor, each.message) for each in line.events]


def content(event: Event) -> dict[str, object]:
    data: dict[str, object] = json.loads(event.payload)["data"]
    return data


def test_a_device_that_reports_itself_offline_is_one_incident_immediately() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "offline")])
    assert transitions(line) == [("raised", "now/pump/", "now/pump is offline, and with it 2 sensors")]
    data = content(line.events[0])
    assert (data["kind"], data["sensors"], data["sensors_total"]) == ("missing", ["now/pump/flow", "now/pump/power"], 2)
    assert data["severity"] == 500


def test_its_incident_ends_when_it_reports_itself_online() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "Offline"), word("now/pump", AFTER + 90.0, "Online")])
    assert transitions(line)[1:] == [("cleared", "now/pump/", "now/pump is online again after 1.5 min")]


def test_a_repeated_report_is_not_news() -> None:
    words = [word("now/pump", AFTER + each, each % 2 * "  " + "offline") for each in range(5)]
    line = Line(pipeline()).take([*CALM, *words])
    assert len(line.events) == 1
    assert not Line(pipeline()).take([*CALM, word("now/pump", AFTER, "online")]).events


def test_readings_of_its_sensors_meanwhile_do_not_end_it() -> None:
    late = plant((AFTER + 10.0 * each for each in range(1, 5)), *SENSORS)
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "offline"), *late])
    assert [each.transition for each in line.events] == ["raised"]


@pytest.mark.parametrize(
    "content", ["offline", '{"state": "offline"}', '"OFFLINE"', "false", '{"online": false}', "lost\n"]
)
def test_states_are_read_in_any_spelling(content: str) -> None:
    assert Line(pipeline()).take([*CALM, word("now/pump", AFTER, content)]).events


def test_an_unknown_state_is_refused() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "perhaps"), word("now/pump", AFTER, '{"a": 1}')])
    assert line.refused == ["unknown_word", "unknown_word"]
    assert not line.events


def test_a_retained_state_counts() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "offline", retained=True)])
    assert [each.sensor for each in line.events] == ["now/pump/"]


def test_an_unknown_device_is_not_an_incident() -> None:
    line = Line(pipeline()).take([*CALM, word("now/lamp", AFTER, "offline", retained=True)])
    assert not line.events
    assert line.pipeline.counters.devices_unknown == 1
    assert line.pipeline.sensors.find("now/lamp/") is None
    assert line.pipeline.counters.balanced


def test_when_it_is_back_its_sensors_have_as_long_to_report_as_if_they_had_just_done_so() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "offline"), word("now/pump", AFTER + 20.0, "online")])
    fan = [reading("now/fan/speed", AFTER + each, 20.0) for each in range(21, 40)]
    line.take(fan)
    assert [each.sensor for each in line.events if each.transition == "raised"] == ["now/pump/"]


def test_a_device_that_is_offline_ends_with_its_report_after_a_restart() -> None:
    line = Line(pipeline()).take([*CALM, word("now/pump", AFTER, "offline")])
    restarted = revived(pipeline(), line.pipeline.save("", ""), [])
    restarted.take([word("now/pump", AFTER + 5.0, "offline", retained=True)])
    assert not restarted.events
    restarted.take([word("now/pump", AFTER + 60.0, "online")])
    assert [(each.transition, each.sensor) for each in restarted.events] == [("cleared", "now/pump/")]


FROM_ALL = [
    *CALM,
    *sorted(
        [
            *plant((AFTER + 10.0 * each for each in range(40)), "now/fan/speed"),
            *plant((AFTER + 200.0 + 10.0 * each for each in range(20)), "now/pump/flow"),
            word("now/pump", AFTER + 15.0, "offline"),
            word("now/fan", AFTER + 33.0, "offline"),
            word("now/fan", AFTER + 34.0, "online"),
            word("now/pump", AFTER + 199.0, "online"),
            word("now/pump", AFTER + 390.0, "offline"),
        ],
        key=lambda each: each.arrived,
    ),
]
WHOLE = Line(pipeline()).take(FROM_ALL)


@pytest.mark.long
@seed(17)
@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(150, len(FROM_ALL)), max_size=6), killed=st.integers(150, len(FROM_ALL)))
def test_in_any_batching_and_after_any_restart_the_events_are_the_same(cuts: set[int], killed: int) -> None:
    line, first = Line(pipeline()), 0
    saved, since = line.pipeline.save("", ""), 0
    for cut in sorted({*cuts, killed, len(FROM_ALL)}):
        line.take(FROM_ALL[first:cut])
        first = cut
        if cut == killed:
            saved, since = line.pipeline.save("", ""), len(line.parts)
    assert line.events == WHOLE.events
    assert not differing(line.pipeline, WHOLE.pipeline)
    restarted = revived(pipeline(), saved, unpack(pack(line.parts[since:])))
    assert knowledge(restarted.pipeline) == knowledge(WHOLE.pipeline)
