"""Glances: the page's view of the running core. Each runs in the service's loop and returns copies only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.incidents.events.event import Event
from edge.core.model.sensors.sensors import is_device
from edge.core.pipeline import Pipeline
from edge.core.scoring.learning_progress import learned_word, level_of, lowest_levels
from edge.shell.onlooker import Running

LIMITS = ("low_critical", "low", "high", "high_critical")


class OpenIncidentList(NamedTuple):
    """The open incidents.

    Attributes:
        events: The last event of each open incident.
        clock: The stream clock, seconds since the epoch; None before the first reading.
        sensors: Number of sensors.
        quiet: Number of sensors that are shelved or under maintenance.
    """

    events: tuple[Event, ...]
    clock: float | None
    sensors: int
    quiet: int


class SensorColumns(NamedTuple):
    """The state of all sensors and devices; all arrays have shape (n,), by slot.

    Attributes:
        names: Names of the sensors.
        readings: Number of readings so far.
        time: Time of the last reading, seconds since the epoch, UTC.
        value: Last value.
        interval: Learned seconds between two readings; 0 while unknown.
        level: Lowest learned raising level in decades; 0 if there is none.
        assumed: The assumptions of its computation.
        watched: Observed time in seconds.
        open: Severity of open incidents, by slot.
        silent: Slots of the sensors that are silent, whichever incident reports them.
        quiet: Slots of the sensors that are shelved or under maintenance.
        clock: The stream clock; None before the first reading.
    """

    names: list[str]
    readings: Floats
    time: Floats
    value: Floats
    interval: Floats
    level: Floats
    assumed: Floats
    watched: Floats
    open: dict[int, int]
    silent: frozenset[int]
    quiet: frozenset[int]
    clock: float | None


def open_now(running: Running) -> OpenIncidentList:
    """The open incidents."""
    pipeline = running.pipeline
    events = tuple(pipeline.open_incidents.events.values())
    return OpenIncidentList(events, _clock(pipeline), pipeline.sensors.sensors, len(pipeline.watch.shelving.suppressed))


def status(running: Running) -> dict[str, Any]:
    """The status of the service, as shown by `edgewarden status`."""
    return running.status()


def shelved(running: Running) -> bytes:
    """The shelved sensors and the maintenance windows, as in the retained topic."""
    return running.pipeline.watch.shelving.listing()


def sensor_columns(running: Running) -> SensorColumns:
    """The state of all sensors."""
    pipeline = running.pipeline
    engine, size = pipeline.engine, len(pipeline.sensors)
    statistics, levels = engine.statistics, engine.levels
    wanted = (statistics.count, statistics.time, statistics.value, statistics.interval, lowest_levels(levels, size))
    count, time, value, interval, lowest, assumed, watched = (
        _first(each, size) for each in (*wanted, levels.assumed, levels.watched)
    )
    known = pipeline.open_incidents.events.values()
    incidents = {slot: each for each in known if (slot := pipeline.sensors.find(each.sensor)) is not None}
    silent = {slot for slot, each in incidents.items() if each.kind == "missing"}
    silent.update(np.flatnonzero(statistics.silences[:size] > 0).tolist())
    return SensorColumns(
        names=list(pipeline.sensors.names),
        readings=count,
        time=time,
        value=value,
        interval=interval,
        level=lowest,
        assumed=assumed,
        watched=watched,
        open={slot: each.severity for slot, each in incidents.items()},
        silent=frozenset(silent),
        quiet=pipeline.watch.shelving.suppressed,
        clock=_clock(pipeline),
    )


def _first(column: np.ndarray[Any, Any], size: int) -> Floats:
    """A copy of the first rows, NaN where there are none yet."""
    found = np.full(size, np.nan)
    known = column[:size]
    found[: len(known)] = known
    return found


def _clock(pipeline: Pipeline) -> float | None:
    now = pipeline.engine.clock.now
    return now if math.isfinite(now) else None


class SensorMonitoring(NamedTuple):
    """How a sensor is monitored.

    Attributes:
        unit: Unit of its values.
        device: The device that it belongs to; None if there is none.
        detectors: Names of its detectors.
        limits: Its limits, by name.
        level: Its raising level, in decades.
        learned: `new`, `learning`, `learned` or `fixed`.
    """

    unit: str
    device: str | None
    detectors: list[str]
    limits: dict[str, float]
    level: float
    learned: str


def watching(running: Running, slots: Sequence[int]) -> list[SensorMonitoring]:
    """How sensors are monitored."""
    pipeline = running.pipeline
    engine = pipeline.engine
    lowest = lowest_levels(engine.levels, len(pipeline.sensors))
    found = []
    for slot in slots:
        profile, facts = pipeline.registry.profile(slot), pipeline.registry.facts(slot)
        known = slot < len(engine.levels.assumed)
        learned = (float(lowest[slot]), float(engine.levels.assumed[slot])) if known else (0.0, 0.0)
        level, how = level_of(profile, *learned, float(engine.statistics.interval[slot]))
        limits = {
            end: bound
            for each in profile.detectors
            if each.name == "limits"
            for end in LIMITS
            if math.isfinite(bound := getattr(each, end))
        }
        found.append(
            SensorMonitoring(
                unit=facts.unit,
                device=None if is_device(facts.name) else facts.labels.get("device"),
                detectors=[each.name for each in profile.detectors],
                limits=limits,
                level=round(level, 3),
                learned=learned_word(int(engine.statistics.count[slot]), how),
            )
        )
    return found


class SensorPageData(NamedTuple):
    """The initial data of a sensor's page.

    Attributes:
        name: Name of the sensor.
        watching: How it is monitored.
        readings: Number of readings so far.
        time: Time of the last reading, seconds since the epoch; None before the first.
        value: Last value.
        interval: Learned seconds between two readings; 0 while unknown.
        watched: Observed time in seconds.
        quiet: Whether it is shelved or under maintenance.
        event: Last event of its open incident; None if none is open.
        belongs: For a device, its sensors.
        clock: The stream clock; None before the first reading.
    """

    name: str
    watching: SensorMonitoring
    readings: int
    time: float | None
    value: float | None
    interval: float
    watched: float
    quiet: bool
    event: Event | None
    belongs: list[str]
    clock: float | None


def one_sensor(running: Running, name: str) -> SensorPageData | None:
    """A sensor or device by its name; None if there is none."""
    pipeline = running.pipeline
    slot = pipeline.sensors.find(name)
    if slot is None or slot >= len(pipeline.engine.members):
        return None
    statistics, levels = pipeline.engine.statistics, pipeline.engine.levels
    count = int(statistics.count[slot])
    device = name.removesuffix("/")
    belongs = (
        [
            each
            for place, each in enumerate(pipeline.sensors.names)
            if not is_device(each) and pipeline.registry.facts(place).labels.get("device") == device
        ]
        if is_device(name)
        else []
    )
    return SensorPageData(
        name=name,
        watching=watching(running, [slot])[0],
        readings=count,
        time=float(statistics.time[slot]) if count else None,
        value=float(statistics.value[slot]) if count else None,
        interval=float(statistics.interval[slot]),
        watched=float(levels.watched[slot]) if slot < len(levels.watched) else 0.0,
        quiet=slot in pipeline.watch.shelving.suppressed,
        event=pipeline.open_incidents.events.get(name),
        belongs=belongs[:100],
        clock=_clock(pipeline),
    )
