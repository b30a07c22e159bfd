"""After a restart, what subscribers were told is brought in line with the restored state."""

from __future__ import annotations

import json

import jsonschema
import pytest

from edge.core.incidents.events.event import Event, event_json_schema
from edge.core.persistence.published_incidents import PublishedIncidents
from edge.core.persistence.snapshot import Snapshot
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, reading

A, B, CLOCK = "now/pump/a", "now/pump/b", "now/other/clock"
BEFORE = plant([START + 10.0 * each for each in range(60)], A, B, CLOCK)
QUIET = plant([START + 600.0 + 10.0 * each for each in range(60)], CLOCK)
BACK = plant([START + 1200.0 + 10.0 * each for each in range(6)], A, B, CLOCK)
SENSORS = [A, B]


def numbered(events: list[Event], after: int) -> list[Event]:
    return [each._replace(sequence=after + place) for place, each in enumerate(events, 1)]


def silence_of(sensor: str) -> Event:
    """What is reported about its silence if no other sensor is silent."""
    line = Line(pipeline()).take([each for each in BEFORE if each.topic in {sensor, CLOCK}]).take(QUIET)
    return next(each for each in line.events if each.sensor == sensor)


class Restarted:
    """A restarted pipeline whose snapshot precedes a silence, and the events published since."""

    def __init__(self, told: list[Event] | None = None) -> None:
        self.line = Line(pipeline()).take(BEFORE)
        saved, first = self.line.pipeline.save("", ""), len(self.line.parts)
        begin = len(self.line.events)
        self.line.take(QUIET)
        self.made = pipeline()
        self.made.restore(Snapshot.from_bytes(saved))
        self.told = PublishedIncidents(self.made.published)
        events = self.line.events[begin:] if told is None else numbered(told, self.told.after)
        assert self.told.note_all(events)
        self.made.replay(self.line.parts[first:])
        self.made.continue_after(events[-1].sequence if events else 0)

    def reconcile(self, *, raises: bool = False) -> list[Event]:
        return self.told.reconcile(self.made.published, self.made.sensors, self.made.watch, raises=raises)


@pytest.mark.parametrize("raises", [False, True])
def test_after_an_ordinary_crash_there_is_nothing_to_correct(raises: bool) -> None:
    restarted = Restarted()
    assert [each.sensor for each in restarted.line.events if each.kind == "missing"]
    assert restarted.reconcile(raises=raises) == []
    assert not restarted.told.has_changed
    assert raises or differing(restarted.made, restarted.line.pipeline) == []


def test_incidents_published_individually_end_individually_although_they_are_a_group_now() -> None:
    restarted = Restarted([silence_of(A), silence_of(B)])
    assert restarted.reconcile() == []
    assert restarted.told.has_changed
    assert sorted(restarted.made.open_incidents.events) == SENSORS
    ended = [each for each in restarted.made.process(BACK).events if each.transition == "cleared"]
    assert sorted(each.incident for each in ended) == sorted(silence_of(each).incident for each in (A, B))
    assert restarted.made.open_incidents.events == {}


def test_an_incident_that_is_no_longer_open_is_ended_for_its_subscribers() -> None:
    line = Line(pipeline()).take(BEFORE).take([reading(A, START + 600.0, 99.0)])
    restarted = Restarted([*line.events, silence_of(B)])
    (ended,) = restarted.reconcile()
    said = json.loads(ended.payload)
    jsonschema.Draft202012Validator(event_json_schema()).validate(said)
    (raised,) = line.events
    assert (ended.incident, ended.transition, ended.id) == (raised.incident, "expired", f"{raised.incident}-1-expired")
    assert (said["id"], said["sequence"], said["data"]["active"]) == (ended.id, f"{ended.sequence:020d}", False)
    assert ended.sequence == restarted.made.reporter.last_sequence


def test_an_incident_that_was_never_published_is_raised_if_the_configuration_has_changed() -> None:
    assert Restarted([]).reconcile() == []
    restarted = Restarted([])
    (raised,) = restarted.reconcile(raises=True)
    assert (raised.sensor, raised.transition) == (SENSORS[0], "raised")
    jsonschema.Draft202012Validator(event_json_schema()).validate(json.loads(raised.payload))
    ended = [each for each in restarted.made.process(BACK).events if each.transition == "cleared"]
    assert [each.incident for each in ended] == [raised.incident]


def test_nothing_is_concluded_from_the_remaining_events_where_a_limit_has_deleted_some() -> None:
    made = pipeline()
    first, second = numbered([silence_of(A), silence_of(B)], 0)
    assert not PublishedIncidents(made.published).note_all([second])
    assert PublishedIncidents(made.published).note_all([first, second])


def test_events_that_belong_to_no_incident_are_ignored() -> None:
    made = pipeline()
    told = PublishedIncidents(made.published)
    assert told.note_all(numbered([silence_of(A)._replace(sensor="")], 0))
    assert told.reconcile(made.published, made.sensors, made.watch, raises=True) == []
