"""Parts that a snapshot lacks, or that this version can't read, are relearned and don't count as damage."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from edge.core.incidents.events.event import Event
from edge.core.incidents.state_table import State
from edge.core.model.packing.encoding import encode
from edge.core.model.packing.packing import compress
from edge.core.persistence.journal import UnknownPart, pack, unpack
from edge.core.persistence.snapshot import LaterSnapshotError, Part, Snapshot
from tests.edge.core.pipelines import START, Line, differing, knowledge, pipeline, plant, reading

SENSORS = ("paced/a", "paced/b", "now/c")
LEARNED_AGAIN = (
    "last_values", "deliveries", "reorder", "admission", "recent_readings", "clock_evidence", "clock", "statistics",
    "levels", "detectors", "error_values", "error_habits",
)  # fmt: skip
"""Components that follow from the journal alone."""

COMPONENTS = (
    *LEARNED_AGAIN,
    "units",
    "no_values",
    "sparkplug",
    "vacancies",
    "paces",
    "usual_ranges",
    "recurrences",
    "adoptions",
    "habits",
    "peers",
    "newcomers",
    "same_times",
    "values_of_one_time",
    "interruption",
    "catch_up",
    "operator",
    "devices",
    "incidents",
    "grouping",
    "open_events",
    "sequence",
)


def lived() -> Line:
    """Sensors of a device, one with an open incident, and another with one that is over."""
    line = Line(pipeline(reorder_s=3.0, device_for=lambda _: None)).take(plant(START + np.arange(40.0), *SENSORS), 7)
    line.take([reading("paced/b", START + 40.0, 95.0, START + 40.0)])
    line.take(plant(START + np.arange(41.0, 50.0), "paced/b", "now/c"))
    return line.take([reading("paced/a", START + 50.0 + each, 95.0, START + 50.0 + each) for each in range(8)])


def changed(line: Line, change: Callable[[Part], Part | None]) -> Snapshot:
    """The snapshot of a pipeline, with some parts changed or left out."""
    saved = Snapshot.from_bytes(line.pipeline.save("", ""))
    parts = [change(each) for each in saved.parts]
    return Snapshot.from_bytes(Snapshot("", "", [each for each in parts if each is not None]).to_bytes())


def again(line: Line, snapshot: Snapshot) -> tuple[Line, dict[str, str]]:
    made = pipeline(reorder_s=3.0)
    unlearned = made.restore(snapshot, "")
    made.learn(unlearned, unpack(pack(line.parts)))
    return Line(made), unlearned.components


def ended(events: list[Event]) -> list[str]:
    """The incidents of `paced/a` that the events end."""
    return [each.incident for each in events if each.sensor == "paced/a" and each.transition == "cleared"]


HOW: dict[str, Callable[[Part], Part | None]] = {
    "missing": lambda _: None,
    "of a later version": lambda part: msgspec.structs.replace(part, version=part.version + 1),
    "of another kind": lambda part: msgspec.structs.replace(part, state=encode("something else")),
    "no MessagePack": lambda part: msgspec.structs.replace(part, state=b"\xc1"),
}


def test_every_component_is_tested() -> None:
    assert {each.name for each in pipeline().memory.components} == set(COMPONENTS)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("component", LEARNED_AGAIN)
def test_a_missing_component_is_relearned_exactly(component: str, how: str) -> None:
    line = lived()
    restored, missing = again(line, changed(line, lambda part: HOW[how](part) if part.component == component else part))
    assert missing.keys() == {component}
    assert differing(restored.pipeline, line.pipeline) == []


@pytest.mark.long
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("component", COMPONENTS)
def test_whatever_is_missing_an_open_incident_stays_open_and_ends_once(component: str, how: str) -> None:
    line = lived()
    restored, _ = again(line, changed(line, lambda part: HOW[how](part) if part.component == component else part))
    restored.pipeline.continue_after(line.pipeline.reporter.last_sequence)
    calm = [reading("paced/a", START + 60.0 + each, 20.0, START + 60.0 + each) for each in range(9)]
    before = len(line.events)
    expected = ended(line.take(calm).events[before:])
    assert len(expected) == 1
    assert ended(restored.take(calm).events) == expected


def test_an_incident_is_restored_from_its_published_events() -> None:
    line = lived()
    known = line.pipeline.engine.open_incidents[0]
    restored, _ = again(line, changed(line, lambda part: None if part.component == "incidents" else part))
    rebuilt = restored.pipeline.engine.trackers[0]
    assert (rebuilt.state, rebuilt.since) == (State.OPEN, known.started)
    for name in ("started", "kind", "published", "severity", "acknowledged"):
        assert getattr(rebuilt.incident, name) == getattr(known, name), name
    assert rebuilt.incident.evidence.keys() == known.evidence.keys() | {"limits"}


def test_one_unreadable_state_machine_affects_no_other() -> None:
    line = lived()
    line.take([reading("paced/b", START + 60.0 + each, 95.0, START + 60.0 + each) for each in range(8)])
    assert line.pipeline.engine.open_incidents.keys() >= {0, 1}

    def unreadable(part: Part) -> Part:
        if part.component != "incidents":
            return part
        count, trackers, untold = msgspec.msgpack.decode(part.state)
        return msgspec.structs.replace(part, state=encode((count, {**trackers, 0: {"state": "dreaming"}}, untold)))

    restored, missing = again(line, changed(line, unreadable))
    assert missing == {}
    trackers = restored.pipeline.engine.trackers
    assert msgspec.msgpack.encode(trackers[1]) == msgspec.msgpack.encode(line.pipeline.engine.trackers[1])
    assert trackers[0].incident is not None


def test_a_component_of_a_later_version_is_reported_and_left_out() -> None:
    line = lived()
    saved = Snapshot.from_bytes(line.pipeline.save("", ""))
    saved.parts.insert(3, Part("forecasts", 1, 0, b"whatever"))
    restored, missing = again(line, saved)
    assert missing == {"forecasts": "unknown to this version"}
    assert differing(restored.pipeline, line.pipeline) == []


@pytest.mark.parametrize(
    "packed",
    [
        b"\x04whatever a later version writes",
        b"\x03" + compress(msgspec.msgpack.encode("no snapshot")),
        Snapshot("", "", [Part("sensors", 2, 0, encode([]))]).to_bytes(),
        Snapshot("", "", [Part("sensors", 1, 0, encode({"paced/a": 1}))]).to_bytes(),
    ],
)
def test_a_snapshot_of_a_later_version_is_not_damage(packed: bytes) -> None:
    with pytest.raises(LaterSnapshotError):
        Snapshot.from_bytes(packed)


def test_a_part_of_the_journal_of_a_later_version_is_left_out() -> None:
    line = lived()
    parts = [msgspec.Raw(msgspec.msgpack.encode(["dreamt", 1, {"of": "sheep"}]))]
    entry = b"\x02" + compress(msgspec.msgpack.encode(parts))
    assert unpack(entry) == [UnknownPart("dreamt")]
    before = knowledge(line.pipeline)
    line.pipeline.replay(unpack(entry))
    assert knowledge(line.pipeline) == before
