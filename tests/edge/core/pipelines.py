"""Example pipelines, plants that feed them, and everything that a pipeline knows, for comparisons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from config.notation.calendar import Window
from config.schema import IncidentSettings, ResolvedRule
from detectors import DETECTORS
from detectors.base import Detector
from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.intake.decoders import FieldsDecoder
from edge.core.intake.decoders.recognition.availability import AvailabilityDecoder
from edge.core.intake.routes import Route, Routes
from edge.core.model.notation.topics import Topics
from edge.core.model.packing.encoding import decode, decode_arrays
from edge.core.model.readings.messages import Message
from edge.core.model.sensors.sensors import Repetition
from edge.core.persistence.components.detector_states import DetectorRows
from edge.core.persistence.journal import Part as JournalPart
from edge.core.persistence.journal import pack, unpack
from edge.core.persistence.snapshot import Part, Snapshot, known_sensors
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.core.scoring.sensors.sensor_registry import DeviceFor

START = 1_700_000_000.0
USUAL = {"silence": {}, "limits": {"high": 80.0}, "rate": {"most_per_s": 50.0}, "ewma": {}}
SETTINGS = IncidentSettings(threshold=4.0, clear_after=2, update_s=1.0, adopt_after_s=600.0)


def detectors(**parameters: dict[str, float]) -> tuple[Detector, ...]:
    return tuple(DETECTORS[name](**keys) for name, keys in parameters.items())


def rule(*of: Detector, settings: IncidentSettings = SETTINGS) -> ResolvedRule:
    return ResolvedRule(0, "**", "default", "", of or detectors(**USUAL), settings, "", {})


def pipeline(
    rule_for: Callable[[str], ResolvedRule] | None = None,
    *,
    gateway: str = "gw",
    reorder_s: float = 0.0,
    device_for: DeviceFor = lambda _: None,
    maintenance: Sequence[Window] = (),
    sensors: int = 10_000,
    tells_of_sensors: bool = False,
) -> Pipeline:
    """A pipeline that reads JSON from `paced/#`, stamped by its sender, and from `now/#`, stamped by the gateway.

    Devices of both inputs report on `is/DEVICE/there` whether they are available.
    """
    decoder = FieldsDecoder()
    routes = [
        Route("paced/#", "{topic}", decoder, Repetition.PERIODIC, time_from_payload=True),
        Route("is/#/there", "{1}", AvailabilityDecoder(), Repetition.ON_CHANGE, of_devices=True),
        Route("now/#", "{topic}/{field}", decoder, Repetition.PERIODIC, time_from_payload=False),
    ]
    usual = rule()
    made = rule_for or (lambda _: usual)
    topics = Topics("edgewarden")
    return Pipeline(
        gateway,
        topics,
        Routes(routes, "edgewarden"),
        made,
        device_for=device_for,
        reorder_s=reorder_s,
        maintenance=maintenance,
        sensors=sensors,
        tells_of_sensors=tells_of_sensors,
    )


def reading(sensor: str, time: float, value: float, arrived: float | None = None) -> Message:
    """A reading that carries its time or, below `now/`, was taken at its arrival."""
    payload: dict[str, float] = {"value": value}
    if sensor.startswith("paced/"):
        payload["ts"] = time
    return Message(sensor, json.dumps(payload).encode(), time if arrived is None else arrived)


def word(device: str, time: float, said: str, *, retained: bool = False) -> Message:
    """A message about a device's availability."""
    return Message(f"is/{device}/there", said.encode(), time, retained)


def plant(times: Iterable[float], *sensors: str) -> list[Message]:
    """Ordinary readings of some sensors, each a little after the other, at all of these times."""
    return [
        reading(sensor, time + 0.01 * place, 20.0 + (round(time * 7) % 10) / 10)
        for time in times
        for place, sensor in enumerate(sensors)
    ]


class Line:
    """A pipeline with all of its results."""

    def __init__(self, made: Pipeline) -> None:
        self.pipeline = made
        self.events: list[Event] = []
        self.parts: list[JournalPart] = []
        self.refused: list[str] = []

    def take(self, messages: list[Message], cut: int = 10_000) -> Line:
        for start in range(0, len(messages), cut):
            self.note(self.pipeline.process(messages[start : start + cut]))
        return self

    def note(self, step: Step) -> Line:
        self.events += step.events
        self.refused += [each.refusal.reason for each in step.dead_letters]
        if step.journal is not None:
            self.parts.append(step.journal)
        return self

    def missing(self) -> list[str]:
        """Sensors that were reported silent, or are to be reported silent together with another one, in order."""
        table, found = self.pipeline.sensors, list[str]()
        for each in self.events:
            if each.kind == "missing" and each.transition == "raised":
                leader = table.find(each.sensor)
                members = () if leader is None else self.pipeline.published.grouping.members(leader)
                same = (json.loads(it.payload)["data"]["sensors"] for it in self.events if it.incident == each.incident)
                others = [*chain.from_iterable(same), *(table.names[slot] for slot in members)]
                found += dict.fromkeys([each.sensor, *(name for name in others if name not in found)])
        return found

    def do(self, action: str, argument: object) -> Line:
        """One of the actions of a service on a pipeline."""
        if action == "take":
            return self.note(self.pipeline.process(argument))  # type: ignore[arg-type]
        if action == "tick":
            return self.note(self.pipeline.tick(argument))  # type: ignore[arg-type]
        if action == "step":
            return self.note(self.pipeline.clock_stepped(argument))  # type: ignore[arg-type]
        if action == "gap":
            return self.note(self.pipeline.gap(Gap("readings", "session_lost"), START))
        if action == "returned":
            self.pipeline.interruption.catch_up.returned()
        elif action == "caught up":
            self.note(self.pipeline.interruption.catch_up.end())
        else:
            self.pipeline.interrupted(argument if isinstance(argument, float) else 0.0)
        return self


def revived(made: Pipeline, saved: bytes, parts: list[Part], inputs: str = "") -> Line:
    """The result of a restart from a snapshot and the journal since: the parts, as they were stored."""
    line = Line(made)
    made.restore(Snapshot.from_bytes(saved), inputs)
    line.events += made.replay(unpack(pack(parts)))
    return line


def revived_from(made: Pipeline, taken: list[tuple[int, list[Part]]], parts: list[JournalPart]) -> Line:
    """The result of a restart from a snapshot taken in steps, and from the journal since its first parts.

    Args:
        made: Knows nothing.
        taken: Parts of the snapshot, each with the number of journal parts before it.
        parts: Parts of the journal, as they were stored.
    """
    line, done = Line(made), 0
    known = known_sensors(part for _, some in taken for part in some)
    made.begin_restoring(known, inputs_changed=False)
    for place, some in taken:
        made.replay(unpack(pack(parts[done:place])))
        done = place
        for part in some:
            made.memory.load(part)
    assert not made.finish_restoring().slots
    line.events += made.replay(unpack(pack(parts[done:])))
    return line


def knowledge(made: Pipeline) -> dict[str, object]:
    """Everything that a pipeline knows, by name; equal for pipelines that can't be distinguished."""
    known: dict[str, object] = {}
    for part in Snapshot.from_bytes(made.save("", "")).parts:
        if part.component in {"admission", "recent_readings", "clock_evidence", "error_values", "statistics", "levels"}:
            for name, array in decode_arrays(part.state).items():
                known[f"{part.component} {part.first}: {name}"] = array.tobytes()
        elif part.component == "detectors":
            rows = decode(part.state, DetectorRows)
            order = list(dict.fromkeys(rows.groups))  # their numbers only give the order of creation
            known[f"detectors {part.first}: groups"] = [order.index(each) for each in rows.groups]
            for number, tables in rows.tables.items():
                group = order.index(number)
                for table in tables:
                    for name, encoded in table.arrays.items():
                        known[f"{table.header['detector']} of group {group} {part.first}: {name}"] = encoded.data
        else:
            known[f"{part.component} {part.first}"] = part.state
    return known


def differing(one: Pipeline, other: Pipeline) -> list[str]:
    """The names of the items that differ between two pipelines."""
    mine, theirs = knowledge(one), knowledge(other)
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
